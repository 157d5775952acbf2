#include "gitops/reconcile/order.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "kube/base/ascii.h"

namespace weber::gitops {

namespace {

constexpr std::array<std::string_view, 23> kFirst{
    "CustomResourceDefinition", "Namespace", "ClusterRole", "ClusterClass", "RuntimeClass", "PriorityClass", "StorageClass", "VolumeSnapshotClass",
    "IngressClass", "GatewayClass", "ClusterRoleBinding", "ResourceQuota", "ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Secret", "Service",
    "LimitRange", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget"};

// Kinds of the first stage are compared without case, as upstream does.
bool is_definition(const Object& o) {
    if (kube::same_but_case(o.kind(), "CustomResourceDefinition")) return o.group() == "apiextensions.k8s.io";
    if (kube::same_but_case(o.kind(), "Namespace")) return o.api_version() == "v1";
    return kube::same_but_case(o.kind(), "ClusterRole") && o.group() == "rbac.authorization.k8s.io";
}

} // namespace

int kind_rank(std::string_view kind) {
    for (std::size_t i = 0; i < kFirst.size(); ++i)
        if (kFirst[i] == kind) return static_cast<int>(i) - static_cast<int>(kFirst.size());
    if (kind == "MutatingWebhookConfiguration") return 1;
    return kind == "ValidatingWebhookConfiguration" ? 2 : 0;
}

bool applies_before(const kube::ObjectKey& a, const kube::ObjectKey& b) {
    const int x = kind_rank(a.kind), y = kind_rank(b.kind);
    return x != y ? x < y : std::tie(a.group, a.kind, a.ns, a.name) < std::tie(b.group, b.kind, b.ns, b.name);
}

std::vector<Stage> stages_of(std::vector<Object> objects, std::span<const kube::GroupKind> custom) {
    // Keys once, not at every comparison.
    std::vector<std::pair<kube::ObjectKey, std::size_t>> order;
    order.reserve(objects.size());
    for (std::size_t i = 0; i < objects.size(); ++i) order.emplace_back(objects[i].key(), i);
    std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return applies_before(a.first, b.first); });

    const auto is_custom = [&](const kube::ObjectKey& key) { return std::ranges::find(custom, key.group_kind()) != custom.end(); };
    std::array<Stage, 4> stages{Stage{"definitions", true, {}}, Stage{"classes", true, {}}, Stage{"custom", false, {}}, Stage{"rest", false, {}}};
    for (const auto& [key, i] : order) {
        const std::size_t stage = is_definition(objects[i]) ? 0 : key.kind.ends_with("Class") ? 1 : is_custom(key) ? 2 : 3;
        stages[stage].objects.push_back(std::move(objects[i]));
    }
    std::vector<Stage> out;
    for (Stage& s : stages)
        if (!s.objects.empty() || s.name == "rest") out.push_back(std::move(s));
    return out;
}

} // namespace weber::gitops
