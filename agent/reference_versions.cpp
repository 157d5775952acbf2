#include "agent/reference_versions.h"

namespace weber::agent {

namespace {

constexpr std::chrono::seconds kFirstList{2};
constexpr std::size_t kMostWatches = 64; // each is a thread and a stream

} // namespace

std::string ReferenceVersions::of(const std::string& kind, const gitops::NamespacedName& name, std::stop_token stop) {
    const kube::GroupVersionKind gvk{"", "v1", kind};
    std::shared_ptr<kube::Informer> watch;
    bool fresh = false;
    {
        const std::lock_guard lock(mutex_);
        const auto at = watches_.find({kind, name.ns});
        if (at != watches_.end()) {
            watch = at->second;
        } else if (watches_.size() < kMostWatches) {
            kube::WatchOptions list_first; // of a stream the API server says only after a second that it is complete
            list_first.streaming_list = false;
            watch = std::make_shared<kube::Informer>(client_, kube::InformerOptions{.target = {.gvk = gvk, .ns = name.ns, .metadata_only = true}, .watch = list_first,
                                                                                   .project = [](const Object&) { return Object(Node::map()); }});
            watch->start();
            watches_.emplace(Place{kind, name.ns}, watch);
            fresh = true;
        }
    }
    if (fresh) watch->wait_synced(kFirstList, stop);
    if (watch && watch->has_synced()) {
        const auto seen = watch->get(name.ns, name.name);
        return seen ? std::string(seen->resource_version()) : std::string();
    }
    const auto found = client_->find({gvk, name.ns, name.name}, {.metadata_only = true}, {.stop = std::move(stop)});
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
