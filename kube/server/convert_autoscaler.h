// HorizontalPodAutoscalers between autoscaling/v1 and v2: v1 has the CPU's utilization as a field and all else in annotations, in v1's own forms.
// Source of the rules: kubernetes/pkg/apis/autoscaling/v1/conversion.go. Pure.
#pragma once

#include "kube/base/node.h"

namespace weber::kube::server {

Node autoscaler_to_v1(Node obj);
Node autoscaler_to_v2(Node obj);

} // namespace weber::kube::server
