#include "gitops/reconcile/prune.h"

#include <algorithm>
#include <unordered_set>

#include "gitops/api/names.h"
#include "gitops/reconcile/drift.h"
#include "gitops/reconcile/selectors.h"
#include "kube/watch.h"

namespace weber::gitops {

namespace {

kube::ObjectRef ref_to(const kube::ObjectKey& key, const std::string& version) {
    return {.gvk = {key.group, version, key.kind}, .ns = key.ns, .name = key.name};
}

Error failed(const kube::ObjectKey& key, std::string_view step, Error inner) {
    inner.object = key.subject();
    inner.message = key.subject() + " " + std::string(step) + ": " + inner.message;
    return inner;
}

// The object was applied since under another API group: under both it is one object, and not stale (apply.md 8.4).
bool has_moved(const Object& live, std::string_view group) {
    const Node* entries = live.at({"metadata", "managedFields"});
    if (entries == nullptr) return false;
    return std::ranges::any_of(entries->items(), [&](const Node& e) {
        const auto version = kube::GroupVersion::parse(e.text_at("apiVersion"));
        return e.text_at("manager") == kFieldManager && e.text_at("operation") == "Apply" && version && version->group != group;
    });
}

} // namespace

std::string reason_to_keep(const Object& live, const NamespacedName& owner) {
    if (live.label(kOwnerName) != owner.name || live.label(kOwnerNamespace) != owner.ns) return "does not belong to this Kustomization";
    if (never_pruned(live)) return "prune: disabled";
    if (is_excluded(live)) return "excluded by label or annotation";
    return {};
}

ChangeSet prune(kube::Client& client, const Inventory& entries, const NamespacedName& owner, const PruneSettings& settings, std::stop_token stop) {
    ChangeSet out;
    std::vector<kube::ObjectRef> refs;
    for (const InventoryEntry& e : entries) refs.push_back(ref_to(e.key, e.version));
    const auto live = client.get_all(refs, settings.concurrency, {}, {.stop = stop});
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (settings.progress) settings.progress(i, entries.size());
        const kube::ObjectKey& key = entries[i].key;
        Change change{.key = key, .version = entries[i].version, .action = Action::deleted, .reason = "gone from the source"};
        if (!live[i]) {
            if (live[i].error().http_status != 404) {
                change.action = Action::unknown;
                out.errors.push_back(failed(key, "query failed", live[i].error()));
            } else {
                change.reason = "was gone already";
            }
        } else if (std::string keep = reason_to_keep(*live[i], owner); !keep.empty()) {
            change.action = Action::skipped;
            change.reason = std::move(keep);
        } else if (has_moved(*live[i], key.group)) {
            change.action = Action::skipped;
            change.reason = "is applied under another API group now";
        } else if (settings.dry_run) {
            change.diff = diff_text(&*live[i], nullptr, settings.secret_values);
        } else {
            auto gone = client.remove(refs[i], {.propagation = kube::Propagation::background, .uid = std::string(live[i]->uid())}, {.stop = stop});
            if (!gone && gone.error().http_status == 404) {
                change.reason = "was gone already";
            } else if (!gone) {
                change.action = Action::unknown;
                out.errors.push_back(failed(key, "delete failed", std::move(gone.error())));
            }
        }
        out.changes.push_back(std::move(change));
    }
    return out;
}

Error prune_error(const ChangeSet& pruned) {
    Error out = pruned.errors.empty() ? Error{} : pruned.errors.front();
    out.message = "delete failed, errors: ";
    for (const Error& e : pruned.errors) out.message += e.message + ";";
    return out;
}

Result<void> wait_terminated(kube::Client& client, const ChangeSet& pruned, std::chrono::nanoseconds timeout, std::stop_token stop) {
    std::vector<kube::ObjectRef> refs;
    for (const Change& c : pruned.changes)
        if (c.action == Action::deleted) refs.push_back(ref_to(c.key, c.version));
    std::vector<bool> gone(refs.size());
    std::size_t left = refs.size();
    const auto on_change = [&](std::size_t i, const kube::Observation& seen) {
        if (seen.state == kube::Observation::State::absent && !gone[i]) gone[i] = true, --left;
        return left == 0;
    };
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(timeout);
    TRY(const kube::WaitEnd end, kube::wait_for(client, refs, on_change, {.timeout = limit}, std::move(stop)));
    if (end == kube::WaitEnd::satisfied) return {};
    const auto first = static_cast<std::size_t>(std::ranges::find(gone, false) - gone.begin());
    return fail(ErrorCode::timeout, refs[first].key().subject() + " termination timeout: context deadline exceeded");
}

Inventory survivors(const Inventory& entries, const ChangeSet& pruned) {
    std::unordered_set<kube::ObjectKey> settled;
    for (const Change& c : pruned.changes)
        if (c.action == Action::deleted || c.action == Action::skipped) settled.insert(c.key);
    Inventory out;
    std::ranges::copy_if(entries, std::back_inserter(out), [&](const InventoryEntry& e) { return !settled.contains(e.key); });
    return out;
}

} // namespace weber::gitops
