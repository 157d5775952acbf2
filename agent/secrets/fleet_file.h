// Encrypted Secrets in the files of a fleet's repository: made once, for the age key of a cluster. Used by ensure.cpp.
//
// Errors hold no value and no key.
#pragma once

#include <map>
#include <string>

#include "agent/secrets/secret_list.h"
#include "kube/credentials.h"

namespace weber::agent {

using SecretValues = std::map<std::string, kube::SecretText, std::less<>>;

struct FleetFile {
    std::string repository, path; // `path` is relative to it
    [[nodiscard]] std::string full() const { return repository + "/" + path; }
};

// `path` with {cluster} replaced.
bool names_cluster(std::string_view path);
std::string path_of_file(std::string path, std::string_view cluster);

// "AGE-SECRET-KEY-1…", new.
Result<kube::SecretText> new_age_identity();
// "age1…" of a text of identities (the first counts). Error invalid: none, or no age key.
Result<std::string> age_recipient(const kube::SecretText& identities);

// False: no such file, or one in plain text. Error invalid: encrypted for others only, or a link.
Result<bool> is_encrypted_for(const FleetFile& file, const std::string& recipient);
// Writes a Secret as YAML, `stringData` encrypted; the file is replaced in one step. Errors: unavailable (cannot be written).
Result<void> write_encrypted(const FleetFile& file, const SecretSpec& secret, const SecretValues& values, const std::string& recipient, const std::string& now);

// The `.sops.yaml` beside the file: true when there is one that names the recipient. Error invalid: it names others only.
Result<bool> has_sops_rules(const FleetFile& file, const std::string& recipient);
Result<void> write_sops_rules(const FleetFile& file, const std::string& recipient);

} // namespace weber::agent
