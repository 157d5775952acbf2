// The admission plugin PersistentVolumeClaimResize: which claims may grow.
#pragma once

#include "kube/server/core.h"

namespace weber::kube::server {

// 403 when the changed claim `next` asks for more than `live` did and is not bound, or its class allows no expansion. Other kinds pass.
Api<void> admit_growth(const Core& core, const Call& call, const Node& next, const Node& live);

} // namespace weber::kube::server
