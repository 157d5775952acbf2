#include "kustomize/order.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace weber::kustomize {
namespace {

const LegacySortOptions& default_order() {
    static const LegacySortOptions options{
        .order_first = {"Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount",
                        "PodSecurityPolicy", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap",
                        "Secret", "Endpoints", "Service", "LimitRange", "PriorityClass", "PersistentVolume",
                        "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget"},
        .order_last = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}};
    return options;
}

using Ranks = std::unordered_map<std::string_view, int>;

Ranks ranks_of(const LegacySortOptions& options) {
    Ranks ranks;
    int n = -static_cast<int>(options.order_first.size());
    for (const std::string& kind : options.order_first) ranks[kind] = n++;
    n = 1;
    for (const std::string& kind : options.order_last) ranks[kind] = n++;
    return ranks;
}

std::string_view or_else(std::string_view text, std::string_view fallback) { return text.empty() ? fallback : text; }

// Computed once per resource; compared often.
struct SortKey {
    int rank = 0;
    bool core_namespace = false; // kind Namespace of the core group sorts the other way round among Namespaces
    std::string gvk;
    std::string id;
    Gvk exact;
    Resource* resource = nullptr;
};

SortKey key_of(Resource& r, const Ranks& ranks) {
    const ResId& id = r.cur_id();
    SortKey key;
    auto rank = ranks.find(id.gvk.kind());
    key.rank = rank == ranks.end() ? 0 : rank->second;
    key.core_namespace = id.gvk.kind() == "Namespace" && id.gvk.group().empty();
    key.gvk.append(or_else(id.gvk.group(), "~G")).append("_");
    key.gvk.append(or_else(id.gvk.version(), "~V")).append("_").append(or_else(id.gvk.kind(), "~K"));
    key.id.append(id.gvk.to_string()).append("|").append(or_else(id.ns, "~X")).append("|").append(or_else(id.name, "~N"));
    key.exact = id.gvk;
    key.resource = &r;
    return key;
}

bool legacy_less(const SortKey& a, const SortKey& b) {
    if (a.exact == b.exact) return a.id < b.id;
    if (a.rank != b.rank) return a.rank < b.rank;
    bool both_namespaces = a.exact.kind() == "Namespace" && b.exact.kind() == "Namespace";
    if (both_namespaces && (a.core_namespace || b.core_namespace)) return a.gvk > b.gvk;
    return a.gvk < b.gvk;
}

Result<void> check(const SortOptions& options) {
    if (options.order != SortOrder::fifo && options.order != SortOrder::legacy)
        return fail(ErrorCode::invalid, "the field 'sortOptions.order' must be one of [fifo, legacy]", options.where);
    if (options.order == SortOrder::fifo && options.legacy)
        return fail(ErrorCode::invalid, "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'", options.where);
    return {};
}

} // namespace

Result<void> sort_resources(ResourceSet& resources, const SortOptions& options) {
    TRY_VOID(check(options));
    if (options.order == SortOrder::fifo) return {};
    const Ranks ranks = ranks_of(options.legacy ? *options.legacy : default_order());
    std::vector<SortKey> keys;
    keys.reserve(resources.size());
    for (const auto& r : resources.all()) keys.push_back(key_of(*r, ranks));
    std::ranges::stable_sort(keys, legacy_less);
    std::vector<Resource*> sorted;
    sorted.reserve(keys.size());
    for (const SortKey& key : keys) sorted.push_back(key.resource);
    resources.reorder(sorted);
    return {};
}

} // namespace weber::kustomize
