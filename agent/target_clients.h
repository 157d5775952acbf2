// The clusters that Kustomizations apply to, and the identities they ask for (kustomization.md 6.6).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agent/agent_options.h"
#include "agent/target_cluster.h"
#include "gitops/api/kustomization.h"
#include "gitops/reconcile/post_build.h"
#include "gitops/reconcile/reference_reader.h"
#include "kube/client.h"

namespace weber::agent {

// Where one run applies to, and as whom.
struct Target {
    std::shared_ptr<TargetCluster> cluster;
    std::shared_ptr<kube::Client> client;
    std::optional<gitops::Reference> kube_config = {}; // what names it; none: this cluster
};

// Thread-safe. A remote cluster is open as long as a Kustomization whose last run went there exists: its clients and watches are shared by all that reach
// it by the same kubeconfig, and it is opened anew when that one's content changes.
class TargetClients {
public:
    TargetClients(std::shared_ptr<kube::Client> own, kube::ClientConfig config, const AgentOptions& options, TargetCluster::Listener listener, Metrics& metrics);

    // Reads the kubeconfig, if there is one, and remembers that `k` goes there. Not on a watch thread. Errors: `unable to read KubeConfig secret
    // '<ns>/<name>' error: …` and the others of 6.6; unsupported for cloud providers.
    Result<Target> target_of(const gitops::Kustomization& k, gitops::ReferenceReader& references);
    // The Kustomization "ns/name" is gone. Not on a watch thread.
    void forget(const std::string& key);
    // Ends all watches. Not on a watch thread.
    void stop();

    [[nodiscard]] const std::shared_ptr<TargetCluster>& local() const { return local_; }
    [[nodiscard]] std::size_t remote_clusters() const;
    [[nodiscard]] std::size_t watched_kinds() const; // of all clusters
    // spec.serviceAccountName, or the default; "" = none.
    [[nodiscard]] std::string account_of(const gitops::Kustomization& k) const;
    // The name that it acts under; "" = the client's own.
    [[nodiscard]] std::string user_of(const gitops::Kustomization& k) const;

private:
    struct Address {
        std::string identity; // equal for equal ways to equal clusters
        kube::ClientConfig config;
        gitops::Reference read;
    };
    Result<Address> of_secret(const gitops::Kustomization& k, gitops::ReferenceReader& references);
    Result<Address> of_config_map(const gitops::Kustomization& k, gitops::ReferenceReader& references);
    Result<std::shared_ptr<TargetCluster>> open(const Address& address);
    bool is_open(const std::string& identity) const;
    void count_token(const gitops::Kustomization& k, bool held, bool opened);
    void use(const std::string& key, std::shared_ptr<TargetCluster> cluster);
    [[nodiscard]] std::vector<std::shared_ptr<TargetCluster>> open_clusters() const;

    const std::shared_ptr<kube::Client> own_;
    const AgentOptions options_;
    const TargetCluster::Listener listener_;
    Metrics& metrics_;
    const std::shared_ptr<TargetCluster> local_;
    mutable std::mutex mutex_; // guards the rest
    std::map<std::string, std::weak_ptr<TargetCluster>> remote_;  // by identity
    std::map<std::string, std::shared_ptr<TargetCluster>> users_; // by Kustomization
};

} // namespace weber::agent
