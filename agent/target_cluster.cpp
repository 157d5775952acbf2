#include "agent/target_cluster.h"

#include <atomic>

#include "agent/metered_transport.h"

namespace weber::agent {

namespace {

constexpr std::size_t kMaxUsers = 256;

std::uint64_t next_id() {
    static std::atomic<std::uint64_t> last = 0;
    return ++last;
}

} // namespace

TargetCluster::TargetCluster(std::shared_ptr<kube::Client> client, kube::ClientConfig config, bool local, Listener listener, Metrics& metrics,
                             std::vector<std::string> taken_over)
    : id_(next_id()), client_(client), config_(std::move(config)), local_(local), listener_(std::move(listener)), metrics_(metrics),
      objects_(std::move(client), std::move(taken_over), [this](const auto& key, const auto& before, const auto& after) { listener_(*this, key, before, after); }) {}

Result<std::shared_ptr<kube::Client>> TargetCluster::client_as(const std::string& user) {
    if (user.empty()) return client_;
    const std::lock_guard lock(mutex_);
    if (const auto at = impersonating_.find(user); at != impersonating_.end()) return at->second;
    kube::ClientConfig config = config_;
    config.impersonate = {.user = user};
    TRY(std::shared_ptr<kube::Client> client, connect_metered(config, metrics_));
    if (impersonating_.size() == kMaxUsers) impersonating_.erase(impersonating_.begin());
    return impersonating_[user] = std::move(client);
}

gitops::AppliedMemory& TargetCluster::applied_by(const std::string& user) {
    const std::lock_guard lock(mutex_);
    return applied_[user];
}

std::optional<gitops::LiveMark> TargetCluster::seen(const kube::ObjectRef& ref) const {
    const auto seen = objects_.find(ref.key());
    if (!seen) return std::nullopt;
    return gitops::LiveMark{.uid = seen->uid, .resource_version = seen->resource_version, .owned = seen->owned,
                            .current = seen->status_error.empty() && seen->status.code == kube::StatusCode::current};
}

} // namespace weber::agent
