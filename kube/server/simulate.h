// Stand-ins for kubelet, scheduler and the workload controllers: given an object, what its status settles to. Pure.
//
// No pods are made for workloads: only their status is kept up (a Deployment rolls out without ReplicaSets). One node is pretended.
// An OnePasswordItem (1Password's operator), which the reference fleet waits for, gets its condition, but no Secret. A workload that is told to fail reports what the real controllers report when its pods never become ready.
#pragma once

#include <string>
#include <string_view>

#include "kube/base/clock.h"
#include "kube/base/node.h"

namespace weber::kube::server {

struct Simulation {
    bool fail = false;     // never becomes healthy
    bool settled = true;   // false: the roll-out has been seen but is not finished yet (delayed roll-outs)
    std::string now;       // RFC 3339
};

// True when objects of this store id ("apps/deployments") have a simulated status.
bool is_simulated(std::string_view store_id);
// True when a change takes the roll-out delay (workloads, jobs, claims).
bool takes_time(std::string_view store_id);
// Brings `obj` (storage version) to its settled state. Returns false when there is nothing to do.
bool simulate(std::string_view store_id, Node& obj, const Simulation& s);

// Seconds after which a finished Job is deleted; -1: never or not finished.
long job_ttl_left(const Node& job, SystemTime now);

} // namespace weber::kube::server
