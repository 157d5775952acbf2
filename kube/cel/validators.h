// Rules that Flux's environment adds to the type check.
//
// Pure and thread-safe.
#pragma once

#include "kube/cel/ast.h"
#include "kube/cel/source.h"
#include "kube/cel/unifier.h"

namespace weber::cel {

// On a tree that passed the check. Elements of a list or map literal must have one type (`homogeneous`; not inside the arguments of format()), and
// 'literal'.format([…]) must fit its arguments. Source: cel-go cel/validator.go, ext/formatting_v2.go.
void validate(const Expr& root, const Unifier& types, bool homogeneous, Issues& issues);

} // namespace weber::cel
