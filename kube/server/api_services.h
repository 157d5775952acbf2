// The APIServices that a cluster makes itself: one per group and version it serves, all of them "Local". Pure.
#pragma once

#include <vector>

#include "kube/base/node.h"
#include "kube/server/registry.h"

namespace weber::kube::server {

// Those of the built-in groups (label automanaged: onstart) or of the groups of custom resources (automanaged: true; a group that has both
// belongs to the built-in ones). Complete but for system metadata; priorities as kube-apiserver's (controlplane/apiserver/aggregator.go).
std::vector<Node> api_services(const Registry& registry, bool custom);

// Made for a custom resource's group, so that it goes when the group does?
bool made_for_custom(const Node& api_service);

} // namespace weber::kube::server
