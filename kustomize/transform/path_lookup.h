// Finds one field by a path of parts, as kyaml's PathGetter does: field names, element numbers, "-" (the last element),
// "[key=value]" (the first element with exactly that value).
//
// Pure and thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kustomize {

// nullptr when nothing is there. Errors: a field name in a list, an element in a map, "*", a negative number.
Result<const Node*> lookup(const Node& root, std::span<const std::string> path);

// The same for changing: missing fields become maps, lists or, at the end, an empty scalar; missing "[key=value]" elements are
// appended. nullptr when the path leads through a null, or to an element by number that is not there.
Result<Node*> lookup_create(Node& root, std::span<const std::string> path);

// What a part of a path is.
[[nodiscard]] bool is_list_part(std::string_view part);                     // "[…]"
[[nodiscard]] std::optional<long> element_number(std::string_view part);    // "3", "-1"
struct ElementTest {
    std::string_view key, value;
};
Result<ElementTest> split_element_part(std::string_view part);              // "[key=value]"

// What a field becomes when it is created before this next part ("" : it is the last one): a list or a map.
[[nodiscard]] NodeKind created_kind(std::string_view next_part, NodeKind last);
[[nodiscard]] Node created_node(NodeKind kind);

} // namespace weber::kustomize
