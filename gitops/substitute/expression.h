// The expressions of post-build substitution, `${name}` and its forms: parsed as fluxcd/pkg/envsubst parses them, quirks included
// (build.md 5.2, 5.3). Used by expand.cpp only.
//
// Pure and thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"

namespace weber::gitops {

struct Expression;

// Either text or one expression.
struct TemplatePart {
    std::string_view text = {}; // into the parsed text
    std::unique_ptr<Expression> expression = {};
};

// One argument of an operator: text (in pieces, where escapes were taken out), or one expression.
struct ExpressionArgument {
    std::string text = {};
    std::unique_ptr<Expression> expression = {};
};

struct Expression {
    std::string_view name;
    std::string_view op = {}; // "" ":" ":=" "=" "^^" "#" "/" …; "#" without arguments is the length
    std::vector<ExpressionArgument> arguments = {};
};

// The pieces of `text`, in order; they point into it. Errors: invalid, with a message of build.md 5.3; too_large when expressions nest too deeply.
Result<std::vector<TemplatePart>> parse_template(std::string_view text);

} // namespace weber::gitops
