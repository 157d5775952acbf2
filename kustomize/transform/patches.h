// The patch transforms: `patches`, `patchesJson6902`, `patchesStrategicMerge`.
//
// A patch that deletes its target leaves it empty in the set (apply_patch without target) or removes it; the caller drops
// empty resources after each transform, as kustomize does.
#pragma once

#include <vector>

#include "kube/base/error.h"
#include "kustomize/resource_set.h"
#include "kustomize/transform/merge_schema.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// An entry of `patches` (PatchTransformer): the text is a strategic merge patch, or several documents of it, or a JSON patch in
// JSON or YAML. Strategic patches without target go to the object with their id, present or earlier.
Result<void> apply_patch(ResourceSet& resources, const Patch& patch, const MergeSchema& schema = MergeSchema::builtin());

// An entry of `patchesJson6902` (PatchJson6902Transformer).
Result<void> apply_patch_json6902(ResourceSet& resources, const Patch& patch);

// Documents of `patchesStrategicMerge` (PatchStrategicMergeTransformer): each goes to the object with its id.
Result<void> apply_patches_strategic_merge(ResourceSet& resources, const std::vector<Node>& patches,
                                           const MergeSchema& schema = MergeSchema::builtin());

} // namespace weber::kustomize
