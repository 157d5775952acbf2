// Macros: has, all, exists, exists_one, map, filter, optMap, optFlatMap become plain expressions.
//
// Not thread-safe; lives for one compilation.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kube/cel/ast.h"

namespace weber::cel {

// Makes nodes and numbers them in cel-go's order. Copies of macros can double a tree with every level, so nodes are counted.
class NodeMaker {
public:
    static constexpr std::size_t kMaxNodes = 100'000;

    std::int64_t next_id() { return next_++; }
    // Gives `id` back when it was the last one (cel-go does, after a macro took the place of its call).
    void drop_id(std::int64_t id) {
        if (id == next_ - 1) --next_;
    }
    ExprPtr make(ExprKind kind, Offset at, std::int64_t id);
    ExprPtr make(ExprKind kind, Offset at) { return make(kind, at, next_id()); }
    ExprPtr copy(const Expr& from, Offset macro_place);
    [[nodiscard]] bool too_many() const { return count_ > kMaxNodes; }

private:
    std::int64_t next_ = 1;
    std::size_t count_ = 0;
};

struct MacroError {
    Offset at = kNowhere;
    std::string message;
};

struct MacroResult {
    ExprPtr expr;                    // nullptr and no error: no macro, target and args are untouched
    std::optional<MacroError> error;
};

// Expands `target.function(args)` or `function(args)` (target null). `at` is the place of its parenthesis.
MacroResult expand_macro(NodeMaker& make, const std::string& function, Offset at, ExprPtr& target, std::vector<ExprPtr>& args);

} // namespace weber::cel
