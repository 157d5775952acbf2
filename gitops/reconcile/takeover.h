// Fields that kubectl and old Flux versions own become ours before we apply (apply.md 3.6).
//
// Pure and thread-safe.
#pragma once

#include "kube/base/object.h"

namespace weber::gitops {

// The JSON patch on the live object: leftover annotations and labels removed, managedFields of kubectl & co. given to kustomize-controller. An empty
// list when nothing has to be done.
Node takeover_patch(const Object& live);

} // namespace weber::gitops
