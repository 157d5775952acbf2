// The leaves of a document, encrypted and decrypted, and the MAC over them (aes/cipher.go; Tree.Encrypt and Tree.Decrypt of sops.go).
//
// One call belongs to one thread.
#pragma once

#include <string>

#include "gitops/decrypt/metadata.h"
#include "gitops/decrypt/secret_bytes.h"
#include "gitops/decrypt/tree.h"

namespace weber::gitops::sops {

// One value, `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`; the empty text stays empty. `additional`: the path, "data:password:".
// Errors: invalid, as SOPS words them, never with the value (`Input string <redacted> does not match sops' data format`).
Result<Value> decrypt_value(std::string_view text, const SecretBytes& key, std::string_view additional);
Result<std::string> encrypt_value(const Value& value, const SecretBytes& key, std::string_view additional);

// In place; returns the MAC over the plain leaves (upper-case hex; empty when it is not wanted). Errors: `Error walking tree: …`.
Result<std::string> decrypt_tree(Branches& branches, const Metadata& metadata, const SecretBytes& key, bool with_mac = true);
Result<std::string> encrypt_tree(Branches& branches, const Metadata& metadata, const SecretBytes& key);

// For YAML, before encryption: comments that end a nested map or list behind an entry of several lines move to the end of that entry. There sops sees them when it
// reads the file, and a comment that it sees elsewhere than it was encrypted stays ciphertext. None moves to where another rule covers it. Those of an empty map or
// list become one.
void settle_comments(Branches& branches, const Rule& rule);

} // namespace weber::gitops::sops
