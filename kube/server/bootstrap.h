// What a fresh cluster has before anybody asks: namespaces, the `kubernetes` Service, roles.
#pragma once

#include <span>
#include <string_view>

#include "kube/server/core.h"

namespace weber::kube::server {

// Makes what is missing; stored objects are left as they are.
void bootstrap(Core& core);

// JSON of the ClusterRoles that people bind or have, and of their bindings.
std::span<const std::string_view> bootstrap_roles();
std::span<const std::string_view> bootstrap_bindings();

} // namespace weber::kube::server
