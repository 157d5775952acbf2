// Shamir's secret sharing in GF(2^8) as SOPS splits a data key among key groups: parts are the 32 values, then x (build.md 7).
//
// Pure and thread-safe.
#pragma once

#include <vector>

#include "gitops/decrypt/secret_bytes.h"
#include "kube/base/error.h"

namespace weber::gitops::sops {

// Errors: fewer than two parts, of different lengths, twice the same x.
Result<SecretBytes> combine_shares(const std::vector<SecretBytes>& shares);
// `count` parts, any `threshold` of which restore `secret`; 2 ≤ threshold ≤ count ≤ 255.
Result<std::vector<SecretBytes>> split_secret(const SecretBytes& secret, std::size_t count, std::size_t threshold);

} // namespace weber::gitops::sops
