// Admission plugins that fill in or look up classes: DefaultStorageClass, DefaultIngressClass, Priority, RuntimeClass.
#pragma once

#include "kube/server/core.h"

namespace weber::kube::server {

// The class of a claim or an Ingress that names none: the newest of those that are marked as default.
void default_class(const Core& core, std::string_view store_id, Node& obj);
// 403 for a new object that is refused before it has got a name of its own: one that the server makes is not told.
ApiError not_admitted(const Call& call, const Node& obj, std::string_view why);
// The priority of a new Pod by its class. 403 when there is no such class or the Pod says something else.
Api<void> set_priority(const Core& core, const Call& call, Node& pod);
// What a RuntimeClass adds to a new Pod that names it. 403 when there is none or both do not fit.
Api<void> add_runtime_class(const Core& core, const Call& call, Node& pod);

} // namespace weber::kube::server
