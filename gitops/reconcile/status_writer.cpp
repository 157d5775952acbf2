#include "gitops/reconcile/status_writer.h"

#include <algorithm>
#include <array>

#include "gitops/api/names.h"
#include "kube/pause.h"

namespace weber::gitops {

namespace {

constexpr int kTries = 5;
constexpr std::chrono::milliseconds kPause{100};
constexpr std::array<std::string_view, 4> kOwnConditions{"Ready", "Reconciling", "Stalled", "Healthy"};
constexpr std::array<std::string_view, 8> kFields{"conditions",          "history",           "inventory",           "lastAppliedOriginRevision",
                                                  "lastAppliedRevision", "lastAttemptedRevision", "lastHandledReconcileAt", "observedGeneration"};

bool is_own(const Condition& c) { return std::ranges::find(kOwnConditions, c.type) != kOwnConditions.end(); }

// Ours as wanted, others' as they are now.
KustomizationStatus with_others_conditions(KustomizationStatus wanted, const Object& live) {
    const auto now = read_status(live);
    if (!now) return wanted;
    std::erase_if(wanted.conditions, [](const Condition& c) { return !is_own(c); });
    for (const Condition& c : now->conditions)
        if (!is_own(c)) wanted.conditions.push_back(c);
    return wanted;
}

// `want` as a merge patch brings `have` to it: what it lacks is deleted by null.
Node in_place_of(const Node& have, const Node& want) {
    Node out = want;
    if (!have.is_map() || !want.is_map()) return out;
    for (const auto& [key, value] : have.entries()) {
        const Node* wanted = want.find(key.str());
        out.set(key.str(), wanted != nullptr ? in_place_of(value, *wanted) : Node::null());
    }
    return out;
}

// The fields that differ; an absent one is deleted by null.
Node difference(const Node* have, const Node& want, std::span<const std::string_view> fields) {
    Node out = Node::map();
    for (std::string_view field : fields) {
        const Node* a = have != nullptr ? have->find(field) : nullptr;
        const Node* b = want.find(field);
        if (b == nullptr && a != nullptr) out.set(field, Node::null());
        if (b != nullptr && (a == nullptr || !(*a == *b))) out.set(field, a != nullptr ? in_place_of(*a, *b) : *b);
    }
    return out;
}

Node locked(const Object& live) { return Node::map({{"resourceVersion", Node::string(live.resource_version())}}); }

Result<kube::Written> patch_finalizers(kube::Client& client, const Object& live, Node list, std::string_view manager, const kube::Call& call) {
    Node metadata = locked(live);
    metadata.set("finalizers", std::move(list));
    return client.patch(kube::ref_of(live), kube::PatchType::merge, Node::map({{"metadata", std::move(metadata)}}),
                        {.field_manager = std::string(manager)}, call);
}

} // namespace

Result<Object> patch_status_fields(kube::Client& client, const Object& live, const std::function<Node(const Object& live)>& wanted,
                                   std::span<const std::string_view> fields, std::string_view manager, const kube::Call& call) {
    Object now = live;
    for (int attempt = 1;; ++attempt) {
        const Node changed = difference(now.root().find("status"), wanted(now), fields);
        if (changed.empty()) return now;
        auto written = client.patch(kube::ref_of(now), kube::PatchType::merge, Node::map({{"metadata", locked(now)}, {"status", changed}}),
                                    {.field_manager = std::string(manager), .subresource = "status"}, call);
        if (written) return std::move(written->object);
        if (written.error().code != ErrorCode::conflict || attempt == kTries) return fail(std::move(written.error()));
        if (!kube::pause_for(kPause, call.stop)) return fail(ErrorCode::cancelled, "stopped");
        TRY(Object again, client.get(kube::ref_of(now), {}, call));
        if (!live.uid().empty() && again.uid() != live.uid())
            return fail(Error{.code = ErrorCode::not_found, .message = kube::ref_of(live).key().subject() + " was deleted and made anew meanwhile"});
        now = std::move(again);
    }
}

Result<Object> patch_status(kube::Client& client, const Object& live, const KustomizationStatus& status, const kube::Call& call) {
    const auto wanted = [&](const Object& now) { return write_status(with_others_conditions(status, now)); };
    return patch_status_fields(client, live, wanted, kFields, kStatusManager, call);
}

bool has_finalizer(const Object& object) {
    const Node* list = object.at({"metadata", "finalizers"});
    return list != nullptr && std::ranges::any_of(list->items(), [](const Node& f) { return f.text() == kFinalizer; });
}

Result<Object> add_finalizer(kube::Client& client, const Object& live, const kube::Call& call, std::string_view manager) {
    if (has_finalizer(live)) return live;
    const Node* have = live.at({"metadata", "finalizers"});
    Node list = have != nullptr ? *have : Node::list();
    list.push_back(Node::string(kFinalizer));
    TRY(kube::Written written, patch_finalizers(client, live, std::move(list), manager, call));
    return std::move(written.object);
}

Result<void> remove_finalizer(kube::Client& client, const Object& live, const kube::Call& call, std::string_view manager) {
    Object now = live;
    for (int attempt = 1; has_finalizer(now); ++attempt) {
        Node list = Node::list();
        for (const Node& f : now.at({"metadata", "finalizers"})->items())
            if (f.text() != kFinalizer) list.push_back(f);
        auto written = patch_finalizers(client, now, std::move(list), manager, call);
        if (written || written.error().code == ErrorCode::not_found) return {};
        if (written.error().code != ErrorCode::conflict || attempt == kTries) return fail(std::move(written.error()));
        if (!kube::pause_for(kPause, call.stop)) return fail(ErrorCode::cancelled, "stopped");
        auto again = client.find(kube::ref_of(now), {}, call);
        if (!again) return fail(std::move(again.error()));
        if (!*again) return {};
        now = std::move(**again);
    }
    return {};
}

} // namespace weber::gitops
