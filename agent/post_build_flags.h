// Flags about variables and decryption keys that several commands share, and what they mean for a build.
#pragma once

#include <memory>
#include <vector>

#include "agent/flags.h"
#include "gitops/reconcile/post_build_hooks.h"

namespace weber::agent {

// --values, --strict-substitute, --age-key-file, --pgp-key-file, --sops-ignore-mac.
std::vector<Flag> post_build_flags();

// --age-key-file, --pgp-key-file, SOPS_AGE_KEY, SOPS_AGE_KEY_FILE; null when none of them is given. Errors name the file, never its content.
Result<std::shared_ptr<const gitops::KeyRing>> local_keys(const Flags& flags);
std::vector<Flag> key_flags();
// --sops-ignore-mac
Flag ignore_mac_flag();

Result<gitops::HookSettings> hook_settings(const Flags& flags);

// A whole file, at most 64 MiB. "-" is not special.
Result<std::string> read_file(const std::string& path);

} // namespace weber::agent
