#include "agent/managed_objects.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <unordered_map>

#include "gitops/api/names.h"
#include "gitops/reconcile/owned_fields.h"

namespace weber::agent {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kGoneAfter{5}; // an API server that has just started does not serve all kinds at once

Sighting sighting_of(const Object& o, const std::vector<std::string>& taken_over, bool whole) {
    Sighting s{.uid = std::string(o.uid()), .resource_version = std::string(o.resource_version()), .owned = gitops::owned_hash(o, taken_over),
               .other_version = gitops::owned_in_other_version(o), .owner = {std::string(o.label(gitops::kOwnerNamespace)), std::string(o.label(gitops::kOwnerName))}};
    s.undrifted = gitops::owned_hash_but_marks(o, s.owned, taken_over);
    if (auto status = kube::compute_flux_status(o)) s.status = std::move(*status);
    else s.status_error = status.error().message;
    s.status.conditions.clear();
    if (whole) s.whole = o;
    return s;
}

} // namespace

// The informer keeps next to nothing; what counts lies in `seen`.
struct ManagedObjects::Kind {
    Kind(std::shared_ptr<kube::Client> client, const kube::GroupVersionKind& gvk, bool keep_whole, const std::vector<std::string>& others, const Listener& listener)
        : gvk(gvk), whole(keep_whole), taken_over(others), informer(std::move(client), options(gvk, listener)) {
        const auto on = [this, &listener](const Object& o) { take(o, listener); };
        informer.add_handler({.added = [on](const Object& o, bool) { on(o); },
                              .updated = [on](const Object&, const Object& o) { on(o); },
                              .deleted = [this, &listener](const Object& o) { drop(o.key(), listener); }});
    }

    kube::InformerOptions options(const kube::GroupVersionKind& kind, const Listener& listener) {
        kube::InformerOptions out{.target = {.gvk = kind, .label_selector = std::string(gitops::kOwnerName)}};
        out.project = [this](Object o) {
            Object small(Node::map({{"apiVersion", Node::string(o.api_version())}, {"kind", Node::string(o.kind())}}));
            const std::lock_guard lock(mutex);
            pending.insert_or_assign(o.key(), sighting_of(o, taken_over, whole));
            return small;
        };
        out.give_up = [this, &listener](const Error& e) { return is_gone(e, listener); };
        return out;
    }

    // The kind is not served any more, and has not been for a while. Its objects are gone, whether their ends were told or not.
    bool is_gone(const Error& refusal, const Listener& listener) {
        const auto now = steady_clock::now();
        if (refusal.code != ErrorCode::not_found) unknown_since.reset();
        else if (!unknown_since) unknown_since = now;
        if (!unknown_since || now - *unknown_since < kGoneAfter) return false;
        std::vector<kube::ObjectKey> rest;
        {
            const std::lock_guard lock(mutex);
            for (const auto& [key, sighting] : seen) rest.push_back(key);
        }
        ended = true;
        for (const kube::ObjectKey& key : rest) drop(key, listener);
        return true;
    }

    void take(const Object& o, const Listener& listener) {
        const kube::ObjectKey key = o.key();
        std::optional<Sighting> before, after;
        unknown_since.reset();
        {
            const std::lock_guard lock(mutex);
            const auto fresh = pending.extract(key);
            if (fresh.empty()) return;
            if (const auto at = seen.find(key); at != seen.end()) before = std::move(at->second);
            after = fresh.mapped();
            seen[key] = std::move(fresh.mapped());
        }
        listener(key, before, after);
    }
    void drop(const kube::ObjectKey& key, const Listener& listener) {
        std::optional<Sighting> before;
        {
            const std::lock_guard lock(mutex);
            pending.erase(key);
            const auto at = seen.find(key);
            if (at == seen.end()) return;
            before = std::move(at->second);
            seen.erase(at);
        }
        listener(key, before, std::nullopt);
    }

    const kube::GroupVersionKind gvk;
    const bool whole;
    const std::vector<std::string>& taken_over;
    std::atomic<bool> ended = false;
    std::optional<steady_clock::time_point> unknown_since = {}; // by the watch thread only
    mutable std::mutex mutex; // guards seen and pending
    std::unordered_map<kube::ObjectKey, Sighting> seen;
    std::unordered_map<kube::ObjectKey, Sighting> pending; // projected, not yet announced
    kube::Informer informer; // last: its thread uses all above
};

ManagedObjects::ManagedObjects(std::shared_ptr<kube::Client> client, std::vector<std::string> taken_over, Listener listener)
    : client_(std::move(client)), taken_over_(std::move(taken_over)), listener_(std::move(listener)) {}

ManagedObjects::~ManagedObjects() { stop(); }

void ManagedObjects::stop() {
    std::map<kube::GroupKind, Versions> kinds;
    {
        const std::lock_guard lock(mutex_);
        kinds.swap(kinds_);
    }
    for (auto& [kind, versions] : kinds)
        for (auto& [version, watched] : versions) watched->informer.stop();
}

ManagedObjects::Versions ManagedObjects::versions_of(const kube::GroupKind& kind) const {
    const std::lock_guard lock(mutex_);
    const auto at = kinds_.find(kind);
    return at != kinds_.end() ? at->second : Versions{};
}

// An informer is made and ended without our lock: its own comes before ours, since its handlers ask us.
void ManagedObjects::watch(const kube::GroupVersionKind& gvk, bool whole) {
    const auto fits = [&](const std::shared_ptr<Kind>& k) { return k && !k->ended && (k->whole || !whole); };
    for (;;) {
        const Versions now = versions_of(gvk.group_kind());
        const auto same = now.find(gvk.version);
        const std::shared_ptr<Kind> there = same != now.end() ? same->second : nullptr;
        if (fits(there) || (gvk.version.empty() && std::ranges::any_of(now, [&](const auto& e) { return fits(e.second); }))) return;
        const auto fresh = std::make_shared<Kind>(client_, gvk, whole || (there && there->whole), taken_over_, listener_);
        bool placed = false;
        {
            const std::lock_guard lock(mutex_);
            std::shared_ptr<Kind>& slot = kinds_[gvk.group_kind()][gvk.version];
            if (slot == there) slot = fresh, placed = true;
        }
        if (!placed) continue; // somebody came in between
        if (there) there->informer.stop();
        return fresh->informer.start();
    }
}

bool ManagedObjects::synced(const kube::GroupKind& kind) const {
    const Versions versions = versions_of(kind);
    return !versions.empty() && std::ranges::all_of(versions, [](const auto& e) { return e.second->informer.has_synced(); });
}

std::optional<Sighting> ManagedObjects::find(const kube::ObjectKey& key) const {
    std::optional<Sighting> found;
    for (const auto& [version, kind] : versions_of(key.group_kind())) {
        const std::lock_guard lock(kind->mutex);
        const auto at = kind->seen.find(key);
        if (at == kind->seen.end()) continue;
        found = at->second;
        if (!found->other_version) break;
    }
    return found;
}

std::size_t ManagedObjects::kinds() const {
    const std::lock_guard lock(mutex_);
    std::size_t n = 0;
    for (const auto& [kind, versions] : kinds_) n += static_cast<std::size_t>(std::ranges::count_if(versions, [](const auto& e) { return !e.second->ended; }));
    return n;
}

} // namespace weber::agent
