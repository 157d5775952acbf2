#include "agent/managed_objects.h"

#include <unordered_map>

#include "gitops/api/names.h"
#include "gitops/reconcile/owned_fields.h"

namespace weber::agent {

namespace {

Sighting sighting_of(const Object& o, bool whole) {
    Sighting s{.uid = std::string(o.uid()), .resource_version = std::string(o.resource_version()), .owned = gitops::owned_hash(o),
               .owner = {std::string(o.label(gitops::kOwnerNamespace)), std::string(o.label(gitops::kOwnerName))}};
    if (auto status = kube::compute_flux_status(o)) s.status = std::move(*status);
    else s.status_error = status.error().message;
    s.status.conditions.clear();
    if (whole) s.whole = o;
    return s;
}

} // namespace

// The informer keeps next to nothing; what counts lies in `seen`.
struct ManagedObjects::Kind {
    Kind(std::shared_ptr<kube::Client> client, const kube::GroupVersionKind& gvk, bool keep_whole, const Listener& listener)
        : gvk(gvk), whole(keep_whole), informer(std::move(client), options(gvk)) {
        const auto on = [this, &listener](const Object& o) { take(o, listener); };
        informer.add_handler({.added = [on](const Object& o, bool) { on(o); },
                              .updated = [on](const Object&, const Object& o) { on(o); },
                              .deleted = [this, &listener](const Object& o) { drop(o.key(), listener); }});
    }

    kube::InformerOptions options(const kube::GroupVersionKind& kind) {
        kube::InformerOptions out{.target = {.gvk = kind, .label_selector = std::string(gitops::kOwnerName)}};
        out.project = [this](Object o) {
            Object small(Node::map({{"apiVersion", Node::string(o.api_version())}, {"kind", Node::string(o.kind())}}));
            const std::lock_guard lock(mutex);
            pending.insert_or_assign(o.key(), sighting_of(o, whole));
            return small;
        };
        return out;
    }

    void take(const Object& o, const Listener& listener) {
        const kube::ObjectKey key = o.key();
        std::optional<Sighting> before, after;
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
    mutable std::mutex mutex; // guards seen and pending
    std::unordered_map<kube::ObjectKey, Sighting> seen;
    std::unordered_map<kube::ObjectKey, Sighting> pending; // projected, not yet announced
    kube::Informer informer; // last: its thread uses all above
};

ManagedObjects::ManagedObjects(std::shared_ptr<kube::Client> client, Listener listener) : client_(std::move(client)), listener_(std::move(listener)) {}

ManagedObjects::~ManagedObjects() { stop(); }

void ManagedObjects::stop() {
    std::map<kube::GroupKind, std::shared_ptr<Kind>> kinds;
    {
        const std::lock_guard lock(mutex_);
        kinds.swap(kinds_);
    }
    for (auto& [key, kind] : kinds) kind->informer.stop();
}

std::shared_ptr<ManagedObjects::Kind> ManagedObjects::kind_of(const kube::GroupKind& kind) const {
    const std::lock_guard lock(mutex_);
    const auto at = kinds_.find(kind);
    return at != kinds_.end() ? at->second : nullptr;
}

// An informer is made and ended without our lock: its own comes before ours, since its handlers ask us.
void ManagedObjects::watch(const kube::GroupVersionKind& gvk, bool whole) {
    const auto fits = [&](const std::shared_ptr<Kind>& k) { return k && (gvk.version.empty() || k->gvk.version == gvk.version) && (k->whole || !whole); }; // an empty version: any
    std::shared_ptr<Kind> there = kind_of(gvk.group_kind());
    while (!fits(there)) {
        const auto fresh = std::make_shared<Kind>(client_, gvk, whole || (there && there->whole), listener_);
        std::shared_ptr<Kind> now;
        {
            const std::lock_guard lock(mutex_);
            std::shared_ptr<Kind>& slot = kinds_[gvk.group_kind()];
            now = slot;
            if (now == there) slot = fresh;
        }
        if (now == there) {
            if (there) there->informer.stop();
            return fresh->informer.start();
        }
        there = std::move(now); // of somebody who came in between
    }
}

bool ManagedObjects::synced(const kube::GroupKind& kind) const {
    const auto k = kind_of(kind);
    return k && k->informer.has_synced();
}

std::optional<Sighting> ManagedObjects::find(const kube::ObjectKey& key) const {
    const auto kind = kind_of(key.group_kind());
    if (!kind) return std::nullopt;
    const std::lock_guard lock(kind->mutex);
    const auto at = kind->seen.find(key);
    return at != kind->seen.end() ? std::optional(at->second) : std::nullopt;
}

std::size_t ManagedObjects::kinds() const {
    const std::lock_guard lock(mutex_);
    return kinds_.size();
}

} // namespace weber::agent
