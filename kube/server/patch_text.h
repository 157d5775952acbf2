// What a patch makes of an object, as text: the real server quotes it when the result does not fit the type. Pure.
#pragma once

#include <string>

#include "kube/base/node.h"
#include "kube/base/schema.h"
#include "kube/server/patch_body.h"

namespace weber::kube::server {

// JSON of `next`, which a merge or JSON patch made of `live`. Maps that the patch looked into have sorted keys (json-patch reads them into Go's maps), what a
// JSON patch brought stays as sent, the rest has the order of Go's structs. `schema` null: a custom resource, a map altogether.
std::string patched_text(const Node& next, PatchType type, const Node& patch, const TypeSchema* schema);

} // namespace weber::kube::server
