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

} // namespace weber::kustomize
