// Clients of the clusters that Kustomizations apply to, as the identities they ask for (kustomization.md 6.6).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "gitops/api/kustomization.h"
#include "kube/client.h"

namespace weber::agent {

// Thread-safe. Clients are kept, so that connections and discovery are shared by all Kustomizations with the same identity.
class TargetClients {
public:
    TargetClients(std::shared_ptr<kube::Client> own, kube::ClientConfig config, std::string default_service_account)
        : own_(std::move(own)), config_(std::move(config)), default_service_account_(std::move(default_service_account)) {}

    // Errors: `unable to read KubeConfig secret '<ns>/<name>' error: …` and the others of 6.6; unsupported for kubeConfig.configMapRef.
    Result<std::shared_ptr<kube::Client>> client_for(const gitops::Kustomization& k, std::stop_token stop);
    // spec.serviceAccountName, or the default; "" = none.
    [[nodiscard]] std::string account_of(const gitops::Kustomization& k) const;
    // The objects are in the controller's own cluster.
    [[nodiscard]] static bool is_local(const gitops::Kustomization& k) { return !k.spec.kube_config.has_value(); }

private:
    const std::shared_ptr<kube::Client> own_;
    const kube::ClientConfig config_;
    const std::string default_service_account_;
    std::mutex mutex_; // guards kept_
    std::map<std::string, std::shared_ptr<kube::Client>> kept_;
};

} // namespace weber::agent
