// A CRD version's openAPIV3Schema as a TypeSchema.
//
// Pure and thread-safe.
#pragma once

#include <memory>

#include "kube/base/node.h"
#include "kube/base/schema.h"

namespace weber::kube::merge {

// `open_api`: spec.versions[].schema.openAPIV3Schema; null gives a schema that accepts anything. apiVersion, kind and metadata
// (ObjectMeta) are added at the root and in embedded resources. The result owns all it points to.
std::shared_ptr<const TypeSchema> crd_type(const Node& open_api);

} // namespace weber::kube::merge
