// namePrefix and nameSuffix.
#pragma once

#include <string_view>

#include "kube/base/error.h"
#include "kustomize/resource_set.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// Puts the text before (after) each field the specs name, metadata/name by default. Namespaces, CustomResourceDefinitions and
// APIServices keep their names, by their original kind. Remembers the earlier name, and the prefix for name references.
// Source: kustomize PrefixTransformer, SuffixTransformer.
Result<void> apply_name_prefix(ResourceSet& resources, std::string_view prefix, const FieldSpecs& specs);
Result<void> apply_name_suffix(ResourceSet& resources, std::string_view suffix, const FieldSpecs& specs);

} // namespace weber::kustomize
