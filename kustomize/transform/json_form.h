// What a tree becomes when kustomize takes it through JSON and back, as JSON patches do: numbers are doubles, dates are texts,
// quotes and the ways to write a null are forgotten.
//
// Pure and thread-safe.
#pragma once

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kustomize {

// In place; parts that stay as they are stay shared. Fails for numbers that JSON cannot say ("json: unsupported value: +Inf").
// Source: kyaml RNode.MarshalJSON, UnmarshalJSON.
Result<void> through_json(Node& tree);

// In place, as Go decodes YAML and encodes JSON: the shortest form of a number (3.50 is 3.5, 1e3 is 1000), whole numbers in decimal
// and exact up to 64 bits, an unquoted date with its time, every string quoted. Numbers that JSON cannot say stay.
// Source: kyaml RNode.Map, encoding/json.
void to_json_values(Node& tree);

} // namespace weber::kustomize
