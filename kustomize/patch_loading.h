// Patches and replacements: their files read and their shape checked before anything changes.
#pragma once

#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kustomize/plugins.h"

namespace weber::kustomize {

// An entry of `patches`: exactly one of path and patch. Source: kustomize PatchTransformer.Config.
Result<Step> patch_step(Patch patch, const PluginContext& context);

// An entry of `patchesJson6902`: a target with a name, one of path and text. Source: PatchJson6902Transformer.Config.
Result<Step> patch_json6902_step(Patch patch, const PluginContext& context);

// `patchesStrategicMerge`: each entry is a patch itself or the path of a file of patches; `inlined` holds more patches.
// Source: PatchStrategicMergeTransformer.Config.
Result<Step> patches_strategic_merge_step(const std::vector<ListEntry>& entries, const ListEntry& inlined, const PluginContext& context);

// Inline replacements, and those of files (one, or a list).
Result<std::vector<Replacement>> load_replacements(const Loader& loader, const std::vector<ReplacementEntry>& entries);

} // namespace weber::kustomize
