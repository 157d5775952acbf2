#include "agent/reference_versions.h"

namespace weber::agent {

namespace {

constexpr std::size_t kMostWatches = 64; // each is a thread and a stream

} // namespace

void ReferenceVersions::watch(const std::string& kind, const std::string& ns) {
    const std::lock_guard lock(mutex_);
    if (watches_.contains({kind, ns}) || watches_.size() >= kMostWatches) return;
    auto watch = std::make_shared<kube::Informer>(client_, kube::InformerOptions{.target = {.gvk = {"", "v1", kind}, .ns = ns, .metadata_only = true},
                                                                                 .watch = {},
                                                                                 .project = [](const Object&) { return Object(Node::map()); }});
    watch->start();
    watches_.emplace(Place{kind, ns}, std::move(watch));
}

std::shared_ptr<kube::Informer> ReferenceVersions::watch_of(const std::string& kind, const std::string& ns) const {
    const std::lock_guard lock(mutex_);
    const auto at = watches_.find({kind, ns});
    return at != watches_.end() ? at->second : nullptr;
}

std::optional<std::string> ReferenceVersions::told(const std::string& kind, const gitops::NamespacedName& name) const {
    const auto watch = watch_of(kind, name.ns);
    if (!watch || !watch->has_synced()) return std::nullopt;
    const auto seen = watch->get(name.ns, name.name);
    return seen ? std::string(seen->resource_version()) : std::string();
}

void ReferenceVersions::await(const std::string& kind, const std::string& ns, std::chrono::milliseconds at_most, std::stop_token stop) const {
    if (const auto watch = watch_of(kind, ns)) watch->wait_synced(at_most, std::move(stop));
}

std::string ReferenceVersions::of(const std::string& kind, const gitops::NamespacedName& name, std::stop_token stop) {
    if (auto version = told(kind, name)) return std::move(*version);
    const auto found = client_->find({{"", "v1", kind}, name.ns, name.name}, {.metadata_only = true}, {.stop = std::move(stop)});
    if (!found) return "?";
    return *found ? std::string((*found)->resource_version()) : std::string();
}

void ReferenceVersions::stop() {
    std::map<Place, std::shared_ptr<kube::Informer>> watches;
    {
        const std::lock_guard lock(mutex_);
        watches.swap(watches_);
    }
    for (auto& [place, watch] : watches) watch->stop();
}

} // namespace weber::agent
