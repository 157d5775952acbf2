#include "gitops/reconcile/takeover.h"

#include <algorithm>
#include <array>

#include "gitops/api/names.h"
#include "kube/base/json_patch.h"
#include "kube/merge/field_set.h"

namespace weber::gitops {

namespace {

constexpr std::array<std::string_view, 3> kAnnotations{"kubectl.kubernetes.io/last-applied-configuration", "kustomize.toolkit.fluxcd.io/checksum",
                                                       "fluxcd.io/sync-checksum"};
constexpr std::array<std::string_view, 1> kLabels{"fluxcd.io/sync-gc-mark"};

struct Manager {
    std::string_view prefix;
    std::string_view operation;
};
constexpr std::array<Manager, 4> kManagers{
    {{"kubectl", "Apply"}, {"kubectl", "Update"}, {"before-first-apply", "Update"}, {"kustomize-controller", "Update"}}};

template <std::size_t N>
void remove_keys(const Object& live, std::string_view field, const std::array<std::string_view, N>& keys, Node& patch) {
    const Node* have = live.at({"metadata", field});
    if (have == nullptr) return;
    for (std::string_view key : keys)
        if (have->contains(key))
            patch.push_back(Node::map({{"op", Node::string("remove")}, {"path", Node::string("/metadata/" + std::string(field) + "/" + kube::escape_json_pointer(key))}}));
}

bool is_ours(const Node& entry) { return entry.text_at("manager") == kFieldManager && entry.text_at("operation") == "Apply"; }

Node fields_of(const Node& entry) {
    const Node* fields = entry.find("fieldsV1");
    return fields != nullptr ? *fields : Node::map();
}

// The rewritten list; null when no entry has to be taken.
Node taken_over(const Node& entries, std::span<const std::string> others_to_take) {
    Node others = Node::list();
    Node ours; // null until there is one
    bool any = false;
    for (const Node& e : entries.items())
        if (is_ours(e)) ours = e;
    for (const Node& e : entries.items()) {
        if (is_ours(e)) continue;
        if (!is_taken_over(e, others_to_take)) {
            others.push_back(e);
            continue;
        }
        any = true;
        if (ours.is_null()) {
            ours = e;
            ours.set("manager", Node::string(kFieldManager));
            ours.set("operation", Node::string("Apply"));
        } else {
            ours.set("fieldsV1", unite(kube::merge::FieldSet(fields_of(ours)), kube::merge::FieldSet(fields_of(e))).fields_v1());
        }
    }
    if (!any) return {};
    others.push_back(std::move(ours));
    return others;
}

} // namespace

bool is_taken_over(const Node& entry, std::span<const std::string> others) {
    if (!entry.text_at("subresource").empty()) return false;
    for (const Manager& m : kManagers)
        if (entry.text_at("operation") == m.operation && entry.text_at("manager").starts_with(m.prefix)) return true;
    return std::ranges::any_of(others, [&](const std::string& name) { return entry.text_at("manager").starts_with(name); });
}

Node takeover_patch(const Object& live, std::span<const std::string> others) {
    Node patch = Node::list();
    remove_keys(live, "annotations", kAnnotations, patch);
    remove_keys(live, "labels", kLabels, patch);
    if (const Node* entries = live.at({"metadata", "managedFields"})) {
        Node list = taken_over(*entries, others);
        if (!list.is_null())
            patch.push_back(Node::map({{"op", Node::string("replace")}, {"path", Node::string("/metadata/managedFields")}, {"value", std::move(list)}}));
    }
    return patch;
}

} // namespace weber::gitops
