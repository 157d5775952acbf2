#include <unordered_map>

#include "kube/merge/path_element.h"
#include "kube/merge/shape.h"
#include "kube/merge/typed.h"

namespace weber::kube::merge {

namespace {

struct Difference {
    FieldSubset added, modified, removed;
    [[nodiscard]] bool none() const { return added.empty() && modified.empty() && removed.empty(); }
    void attach(const Text& element, Difference child) {
        added.attach(element, std::move(child.added));
        modified.attach(element, std::move(child.modified));
        removed.attach(element, std::move(child.removed));
    }
};

Difference compare(const Node* before, const Node* after, const TypeSchema& schema);

void compare_maps(const Node* before, const Node* after, const TypeSchema& schema, Difference& out) {
    const auto visit = [&](const Text& key, const Node* l, const Node* r) {
        Difference d = compare(l, r, member_type_or_deduced(schema, key));
        if (!d.none()) out.attach(field_element(key), std::move(d));
    };
    if (before != nullptr)
        for (const auto& [key, value] : before->entries()) visit(key, &value, after != nullptr ? after->find(key) : nullptr);
    if (after != nullptr)
        for (const auto& [key, value] : after->entries())
            if (before == nullptr || before->find(key) == nullptr) visit(key, nullptr, &value);
}

struct Sides {
    std::vector<const Node*> before, after;
};

// Items by key, in order of first sight; items without a usable key are left out (they are refused elsewhere).
void gather(const Node* list, const TypeSchema& schema, std::vector<const Node*> Sides::*side, std::unordered_map<Text, Sides>& all,
            std::vector<Text>& order) {
    if (list == nullptr) return;
    for (const Node& item : list->items()) {
        const auto key = item_element(schema, item);
        if (!key) continue;
        const auto [it, fresh] = all.try_emplace(*key);
        if (fresh) order.push_back(*key);
        (it->second.*side).push_back(&item);
    }
}

bool equal_items(const std::vector<const Node*>& a, const std::vector<const Node*>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!(*a[i] == *b[i])) return false;
    return true;
}

Difference compare_items(const Sides& s, const TypeSchema& type) {
    const auto first = [](const std::vector<const Node*>& v) { return v.empty() ? nullptr : v.front(); };
    if (s.before.size() <= 1 && s.after.size() <= 1) return compare(first(s.before), first(s.after), type);
    Difference d; // repeated keys: the whole item counts
    if (s.before.size() >= 2 && s.after.size() >= 2) {
        d.modified.member = !equal_items(s.before, s.after);
    } else if (s.before.size() >= 2) {
        if (!s.after.empty()) d = compare(nullptr, s.after.front(), type);
        d.removed.member = true;
    } else {
        if (!s.before.empty()) d = compare(s.before.front(), nullptr, type);
        d.added.member = true;
    }
    return d;
}

void compare_lists(const Node* before, const Node* after, const TypeSchema& schema, Difference& out) {
    std::unordered_map<Text, Sides> all;
    std::vector<Text> order;
    gather(before, schema, &Sides::before, all, order);
    gather(after, schema, &Sides::after, all, order);
    for (const Text& key : order) {
        Difference d = compare_items(all[key], item_type(schema));
        if (!d.none()) out.attach(key, std::move(d));
    }
}

Difference compare(const Node* before, const Node* after, const TypeSchema& schema) {
    Difference out;
    if (before != nullptr && after != nullptr && before->same_tree(*after)) return out;
    const Shape shape = shape_of(schema, after != nullptr ? after : before);
    const auto none = [](const Node* n) { return n == nullptr || n->empty(); };
    const bool leaf = shape == Shape::scalar || is_atomic(schema, shape) || (none(before) && none(after));
    if (leaf) {
        if (before == nullptr) out.added.member = true;
        else if (after == nullptr) out.removed.member = true;
        else out.modified.member = !(*before == *after);
        return out;
    }
    if (shape == Shape::map) compare_maps(before, after, schema, out);
    else compare_lists(before, after, schema, out);
    if (before == nullptr) out.added.member = true;
    else if (after == nullptr) out.removed.member = true;
    return out;
}

} // namespace

Comparison compare_values(const Node& before, const Node& after, const TypeSchema& schema) {
    static const Node empty = Node::map(); // a new object is compared with an empty one
    Difference d = compare(before.is_null() ? &empty : &before, after.is_null() ? &empty : &after, schema);
    return {FieldSet(std::move(d.added.children)), FieldSet(std::move(d.modified.children)), FieldSet(std::move(d.removed.children))};
}

} // namespace weber::kube::merge
