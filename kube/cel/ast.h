// The syntax tree of an expression, macros expanded.
//
// Not thread-safe; lives for one compilation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kube/cel/source.h"
#include "kube/cel/type.h"
#include "kube/cel/value.h"

namespace weber::cel {

enum class ExprKind : std::uint8_t { broken, literal, ident, select, call, list, map, message, comprehension };

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

// Numbered as cel-go numbers its nodes, because one of its error texts prints the number.
struct Expr {
    ExprKind kind = ExprKind::broken;
    bool test_only = false;          // select: has(a.b)
    std::uint16_t depth = 0;         // nested operators, selections, calls below and with this node, as written
    std::int64_t id = 0;
    Offset at = kNowhere;

    Value literal = {};
    std::string name = {};           // ident, field of a select, function, message type
    ExprPtr target = {};             // operand of a select, receiver of a call
    // call: arguments; list: elements; map: key, value, key, value …; message: field values;
    // comprehension: range, initial accumulator, condition, step, result
    std::vector<ExprPtr> args = {};
    std::vector<bool> optional = {}; // per element, entry or field: written with a leading `?`
    std::vector<std::string> fields = {};
    std::vector<Offset> field_places = {}; // of message fields
    std::string iter_var = {}, accu_var = {};

    // What the checker found; empty without a check.
    TypePtr type = {};
    std::string resolved = {};                 // the full name of an ident, select or message
    Value constant = {};                       // of an ident that names a constant
    bool has_constant = false;
    std::vector<std::string_view> overloads = {}; // ids that fit
    bool checked_call = false;
};

// The accumulator's name inside expanded macros.
inline constexpr std::string_view kAccumulator = "@result";

// "a.b.c" of nested selects of an identifier; "" for anything else.
std::string qualified_name(const Expr& expr);

} // namespace weber::cel
