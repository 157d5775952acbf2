#include "gitops/reconcile/applied_memory.h"

namespace weber::gitops {

namespace {
std::size_t hash_of(const kube::ObjectKey& key) { return std::hash<kube::ObjectKey>{}(key); }
std::size_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }
} // namespace

void AppliedMemory::record(const Object& desired, const Object& live, std::size_t owned, std::size_t rules) {
    const Entry entry{.desired = desired.root().hash(), .rules = rules, .uid = hash_of(live.uid()), .owned = owned, .cluster_scoped = live.ns().empty()};
    const std::lock_guard lock(mutex_);
    entries_[hash_of(desired.key())] = entry;
}

void AppliedMemory::forget(const kube::ObjectKey& key) {
    const std::lock_guard lock(mutex_);
    entries_.erase(hash_of(key));
}

std::optional<kube::ObjectKey> AppliedMemory::settled(const Object& desired, const LiveMark& live, std::size_t rules) const {
    kube::ObjectKey key = desired.key();
    Entry entry;
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(hash_of(key));
        if (found == entries_.end()) return std::nullopt;
        entry = found->second;
    }
    const bool same = entry.rules == rules && entry.uid == hash_of(live.uid) && entry.owned == live.owned && entry.owned != 0;
    if (!same || entry.desired != desired.root().hash()) return std::nullopt;
    if (entry.cluster_scoped) key.ns.clear();
    return key;
}

} // namespace weber::gitops
