// Conversion between the served versions of one resource.
//
// Pure. Versions whose shapes agree (all custom resources without webhooks, most betas) differ in apiVersion only;
// autoscaling v1 ↔ v2 and core Event ↔ events.k8s.io Event are converted field by field.
#pragma once

#include "kube/base/node.h"
#include "kube/server/registry.h"

namespace weber::kube::server {

// `obj` (in any served version of `resource`, as its apiVersion says) in version `to`.
Node convert_version(const ResourceInfo& resource, Node obj, const VersionInfo& to);

} // namespace weber::kube::server
