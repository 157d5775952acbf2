// From the tree of an expression to executable steps; constants are folded.
//
// Pure and thread-safe.
#pragma once

#include "kube/base/error.h"
#include "kube/cel/ast.h"
#include "kube/cel/environment.h"
#include "kube/cel/step.h"

namespace weber::cel {

// Errors: invalid, with cel-go's text ("no such overload: now()", "error parsing regexp: …", a failing conversion of a constant).
Result<StepPtr> plan(const Expr& root, const Environment& environment);

} // namespace weber::cel
