// A cluster that Kustomizations apply to: clients of it by identity, what its watches tell, and what applies left there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agent/managed_objects.h"
#include "agent/metrics.h"
#include "gitops/reconcile/applied_memory.h"
#include "kube/client.h"

namespace weber::agent {

// Thread-safe. The last owner must not be a watch thread: the end waits for these.
class TargetCluster {
public:
    using Listener = std::function<void(const TargetCluster& cluster, const kube::ObjectKey& key, const std::optional<Sighting>& before,
                                        const std::optional<Sighting>& after)>;

    // `client`: by the identity of `config` itself, which the watches use, too. `taken_over`: as of ManagedObjects. Nothing is asked of
    // the cluster yet.
    TargetCluster(std::shared_ptr<kube::Client> client, kube::ClientConfig config, bool local, Listener listener, Metrics& metrics,
                  std::vector<std::string> taken_over = {});

    [[nodiscard]] std::uint64_t id() const { return id_; }   // no other cluster of this process has had it
    [[nodiscard]] bool is_local() const { return local_; }   // the one that holds the Kustomizations
    [[nodiscard]] ManagedObjects& objects() { return objects_; }
    // By whom ("": the identity of the config): that one may apply an object says nothing about another. Lives as long as this.
    [[nodiscard]] gitops::AppliedMemory& applied_by(const std::string& user);
    // By the identity of the config (`user` empty), or as that user. Kept, so that connections and discovery are shared.
    Result<std::shared_ptr<kube::Client>> client_as(const std::string& user);
    // What the pipeline may take from the watches in place of requests.
    [[nodiscard]] std::optional<gitops::LiveMark> seen(const kube::ObjectRef& ref) const;

private:
    const std::uint64_t id_;
    const std::shared_ptr<kube::Client> client_;
    const kube::ClientConfig config_;
    const bool local_;
    const Listener listener_;
    Metrics& metrics_;
    std::mutex mutex_; // guards applied_ and impersonating_
    std::map<std::string, gitops::AppliedMemory> applied_; // by user
    std::map<std::string, std::shared_ptr<kube::Client>> impersonating_;
    ManagedObjects objects_; // last: its threads use the rest
};

} // namespace weber::agent
