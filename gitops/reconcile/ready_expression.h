// spec.dependsOn[].readyExpr: a CEL expression over both Kustomizations that decides in place of the built-in check (readiness.md 6).
#pragma once

#include <string>

#include "kube/base/object.h"

namespace weber::gitops {

// Whether `expression` holds; its variables are `self` and `dep`, the objects as read from the API server. The expression is type-checked and must be
// statically bool. Errors: invalid when it does not compile (terminal: only an edit mends it), unavailable when it fails on these objects (retried);
// texts are Flux's. Thread-safe.
Result<bool> evaluate_ready_expression(const std::string& expression, const Object& self, const Object& dependency);

} // namespace weber::gitops
