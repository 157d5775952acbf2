// Makes the Secrets of a list that a cluster lacks, and the encrypted files that its repository lacks. What exists stays as it is, byte for byte.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/secrets/secret_list.h"
#include "kube/client.h"

namespace weber::agent {

enum class EnsureAction : std::uint8_t { created, unchanged, failed };

struct Ensured {
    std::string subject; // "Secret/apps/nats-credentials", "Namespace/apps", the path of a file
    EnsureAction action = EnsureAction::unchanged;
    std::optional<Error> error = {};
    std::vector<std::string> lacks = {}; // keys of the list that the existing Secret does not have
};

struct EnsureSettings {
    bool dry_run = false; // nothing is written
    std::function<std::optional<std::string>(const std::string&)> environment; // of `environment:` values
    std::string repository = {};                                              // directory that the list's files lie below
    std::string cluster = {};                                                 // {cluster} in their paths
    std::string now = {};                                                     // RFC 3339, written into them
};

// In order of the list; a failed one does not stop the others. Namespaces are made when missing. No text holds a value.
// A file that holds no SOPS section (a plain placeholder, or none at all) is made anew with fresh values, encrypted for the key that the list names; beside it a
// `.sops.yaml` is made that lets others be encrypted for the same key. One that is encrypted for another key is an error. Private keys are never written to a file.
std::vector<Ensured> ensure_secrets(kube::Client& client, const SecretList& list, const EnsureSettings& settings);

} // namespace weber::agent
