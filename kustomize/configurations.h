// The rules transforms follow: kustomize's defaults, files listed under `configurations`, and what `crds` declare.
//
// Pure but for reading files. Configurations are shared and never changed.
#pragma once

#include <memory>
#include <vector>

#include "kube/base/error.h"
#include "kustomize/kustomization.h"
#include "kustomize/loader.h"
#include "kustomize/types.h"

namespace weber::kustomize {

using SharedConfig = std::shared_ptr<const TransformerConfig>;

// The defaults, with the given files merged in.
Result<SharedConfig> load_configurations(const Loader& loader, const std::vector<ListEntry>& files);

// Field specs that OpenAPI definitions of custom kinds declare (x-kubernetes-annotation, -label-selector, -identity,
// -object-ref-kind…), and nothing else.
Result<SharedConfig> load_crds(const Loader& loader, const std::vector<ListEntry>& files);

// Both together; null stands for none. Free when `b` is null or both are the same. "conflicting fieldspecs" when one field has two
// values of `create`.
Result<SharedConfig> merge_configs(const SharedConfig& a, const SharedConfig& b);

} // namespace weber::kustomize
