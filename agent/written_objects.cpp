#include "agent/written_objects.h"

#include "kube/base/resource_version.h"

namespace weber::agent {

gitops::NamespacedName name_of(const Object& object) { return {std::string(object.ns()), std::string(object.name())}; }

namespace {

bool is_behind(const Object& cached, const Object& written) {
    return cached.uid() == written.uid() && kube::is_older(cached.resource_version(), written.resource_version());
}

} // namespace

void WrittenObjects::wrote(const Object& object, const kube::Informer* cache) {
    Object kept = object;
    kept.metadata_mut().erase("managedFields");
    const auto name = name_of(kept);
    {
        const std::lock_guard lock(mutex_);
        written_.insert_or_assign(name, std::move(kept));
    }
    if (cache != nullptr) (void)current(cache, name); // the watch may have been faster than the answer
}

std::optional<Object> WrittenObjects::current(const kube::Informer* cache, const gitops::NamespacedName& name) {
    auto cached = cache != nullptr ? cache->get(name.ns, name.name) : std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto at = written_.find(name);
    if (at == written_.end()) return cached;
    if (cached && is_behind(*cached, at->second)) return at->second;
    written_.erase(at); // the cache has caught up, or the object is gone
    return cached;
}

void WrittenObjects::seen(const Object& cached) {
    const std::lock_guard lock(mutex_);
    if (const auto at = written_.find(name_of(cached)); at != written_.end() && !is_behind(cached, at->second)) written_.erase(at);
}

kube::InformerHandler WrittenObjects::handler() {
    return {.added = [this](const Object& o, bool) { seen(o); },
            .updated = [this](const Object&, const Object& o) { seen(o); },
            .deleted =
                [this](const Object& o) {
                    const std::lock_guard lock(mutex_);
                    written_.erase(name_of(o));
                }};
}

std::size_t WrittenObjects::size() const {
    const std::lock_guard lock(mutex_);
    return written_.size();
}

} // namespace weber::agent
