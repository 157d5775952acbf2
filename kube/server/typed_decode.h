// What decoding JSON into a Go struct and writing it again does to an object: unknown fields and nulls vanish, empty values vanish or
// stand where Go leaves them, quantities take their canonical form, misfits are errors.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kube/base/schema.h"

namespace weber::kube::server {

struct Decoded {
    std::vector<std::string> unknown; // "spec.foo", in the order met
};

// Drops from `value` what `type` does not declare, nulls (unless nullable) and empty values that Go omits. Errors: invalid, worded as
// encoding/json does ("json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32").
// `custom`: the pruning of custom resources: nothing is a type error here (validation tells), nulls of nullable fields stay.
Result<Decoded> decode_typed(Node& value, const TypeSchema& type, bool custom);

// The fields that Go always writes: `{}` of structs, zero values without omitempty. Built-in types only. `stored`: also what storing does:
// an empty list is kept as none.
void complete_typed(Node& value, const TypeSchema& type, bool stored = true);

} // namespace weber::kube::server
