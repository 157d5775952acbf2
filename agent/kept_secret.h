// A Secret that many runs need, the controller's own keys (--sops-age-secret): read when the agent starts, and again when the watch of its namespace tells of another
// version, so that a Kustomization's run does not pay for it.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/reference_versions.h"

namespace weber::agent {

// Thread-safe.
class KeptSecret {
public:
    // `versions` must outlive it.
    KeptSecret(std::shared_ptr<kube::Client> client, ReferenceVersions& versions, gitops::NamespacedName name)
        : client_(std::move(client)), versions_(versions), name_(std::move(name)) {}

    // Begins the watch and reads the Secret. May wait some seconds for the watch; without it every `get` is a request.
    void start(std::stop_token stop);
    // Errors as of a GET.
    Result<Object> get();

private:
    const std::shared_ptr<kube::Client> client_;
    ReferenceVersions& versions_;
    const gitops::NamespacedName name_;
    std::mutex mutex_; // guards kept_
    std::optional<Result<Object>> kept_; // the object, or that there is none
};

} // namespace weber::agent
