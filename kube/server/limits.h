// The admission plugin LimitRanger: what a namespace's LimitRanges give to Pods, and what they refuse of Pods and PersistentVolumeClaims.
#pragma once

#include <map>
#include <string>

#include "kube/server/core.h"
#include "kube/server/quantity.h"

namespace weber::kube::server {

using Resources = std::map<std::string, Quantity>; // by name: "cpu", "requests.memory", "count/secrets"

// What a map of quantities holds; what is no quantity is left out. Null or no map: nothing.
Resources resources_of(const Node* list);

// Requests and limits that the containers of a new Pod do not name, and the annotation that tells which were set.
void default_resources(const Core& core, Node& pod);
// 403 for a new Pod or a claim that lies outside of what is allowed. Other kinds, and changed Pods, pass.
Api<void> check_limits(const Core& core, const Call& call, const Node& obj, bool is_new);

// What a Pod's containers ask for together ("requests" or "limits"), by resource: the sum of those that run at the same time.
Resources pod_resources(const Node& pod, std::string_view which);

} // namespace weber::kube::server
