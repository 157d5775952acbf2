// Strategic merge patch as kube-apiserver applies it (apimachinery's strategicpatch package): merge keys and strategies of the type,
// the directives $patch, $retainKeys, $setElementOrder and $deleteFromPrimitiveList.
//
// Pure and thread-safe.
#pragma once

#include <string>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kube/base/schema.h"

namespace weber::kube::server {

// `live` with `patch` merged in. Errors: invalid with http_status 400 for a misshaped patch, 500 for one that the real server does not
// classify (an element without its merge key), texts as there.
Result<Node> strategic_patch(const Node& live, const Node& patch, const TypeSchema& type);

// A value as Go's fmt prints it: map[a:b c:[1 2]].
std::string go_text(const Node& value);

} // namespace weber::kube::server
