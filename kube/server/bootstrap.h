// What a fresh cluster has before anybody asks: namespaces, the `kubernetes` Service, roles.
#pragma once

#include <span>
#include <string_view>

#include "kube/server/core.h"

namespace weber::kube::server {

// Makes what is missing; stored objects are left as they are.
void bootstrap(Core& core);

// What every cluster has from its start, in the order in which it is made.
struct BootstrapObject {
    std::string_view store_id, json; // "@now" in the JSON stands for the time
};
std::span<const BootstrapObject> bootstrap_objects();

} // namespace weber::kube::server
