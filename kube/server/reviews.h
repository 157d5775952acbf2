// Virtual resources: access and token reviews, service account tokens, bindings and evictions. Nothing of them is stored.
#pragma once

#include "kube/server/access.h"
#include "kube/server/core.h"
#include "kube/server/present.h"

namespace weber::kube::server {

// True when a POST to this resource or subresource is answered here.
bool is_virtual(const Call& call);
Api<HttpResponse> create_virtual(Core& core, const Access& access, Call& call, Ack& ack);

} // namespace weber::kube::server
