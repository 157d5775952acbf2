// status.inventory: what a Kustomization has applied (apply.md 8, kustomization.md 3.5).
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <vector>

#include "gitops/reconcile/changes.h"
#include "kube/base/node.h"
#include "kube/base/object_key.h"

namespace weber::gitops {

struct InventoryEntry {
    kube::ObjectKey key;
    std::string version;
};
using Inventory = std::vector<InventoryEntry>;

// Of a Kustomization's status; absent: empty. Error: `unable to parse stored object metadata: …`.
Result<Inventory> read_inventory(const Node& status);
// The same, but what cannot be parsed is left out, its ids added to `unreadable`.
Inventory readable_inventory(const Node& status, std::vector<std::string>& unreadable);
Node write_inventory(const Inventory& inventory);

// One entry a change, skipped and unchanged included.
Inventory inventory_of(const std::vector<Change>& changes);
// Entries of `old` whose object `now` does not hold, in delete order (reverse apply order). A changed API version is not stale.
Inventory stale(const Inventory& old, const Inventory& now);

} // namespace weber::gitops
