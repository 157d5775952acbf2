// Static check of an expression's types.
//
// Pure and thread-safe.
#pragma once

#include "kube/cel/ast.h"
#include "kube/cel/environment.h"
#include "kube/cel/source.h"

namespace weber::cel {

// Checks `root` and writes types, resolved names and overloads into its nodes. The type of the result; issues as cel-go words them
// ("undeclared reference to 'x' (in container '')").
TypePtr check(Expr& root, const Environment& environment, Issues& issues);

} // namespace weber::cel
