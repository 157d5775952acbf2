// The data key of a file: unwrapped by whatever key of ours fits, wrapped for the recipients of a new file.
//
// Thread-safe as far as the key ring is (it is only read).
#pragma once

#include <vector>

#include "gitops/decrypt/age.h"
#include "gitops/decrypt/metadata.h"
#include "gitops/decrypt/pgp.h"

namespace weber::gitops {

// Keys at hand.
struct KeyRing {
    std::vector<AgeIdentity> age = {};
    PgpKeys pgp = {};
};

namespace sops {

// age first, then PGP, then the file's order. Error invalid with SOPS' report: `Failed to get the data key required to decrypt the SOPS file.` and a line
// for each key; unsupported when only keys of a cloud or Vault could unwrap it, naming the provider.
Result<SecretBytes> unwrap_data_key(const Metadata& metadata, const KeyRing& keys);

// Fills `enc` of every key (and the times of PGP keys, `now`). Errors: unsupported providers, unknown PGP fingerprints.
Result<void> wrap_data_key(Metadata& metadata, const SecretBytes& data_key, const KeyRing& keys, const std::string& now);

} // namespace sops
} // namespace weber::gitops
