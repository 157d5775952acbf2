// The scale subresource: a view of an object's replica count as autoscaling/v1 Scale.
#pragma once

#include "kube/server/core.h"
#include "kube/server/patch_body.h"
#include "kube/server/present.h"

namespace weber::kube::server {

Api<HttpResponse> scale_read(Core& core, Call& call);
Api<HttpResponse> scale_update(Core& core, Call& call, const Presentation& form, Node sent, Ack& ack);
Api<HttpResponse> scale_patch(Core& core, Call& call, const Presentation& form, PatchType type, const Node& patch, Ack& ack);

} // namespace weber::kube::server
