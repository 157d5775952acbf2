// The replacement transform: values copied from one object's field (or given) to fields of others.
#pragma once

#include <vector>

#include "kube/base/error.h"
#include "kustomize/resource_set.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// In order; each sees what the earlier ones wrote. Error texts are kustomize's ("nothing selected by …", "multiple matches
// for selector …", "fieldPath `…` is missing for replacement source …", "unable to find field … in replacement target").
// Source: kustomize filters/replacement.
Result<void> apply_replacements(ResourceSet& resources, const std::vector<Replacement>& replacements);

} // namespace weber::kustomize
