// From the text of an expression to its tree, macros expanded.
//
// Pure and thread-safe.
#pragma once

#include "kube/cel/ast.h"
#include "kube/cel/source.h"

namespace weber::cel {

// Longest expression in code points, deepest nesting: cel-go's limits.
inline constexpr std::size_t kMaxExpressionSize = 100'000;
inline constexpr int kMaxNesting = 250;

// The tree, or nullptr and at least one issue. Issues as cel-go words them ("Syntax error: mismatched input …").
// `quoted_names`: whether fields may be named in backquotes (m.`a-b`).
ExprPtr parse(const Source& source, Issues& issues, bool quoted_names);

} // namespace weber::cel
