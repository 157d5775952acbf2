// What expressions may refer to: variables, a container for names, and which rules the check applies.
//
// Thread-safety: plain data.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kube/cel/type.h"

namespace weber::cel {

enum class Check : std::uint8_t {
    types, // Flux's readyExpr: variables are declared, types are checked
    none,  // Flux's healthCheckExprs: parsed only, any name may turn out to be bound
};

// What cel-go leaves to its user. Source: cel-go cel/options.go, cel/library.go, cel/validator.go; Flux: github.com/fluxcd/pkg/runtime/cel NewExpression.
enum class Rules : std::uint8_t {
    flux,     // elements of a literal have one type; conversions of constants are made at once and may refuse the expression; a test below what has no fields is false
    language, // the language's own, in which cel-go runs the public conformance tables: none of these, and names in backquotes (m.`a-b`)
};

struct Environment {
    Check check = Check::types;
    std::map<std::string, TypePtr> variables = {}; // with Check::types
    // The result's type; nullptr: any. Only with Check::types.
    TypePtr result = {};
    // Namespace in which names are looked up first ("a.b": x may be a.b.x, a.x or x). Flux uses none.
    std::string container = {};
    Rules rules = Rules::flux;
};

// The names that `name` may stand for, in order. A leading dot means the name itself.
std::vector<std::string> candidate_names(std::string_view container, std::string_view name);

} // namespace weber::cel
