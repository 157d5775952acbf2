// What becomes of numbers on Flux's way from YAML through JSON and kyaml to an object: float64 in the middle.
//
// Pure and thread-safe.
#pragma once

#include <optional>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::gitops {

// 0755 → 493, 1e3 → 1000, 1.10 → 1.1, integers beyond 2^53 rounded. Error invalid: .inf and .nan, which JSON has not.
Result<void> numbers_through_json(Node& node);

// The same for one number. nullopt: .inf or .nan.
std::optional<Node> number_through_json(const Node& number);

// True when `number` stays as it is.
bool number_is_canonical(const Node& number);

} // namespace weber::gitops
