// Name references: fields that hold another object's name follow its renaming.
#pragma once

#include <vector>

#include "kube/base/error.h"
#include "kustomize/resource_set.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// Rewrites every field of the back references that holds an earlier name of an object of the referred kind, choosing among
// candidates by namespace and by the prefixes and suffixes both went through. Cost: linear in fields that exist.
// Fails with "found multiple possible referrals: …" when several differ. Source: kustomize filters/nameref.
Result<void> fix_name_references(ResourceSet& resources, const std::vector<NameBackReference>& references);

} // namespace weber::kustomize
