// Lists whose elements are found by keys: the small operations of kyaml that merging them is made of.
//
// Pure and thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kustomize {

// Merge keys and the values of one element, side by side. The only key of a set of scalars is "".
using KeyNames = std::vector<std::string_view>;
using KeyValues = std::vector<std::string>;

// The first element that has all these fields with these texts (kyaml: ElementMatcher); nullptr when none has.
const Node* find_element(const Node& list, std::span<const std::string_view> keys, std::span<const std::string> values);

// Replaces every element that matches by `element`, or removes it when `element` is nullptr; appends an element that matched
// nothing. Empty elements vanish. (kyaml: ElementSetter, with what it does when there are fewer values than keys.)
Result<void> set_element(std::vector<Node>& list, std::span<const std::string_view> keys, std::span<const std::string> values,
                         const Node* element);

// The text of each key in an element; "" where it is absent, null or empty.
KeyValues key_values(const Node& element, std::span<const std::string_view> keys);

// Fills gaps: two tuples that agree in one value and contradict in none become the union of both, wherever they stand.
void unify_values(std::vector<KeyValues>& tuples);

// True when the elements are distinct by the keys that occur, and each has all of those: then merging is simple.
bool is_regular(const Node& list, std::span<const std::string_view> keys);

} // namespace weber::kustomize
