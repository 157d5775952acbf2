// Is an object ready? Computed from its own fields, exactly as `readiness.md` 1, 2 and 5 (cli-utils' kstatus and Flux's Job reader).
//
// Pure and thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/clock.h"
#include "kube/base/object.h"

namespace weber::kube {

enum class StatusCode : std::uint8_t { in_progress, failed, current, terminating, not_found, unknown };

// "InProgress", "Failed", "Current", "Terminating", "NotFound", "Unknown".
std::string_view to_string(StatusCode code);

struct StatusCondition {
    std::string type;    // Reconciling or Stalled
    std::string status;  // True
    std::string reason;
    std::string message;
};

struct Status {
    StatusCode code = StatusCode::unknown;
    std::string message = {};
    std::vector<StatusCondition> conditions = {};
};

// The library's status (`readiness.md` 1 and 2). `now` decides how old an unschedulable Pod is. Error invalid for fields of the wrong type, with the
// library's text: such an object is Unknown.
Result<Status> compute_status(const Object& object, SystemTime now = system_clock().now());

// The status that Flux sees: batch/Job by Flux's own reader (`readiness.md` 5, as of Flux 2.8: a suspended Job is Current), all else as above.
Result<Status> compute_flux_status(const Object& object, SystemTime now = system_clock().now());

// True for kinds whose pods must be looked at while they are InProgress: apps/StatefulSet and apps/ReplicaSet (`readiness.md` 3).
bool needs_pods(const Object& object);

// `own` sharpened by the pods of the object's selector: InProgress with a Failed pod is Failed `<n> pods have failed`. Pods that are being
// deleted or unschedulable do not count (Flux 2.8.1).
Status with_pods(Status own, std::span<const Object> pods, SystemTime now = system_clock().now());

} // namespace weber::kube
