#include "kube/merge/field_set.h"

#include "kube/merge/path_element.h"

namespace weber::kube::merge {

namespace {

constexpr std::string_view kSelf = ".";

Node unite_children(const Node& a, const Node& b);

Node unite_child(const Node& x, const Node& y) {
    if (x.same_tree(y)) return x;
    FieldSubset s;
    s.member = is_member(x) || is_member(y);
    s.children = unite_children(x, y);
    return std::move(s).to_node();
}

Node unite_children(const Node& a, const Node& b) {
    if (b.empty() && a.is_map() && !a.contains(kSelf)) return a;
    Node out = a;
    out.erase(kSelf);
    if (out.is_null()) out = Node::map();
    for (const auto& [key, child] : b.entries()) {
        if (key == kSelf) continue;
        if (const Node* mine = out.find(key)) out.set(key, unite_child(*mine, child));
        else out.append_unchecked(key, child);
    }
    return out;
}

Node intersect_children(const Node& a, const Node& b) {
    Node out = Node::map();
    for (const auto& [key, child] : a.entries()) {
        const Node* other = key == kSelf ? nullptr : b.find(key);
        if (other == nullptr) continue;
        FieldSubset s;
        s.member = is_member(child) && is_member(*other);
        s.children = intersect_children(child, *other);
        if (!s.empty()) out.append_unchecked(key, std::move(s).to_node());
    }
    return out;
}

enum class Depth { exact, deep };

Node subtract_children(const Node& a, const Node& b, Depth depth) {
    Node out = Node::map();
    for (const auto& [key, child] : a.entries()) {
        if (key == kSelf) continue;
        const Node* other = b.find(key);
        if (other == nullptr) {
            out.append_unchecked(key, child);
            continue;
        }
        if (depth == Depth::deep && is_member(*other)) continue;
        FieldSubset s;
        s.member = is_member(child) && !is_member(*other);
        s.children = subtract_children(child, *other, depth);
        if (!s.empty()) out.append_unchecked(key, std::move(s).to_node());
    }
    return out;
}

Node leaves_of(const Node& children) {
    Node out = Node::map();
    for (const auto& [key, child] : children.entries()) {
        if (key == kSelf) continue;
        Node below = leaves_of(child);
        if (!below.empty() || is_member(child)) out.append_unchecked(key, std::move(below));
    }
    return out;
}

// The members of a level come before what lies below them, as structured-merge-diff iterates.
void collect(const Node& children, const std::string& prefix, std::vector<std::string>& out) {
    for (const auto& [key, child] : children.entries())
        if (key != kSelf && is_member(child)) out.push_back(prefix + element_to_string(key));
    for (const auto& [key, child] : children.entries())
        if (key != kSelf) collect(child, prefix + element_to_string(key), out);
}

} // namespace

FieldSet unite(const FieldSet& a, const FieldSet& b) { return FieldSet(unite_children(a.root_, b.root_)); }
FieldSet intersect(const FieldSet& a, const FieldSet& b) { return FieldSet(intersect_children(a.root_, b.root_)); }
FieldSet subtract(const FieldSet& a, const FieldSet& b) { return b.empty() ? a : FieldSet(subtract_children(a.root_, b.root_, Depth::exact)); }
FieldSet subtract_deep(const FieldSet& a, const FieldSet& b) { return b.empty() ? a : FieldSet(subtract_children(a.root_, b.root_, Depth::deep)); }
FieldSet FieldSet::leaves() const { return FieldSet(leaves_of(root_)); }

std::vector<std::string> FieldSet::paths() const {
    std::vector<std::string> out;
    collect(sorted(), "", out);
    return out;
}

Node FieldSet::sorted() const {
    Node out = root_;
    out.sort_keys_deep();
    return out;
}

void FieldSubset::attach(Text element, FieldSubset child) {
    if (!child.empty()) children.append_unchecked(std::move(element), std::move(child).to_node());
}

Node FieldSubset::to_node() && {
    if (!member || children.empty()) return std::move(children);
    Node out = Node::map();
    out.reserve(children.size() + 1);
    static const Text self(kSelf);
    out.append_unchecked(self, Node::map());
    for (const auto& [key, child] : children.entries()) out.append_unchecked(key, child);
    return out;
}

} // namespace weber::kube::merge
