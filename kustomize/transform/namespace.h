// The namespace transform.
#pragma once

#include "kube/base/error.h"
#include "kustomize/resource_set.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// Sets metadata.namespace of every object not known to be cluster scoped, the subjects of role bindings as `subjects` says, and
// the fields of the specs. Fails with "namespace transformation produces ID conflict" when two objects come to share an id.
// Source: kustomize NamespaceTransformer, filters/namespace.
Result<void> apply_namespace(ResourceSet& resources, const NamespaceOptions& options);

// The same on one object, without remembering its earlier id and without the check (ValueAddTransformer).
Result<void> set_object_namespace(Resource& resource, const NamespaceOptions& options);

} // namespace weber::kustomize
