// What the standard admission plugins do to a new Pod: LimitRanger, ServiceAccount, Priority, DefaultTolerationSeconds, RuntimeClass; and its first status.
#pragma once

#include "kube/server/core.h"

namespace weber::kube::server {

// 403 when its service account or a class does not exist.
Api<void> admit_pod(Core& core, const Call& call, Node& pod);
// DefaultTolerationSeconds, which changed Pods get as well.
void add_tolerations(Node& spec);

} // namespace weber::kube::server
