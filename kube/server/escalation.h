// RBAC's check against escalation: nobody grants rights that they have not. Facts of 1.36's pkg/registry/rbac and
// k8s.io/component-helpers/auth/rbac/validation.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <vector>

#include "kube/base/node.h"
#include "kube/server/request.h"

namespace weber::kube::server {

// What `owned` (rules of a user) lacks of `wanted` (rules to be granted), as lines of kube-apiserver's message; empty: nothing.
std::vector<std::string> missing_rights(const std::vector<Node>& owned, const std::vector<Node>& wanted);

// Does an update change nothing but owners, finalizers and managedFields? That much is allowed to everybody who may update.
bool changes_only_gc_fields(const Node& next, const Node& live);

// "user "u" (groups=["g"]) is attempting to grant RBAC permissions not currently held:" and the lines.
std::string escalation_text(const User& user, const std::vector<std::string>& missing);

} // namespace weber::kube::server
