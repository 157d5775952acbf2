// What Kubernetes' converter from maps to Go's structs says of a strategic merge patch's result that does not fit. Pure.
#pragma once

#include <string>

#include "kube/base/node.h"
#include "kube/base/schema.h"

namespace weber::kube::server {

// "cannot restore slice from map", "unrecognized type: int32" …; "" for what fits or is wrong in another way.
std::string restore_error(const Node& value, const TypeSchema& type);

} // namespace weber::kube::server
