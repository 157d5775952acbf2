// The order of the output: as it came (fifo), or by kind (legacy).
#pragma once

#include "kube/base/error.h"
#include "kustomize/resource_set.h"

namespace weber::kustomize {

// Applies `sortOptions`. Fails for an unknown order and for legacySortOptions without `order: legacy`, as kustomize words it.
Result<void> sort_resources(ResourceSet& resources, const SortOptions& options);

} // namespace weber::kustomize
