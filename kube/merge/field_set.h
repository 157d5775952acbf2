// A set of field paths, held in its wire form: the FieldsV1 map of metadata.managedFields is the set, nothing is converted.
// An element whose map is empty, or holds ".", is itself in the set.
//
// Values (copy on write, as Node); thread-safe as such. Set operations as in structured-merge-diff's fieldpath.Set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/base/node.h"

namespace weber::kube::merge {

class FieldSet {
public:
    FieldSet() : root_(Node::map()) {}
    // A FieldsV1 map; anything else is the empty set.
    explicit FieldSet(Node fields_v1) : root_(fields_v1.is_map() ? std::move(fields_v1) : Node::map()) {}

    [[nodiscard]] bool empty() const { return root_.empty(); }
    [[nodiscard]] const Node& fields_v1() const { return root_; }
    // Paths in `a` or `b`; in both; in `a` but not in `b` (that path exactly).
    friend FieldSet unite(const FieldSet& a, const FieldSet& b);
    friend FieldSet intersect(const FieldSet& a, const FieldSet& b);
    friend FieldSet subtract(const FieldSet& a, const FieldSet& b);
    // `a` without the paths of `b` and everything below them.
    friend FieldSet subtract_deep(const FieldSet& a, const FieldSet& b);
    // Only paths that no other path of the set runs through.
    [[nodiscard]] FieldSet leaves() const;
    // Every path as text (".spec.replicas"): per level the members, sorted by the wire form, then what is below.
    [[nodiscard]] std::vector<std::string> paths() const;
    // Keys sorted at every level, for a stable order on the wire.
    [[nodiscard]] Node sorted() const;

    friend bool operator==(const FieldSet& a, const FieldSet& b) { return a.root_ == b.root_; }

private:
    Node root_;
};

// One level of a set while it is built: is the path itself in it, and what lies below.
struct FieldSubset {
    bool member = false;
    Node children = Node::map();
    [[nodiscard]] bool empty() const { return !member && children.empty(); }
    // Puts `child` under `element`; an empty child is not put.
    void attach(Text element, FieldSubset child);
    [[nodiscard]] Node to_node() &&;
};

// Reading one level: is `child` (a value in a FieldsV1 map) itself a member?
inline bool is_member(const Node& child) { return child.empty() || child.contains("."); }

} // namespace weber::kube::merge
