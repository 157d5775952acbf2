// One step of a field path in its wire form (FieldsV1): `f:name`, `k:{"name":"a"}`, `v:"x"`, `i:0`.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kube/base/schema.h"

namespace weber::kube::merge {

// `f:` + name.
Text field_element(std::string_view name);

// The step that leads to `item` of an associative list (`list.list_type` set or map): `k:` with the keys present (or defaulted) in name order,
// or `v:` with the value. Errors (invalid): null or misshaped items, all keys missing; texts of structured-merge-diff.
Result<Text> item_element(const TypeSchema& list, const Node& item);

// For people: `.spec`, `[name="a"]`, `[="x"]`, `[0]`.
std::string element_to_string(std::string_view element);

} // namespace weber::kube::merge
