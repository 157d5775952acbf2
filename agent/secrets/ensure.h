// Makes the Secrets of a list that a cluster lacks. One that exists stays as it is, byte for byte.
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
    std::string subject; // "Secret/apps/nats-credentials", "Namespace/apps"
    EnsureAction action = EnsureAction::unchanged;
    std::optional<Error> error = {};
    std::vector<std::string> lacks = {}; // keys of the list that the existing Secret does not have
};

struct EnsureSettings {
    bool dry_run = false; // nothing is written
    std::function<std::optional<std::string>(const std::string&)> environment; // of `environment:` values
};

// In order of the list; a failed one does not stop the others. Namespaces are made when missing. No text holds a value.
std::vector<Ensured> ensure_secrets(kube::Client& client, const std::vector<SecretSpec>& list, const EnsureSettings& settings);

} // namespace weber::agent
