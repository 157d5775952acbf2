// The replica count transform.
#pragma once

#include "kube/base/error.h"
#include "kustomize/resource_set.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// Sets the count on every object that has or had the name and the kind of a spec. Fails when there is none:
// "resource with name … does not match a config with the following GVK […]". Source: kustomize ReplicaCountTransformer.
Result<void> apply_replica(ResourceSet& resources, const Replica& replica, const FieldSpecs& specs);

} // namespace weber::kustomize
