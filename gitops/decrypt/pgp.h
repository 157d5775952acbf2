// OpenPGP keys and messages for SOPS, by librnp: no gpg, no home directory, no key server.
//
// Thread-safe: one call at a time, the others wait. Errors never hold key material or plaintext.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gitops/decrypt/secret_bytes.h"
#include "kube/base/error.h"

namespace weber::gitops {

class PgpKeys {
public:
    PgpKeys();
    ~PgpKeys();
    PgpKeys(PgpKeys&&) noexcept;
    PgpKeys& operator=(PgpKeys&&) noexcept;

    // Adds the keys of an armoured or binary text, secret or public. Error invalid: no keys in it.
    Result<void> import(std::string_view keys);
    [[nodiscard]] bool empty() const;

    // An armoured message to the encryption (sub)key of `fingerprint`. Errors: not_found, invalid.
    Result<std::string> encrypt(std::string_view plaintext, std::string_view fingerprint) const;
    // Errors: invalid – no fitting secret key, a passphrase is asked for, a damaged message.
    Result<SecretBytes> decrypt(std::string_view message) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace weber::gitops
