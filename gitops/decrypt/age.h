// age v1 with X25519 keys (age-encryption.org/v1), by OpenSSL.
//
// Thread-safe: identities are immutable. Errors never hold key material or plaintext.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gitops/decrypt/crypto.h"
#include "gitops/decrypt/secret_bytes.h"
#include "kube/base/error.h"

namespace weber::gitops {

struct AgeIdentity {
    SecretBytes secret;    // 32 bytes
    std::string recipient; // "age1…"
    X25519Key key;         // of `secret`
};

// A fresh key pair.
Result<AgeIdentity> make_age_identity();
// "AGE-SECRET-KEY-1…". Wipe the text after use.
std::string age_identity_text(const AgeIdentity& identity);

// One identity a line; empty lines and those that begin with `#` are skipped. Errors as SOPS words them: `unknown identity type` (also for passphrases,
// that is scrypt), `malformed secret key: …`; unsupported: post-quantum keys and plugins.
Result<std::vector<AgeIdentity>> parse_age_identities(std::string_view text);

// "age1…", blanks around it ignored. Errors: invalid.
Result<void> check_age_recipient(std::string_view recipient);

// An armoured age file for one recipient, as SOPS stores it.
Result<std::string> age_encrypt(std::string_view plaintext, std::string_view recipient);

// Armoured or binary. Errors: invalid (malformed, wrong recipient: `no identity matched any of the recipients`).
Result<SecretBytes> age_decrypt(std::string_view file, const std::vector<AgeIdentity>& identities);

} // namespace weber::gitops
