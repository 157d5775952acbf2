#include "agent/written_objects.h"

#include <charconv>

namespace weber::agent {

bool is_older(const std::string& resource_version, const std::string& than) {
    const auto number = [](const std::string& text) -> std::optional<std::uint64_t> {
        std::uint64_t n = 0;
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), n);
        return code == std::errc() && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
    };
    const auto a = number(resource_version), b = number(than);
    return a && b && *a < *b;
}

gitops::NamespacedName name_of(const Object& object) { return {std::string(object.ns()), std::string(object.name())}; }

void WrittenObjects::wrote(const Object& object) {
    Object kept = object;
    kept.metadata_mut().erase("managedFields");
    const std::lock_guard lock(mutex_);
    written_.insert_or_assign(name_of(kept), std::move(kept));
}

std::optional<Object> WrittenObjects::current(const kube::Informer* cache, const gitops::NamespacedName& name) {
    auto cached = cache != nullptr ? cache->get(name.ns, name.name) : std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto at = written_.find(name);
    if (at == written_.end()) return cached;
    if (cached && cached->uid() == at->second.uid() && is_older(std::string(cached->resource_version()), std::string(at->second.resource_version())))
        return at->second;
    written_.erase(at); // the cache has caught up, or the object is gone
    return cached;
}

} // namespace weber::agent
