#include "agent/reconcile_memory.h"

#include <algorithm>
#include <set>

#include "kube/base/digest.h"

namespace weber::agent {

std::string build_closure(const gitops::Snapshot& snapshot, const std::string& dir, const std::vector<std::string>& files_read) {
    const gitops::TreeFileSystem& fs = *snapshot.fs;
    std::string text;
    std::set<std::string> dirs{dir};
    for (const std::string& file : files_read) {
        text += file + "=" + fs.identity(file) + "\n";
        dirs.insert(file.substr(0, file.rfind('/')));
    }
    for (const std::string& d : dirs) {
        text += "dir " + d + "\n";
        if (const auto names = fs.list(d))
            for (const std::string& name : *names) text += name + "\n";
    }
    const bool own = std::ranges::any_of(std::initializer_list<const char*>{"kustomization.yaml", "kustomization.yml", "Kustomization"},
                                         [&](const char* name) { return fs.is_file(dir + "/" + name); });
    if (!own) {
        const std::string below = dir == "/" ? dir : dir + "/";
        for (const auto& [path, file] : fs.files())
            if (const std::string whole = fs.mount() + "/" + path; whole.starts_with(below)) text += whole + "=" + file.id + "\n";
    }
    return kube::sha256_hex(text);
}

void ReconcileMemory::remember(const std::string& key, LastGood good) {
    std::ranges::sort(good.owned);
    const std::lock_guard lock(mutex_);
    good_.insert_or_assign(key, std::move(good));
}

void ReconcileMemory::forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    good_.erase(key);
}

std::optional<LastGood> ReconcileMemory::find(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto at = good_.find(key);
    return at != good_.end() ? std::optional(at->second) : std::nullopt;
}

bool ReconcileMemory::drifted(const std::string& key, const TargetCluster& cluster, const kube::ObjectKey& object, const std::optional<Sighting>& now) const {
    const std::lock_guard lock(mutex_);
    const auto at = good_.find(key);
    if (at == good_.end() || at->second.cluster_id != cluster.id()) return false;
    const auto& owned = at->second.owned;
    const auto entry = std::ranges::lower_bound(owned, object, {}, [](const auto& e) { return e.first; });
    if (entry == owned.end() || entry->first != object || entry->second == 0) return false;
    return !now || !now->is_in_place(entry->second);
}

namespace {

// Is each one seen, and as `good` wants it? `good`: the sighting, and the hash of what was applied.
template <class Good>
bool all_seen(const std::vector<std::pair<kube::ObjectKey, std::size_t>>& owned, const ManagedObjects& objects, Good good) {
    return std::ranges::all_of(owned, [&](const auto& entry) {
        if (entry.second == 0) return true;
        const auto seen = objects.find(entry.first);
        return seen && good(*seen, entry.second);
    });
}

} // namespace

bool all_in_place(const LastGood& good) {
    const auto cluster = good.cluster.lock();
    return cluster && all_seen(good.owned, cluster->objects(), [](const Sighting& s, std::size_t applied) { return s.is_in_place(applied); });
}

bool all_there(const std::vector<std::pair<kube::ObjectKey, std::size_t>>& owned, const ManagedObjects& objects) {
    return all_seen(owned, objects, [](const Sighting& s, std::size_t applied) { return s.owned == applied; });
}

bool all_untouched(const std::vector<std::pair<kube::ObjectKey, std::string>>& unowned, const ManagedObjects& objects) {
    return std::ranges::all_of(unowned, [&](const auto& entry) {
        const auto seen = objects.find(entry.first);
        return seen && seen->resource_version == entry.second;
    });
}

} // namespace weber::agent
