// Apply order and stages (apply.md 2).
//
// Pure and thread-safe.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "kube/base/object.h"

namespace weber::gitops {

// Rank of a kind by its name: −23 … −1 for the listed kinds, 0 for all others, 1 and 2 for webhook configurations.
int kind_rank(std::string_view kind);

// Rank, then group, kind, namespace, name.
bool applies_before(const kube::ObjectKey& a, const kube::ObjectKey& b);

// Objects of one stage in apply order. `wait`: all must be Current before the next stage begins.
struct Stage {
    std::string_view name; // "definitions", "classes", "custom", "rest"
    bool wait = false;
    std::vector<Object> objects;
};

// CRDs, Namespaces and ClusterRoles; then kinds named …Class; then `custom` kinds; then the rest. Empty stages are left out, but the last.
std::vector<Stage> stages_of(std::vector<Object> objects, std::span<const kube::GroupKind> custom = {});

} // namespace weber::gitops
