// Which fields the transforms touch: kustomize's built-in tables, and how configurations are merged into them.
//
// Pure and thread-safe.
#pragma once

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// The built-in tables of kustomize 5.8, sorted by kind as kustomize sorts them, and settled: merging them into an empty configuration
// gives the same tables. Lives for ever. (default_field_specs.cpp)
const TransformerConfig& default_transformer_config();

// `a` and what `b` adds. Two specs of one field that disagree on `create`: "failed to merge … fieldSpec: conflicting fieldspecs".
Result<TransformerConfig> merge_configs(const TransformerConfig& a, const TransformerConfig& b);

// Adds to a list what it does not hold yet; same error, without prefix.
Result<void> merge_field_specs(FieldSpecs& specs, const FieldSpecs& more);

// What the definitions of a `crds:` file (a map from type name to OpenAPI schema, or {Schema: …}) say with
// x-kubernetes-annotation, -label-selector, -identity and -object-ref-* about their fields.
Result<TransformerConfig> config_from_crd(const Node& definitions);

} // namespace weber::kustomize
