// What a fresh cluster has before anybody asks: namespaces, the `kubernetes` Service, the administrator's role.
#pragma once

#include "kube/server/core.h"

namespace weber::kube::server {

// Makes what is missing; stored objects are left as they are.
void bootstrap(Core& core);

} // namespace weber::kube::server
