// Aggregation of ClusterRoles: the rules of a role that says which others it consists of (kube-controller-manager's
// clusterrole-aggregation-controller). Pure.
#pragma once

#include <optional>
#include <vector>

#include "kube/base/node.h"

namespace weber::kube::server {

// The rules that `role` should have: those of the others in `roles` that its selectors match, selector by selector, by name, each rule once.
// nullopt: it does not aggregate, has these rules already, or has a selector that cannot be read.
std::optional<Node> aggregated_rules(const Node& role, const std::vector<Node>& roles);

} // namespace weber::kube::server
