// Documents of a file → resources: lists expanded, empty documents dropped, identity checked (kustomize: resource.Factory).
//
// Pure and thread-safe.
#pragma once

#include <vector>

#include "kube/base/error.h"
#include "kustomize/resource_set.h"

namespace weber::kustomize {

// In kustomize's order: items of a `…List` come after the documents that follow it, save for a file that is one List.
// Fails when an object lacks kind or metadata.name (lists need no name).
Result<std::vector<Node>> objects_of(std::vector<Node> documents);

// The same as a set; two objects with one id are an error.
Result<ResourceSet> resources_of(std::vector<Node> documents);

} // namespace weber::kustomize
