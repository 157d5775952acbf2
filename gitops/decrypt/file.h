// Whole files, decrypted and encrypted: what the `sops` program does with a file, and Flux with a file or a value.
//
// Thread-safe. Errors never hold a value or a key.
#pragma once

#include <string>
#include <string_view>

#include "gitops/decrypt/data_key.h"
#include "gitops/decrypt/stores.h"

namespace weber::gitops::sops {

struct DecryptOptions {
    bool verify_mac = true;       // false: as Flux, which never does (--sops-ignore-mac)
    Indentation indentation = {}; // of what is written
};

// The plain text in the format `to`. Error texts are those of build.md 6.4: `failed to load encrypted YAML data: …`, `cannot get sops data key: …`,
// `error decrypting sops tree: …`, `failed to verify sops data integrity: …`, `failed to emit encrypted YAML file as decrypted binary: …`.
Result<std::string> decrypt_file(std::string_view text, Format from, Format to, const KeyRing& keys, const DecryptOptions& options = {});

// One value of the decrypted file (of its first document): the text of a leaf, without a line break, or a map in the format `to`. `path`: see value_at.
Result<std::string> extract_from_file(std::string_view text, Format from, Format to, std::string_view path, const KeyRing& keys, const DecryptOptions& options = {});

// Whether the MAC of an encrypted text fits, for what is decrypted elsewhere. Error invalid: it does not. What is no such text, has no key of ours or is damaged
// otherwise is no error here: whoever decrypts it says so. The ring keeps the data key for that.
Result<void> verify_mac(std::string_view text, Format format, const KeyRing& keys);

// The document of a built object (a map with `sops`), decrypted and without `sops`. The MAC cannot hold there: kustomize has changed the object
// (verify_mac looks at its file).
Result<Node> decrypt_document(const Node& document, const KeyRing& keys);

// What a new file is encrypted with: key groups whose `enc` is still empty, the rule, the threshold.
// `now`: RFC 3339, UTC. Error invalid: the file is encrypted already.
Result<std::string> encrypt_file(std::string_view text, Format format, Metadata settings, const KeyRing& keys, const std::string& now, const Indentation& indentation = {});

// Who may read a file from now on: keys for the first group, and keys that leave every group.
struct RecipientChanges {
    KeyGroup add = {}, remove = {};
};

// The same file under a new data key, by the same rule. Errors: those of decrypt_file; not_found: a key to remove is none of the file; invalid: nobody is left.
Result<std::string> rotate_file(std::string_view text, Format format, const KeyRing& keys, const std::string& now, const DecryptOptions& options = {},
                                const RecipientChanges& changes = {});

// The version written into files: of the format that this code follows.
inline constexpr std::string_view kSopsVersion = "3.13.2";

} // namespace weber::gitops::sops
