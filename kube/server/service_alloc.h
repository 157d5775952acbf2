// Addresses and ports of Services: what kube-apiserver's service REST storage does on a write.
#pragma once

#include "kube/base/node.h"
#include "kube/server/allocator.h"
#include "kube/server/api_error.h"

namespace weber::kube::server {

// Fills clusterIP(s), ipFamilies, ipFamilyPolicy and nodePorts. `live` null: a new Service. Values of the live Service
// that the new one does not mention are kept; those it no longer needs are freed. 422 when a value is taken or out of range.
Api<void> allocate_service(Allocator& allocator, Node& service, const Node& live);
// Frees all that a Service holds.
void release_service(Allocator& allocator, const Node& service);
// Marks what a stored Service holds (at start).
void claim_service(Allocator& allocator, const Node& service);

} // namespace weber::kube::server
