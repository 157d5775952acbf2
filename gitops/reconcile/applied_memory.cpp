#include "gitops/reconcile/applied_memory.h"

#include "kube/kstatus.h"

namespace weber::gitops {

namespace {

std::size_t key_of(const kube::ObjectKey& key) { return std::hash<kube::ObjectKey>{}(key); }

// Everything of the metadata that changes with content, and nothing that changes with status alone.
std::size_t fingerprint(const Object& live) {
    Node seen = Node::map();
    for (std::string_view field : {"uid", "deletionTimestamp", "labels", "annotations", "generation"})
        if (const Node* value = live.at({"metadata", field}); value != nullptr && !(value->is_map() && value->empty())) seen.set(field, *value);
    if (live.generation() == 0) {
        seen.set("resourceVersion", Node::string(live.resource_version()));
        return seen.hash();
    }
    Node managers = Node::list();
    if (const Node* entries = live.at({"metadata", "managedFields"}))
        for (const Node& e : entries->items())
            if (e.text_at("subresource").empty()) managers.push_back(e);
    seen.set("managedFields", std::move(managers));
    return seen.hash();
}

} // namespace

void AppliedMemory::record(const Object& desired, const Object& live, std::size_t rules) {
    const auto status = kube::compute_flux_status(live);
    const bool current = status && status->code == kube::StatusCode::current;
    const Entry entry{.desired = desired.root().hash(), .rules = rules, .live = fingerprint(live), .current = current};
    const std::lock_guard lock(mutex_);
    entries_[key_of(desired.key())] = entry;
}

void AppliedMemory::forget(const kube::ObjectKey& key) {
    const std::lock_guard lock(mutex_);
    entries_.erase(key_of(key));
}

std::optional<AppliedMemory::Settled> AppliedMemory::settled(const Object& desired, const Object& live, std::size_t rules) const {
    if (live.uid().empty() || live.deleting()) return std::nullopt;
    Entry entry;
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(key_of(desired.key()));
        if (found == entries_.end()) return std::nullopt;
        entry = found->second;
    }
    if (entry.rules != rules || entry.desired != desired.root().hash() || entry.live != fingerprint(live)) return std::nullopt;
    return Settled{.current = entry.current};
}

} // namespace weber::gitops
