#include "gitops/reconcile/inventory.h"

#include <algorithm>
#include <unordered_set>

#include "gitops/reconcile/order.h"

namespace weber::gitops {

Result<Inventory> read_inventory(const Node& status) {
    Inventory out;
    const Node* entries = status.find_path({"inventory", "entries"});
    if (entries == nullptr) return out;
    for (const Node& e : entries->items()) {
        TRY(kube::ObjectKey key, kube::ObjectKey::from_inventory_id(e.text_at("id")));
        out.push_back({std::move(key), std::string(e.text_at("v"))});
    }
    return out;
}

Inventory readable_inventory(const Node& status, std::vector<std::string>& unreadable) {
    Inventory out;
    const Node* entries = status.find_path({"inventory", "entries"});
    if (entries == nullptr) return out;
    for (const Node& e : entries->items()) {
        if (auto key = kube::ObjectKey::from_inventory_id(e.text_at("id"))) out.push_back({std::move(*key), std::string(e.text_at("v"))});
        else unreadable.emplace_back(e.text_at("id"));
    }
    return out;
}

Node write_inventory(const Inventory& inventory) {
    Node entries = Node::list();
    for (const InventoryEntry& e : inventory)
        entries.push_back(Node::map({{"id", Node::string(e.key.inventory_id())}, {"v", Node::string(e.version)}}));
    return Node::map({{"entries", std::move(entries)}});
}

Inventory inventory_of(const std::vector<Change>& changes) {
    Inventory out;
    for (const Change& c : changes) out.push_back({c.key, c.version});
    return out;
}

Inventory stale(const Inventory& old, const Inventory& now) {
    std::unordered_set<kube::ObjectKey> kept;
    for (const InventoryEntry& e : now) kept.insert(e.key);
    Inventory out;
    for (const InventoryEntry& e : old)
        if (!kept.contains(e.key)) out.push_back(e);
    std::ranges::stable_sort(out, [](const InventoryEntry& a, const InventoryEntry& b) { return applies_before(b.key, a.key); });
    return out;
}

} // namespace weber::gitops
