// Bech32 (BIP 173) as age uses it for keys: no length limit, upper or lower case, never mixed.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "gitops/decrypt/secret_bytes.h"
#include "kube/base/error.h"

namespace weber::gitops {

struct Bech32 {
    std::string prefix; // lower case
    SecretBytes data;   // may be a private key
};

// Errors: invalid; the text is never part of the message.
Result<Bech32> decode_bech32(std::string_view text);
// Lower case; `upper` for private keys.
std::string encode_bech32(std::string_view prefix, std::string_view data, bool upper = false);

} // namespace weber::gitops
