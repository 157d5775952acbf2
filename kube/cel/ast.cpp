#include "kube/cel/ast.h"

namespace weber::cel {

std::string qualified_name(const Expr& expr) {
    if (expr.kind == ExprKind::ident) return expr.name;
    if (expr.kind != ExprKind::select || expr.test_only) return {};
    const std::string prefix = qualified_name(*expr.target);
    return prefix.empty() ? prefix : prefix + "." + expr.name;
}

} // namespace weber::cel
