// The paths of OpenAPI documents: what can be done with a resource, where, with which parameters.
#pragma once

#include "kube/base/node.h"
#include "kube/server/registry.h"

namespace weber::kube::server {

// Adds those of `resource` at one version to a document's `paths`. Pure.
void add_openapi_paths(Node& paths, const ResourceInfo& resource, const VersionInfo& version, bool v3);

} // namespace weber::kube::server
