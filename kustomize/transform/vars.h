// The deprecated `vars`: $(NAME) in known fields becomes the value of an object's field.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kustomize/resource_set.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// Marks the object that each var reads (ref_var_names), so that later renaming does not lose it. Fails when several match:
// "found 2 resId matches for var … (unable to disambiguate)". Source: kustomize ResAccumulator.MergeVars.
Result<void> mark_var_sources(ResourceSet& resources, const std::vector<Var>& vars);

// Replaces $(NAME) in the fields of `specs` (TransformerConfig::var_reference); a field that is only $(NAME) takes the value's
// type. Source: kustomize ResAccumulator.ResolveVars, filters/refvar.
Result<void> resolve_vars(ResourceSet& resources, const std::map<std::string, Var>& vars, const FieldSpecs& specs);

} // namespace weber::kustomize
