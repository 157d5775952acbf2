// Labels and annotations: string maps set at the fields of the specs.
#pragma once

#include "kube/base/error.h"
#include "kustomize/resource_set.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// Sets every pair of `entries`, in key order, in the map at each field; creates it where the spec says so.
// Source: kustomize LabelTransformer and AnnotationsTransformer (one filter in all but name).
Result<void> apply_labels(ResourceSet& resources, const StringMap& entries, const FieldSpecs& specs);
Result<void> apply_annotations(ResourceSet& resources, const StringMap& entries, const FieldSpecs& specs);

// The specs of one `labels` entry: fields given by the user, then selectors and templates, or metadata and templates.
// Source: kustomize kusttarget_configplugin.go.
Result<FieldSpecs> label_field_specs(const Label& label, const TransformerConfig& config);

} // namespace weber::kustomize
