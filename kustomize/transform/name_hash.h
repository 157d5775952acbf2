// Content hashes in the names of generated ConfigMaps and Secrets.
#pragma once

#include <string>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kustomize/resource_set.h"

namespace weber::kustomize {

// Ten characters that kustomize and kubectl derive from kind, name and data. Source: kustomize api/hasher.
std::string content_hash(const Node& object);

// Appends "-<hash>" to the name of every resource that needs it, remembering the name before.
Result<void> append_name_hashes(ResourceSet& resources);

} // namespace weber::kustomize
