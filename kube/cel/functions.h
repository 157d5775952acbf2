// The functions and operators of Flux's CEL environment: the standard library, optional types, strings, sets, base64.
// Source: cel-go v0.26 common/stdlib, cel/library.go, ext/{strings,sets,encoders}.go.
//
// Thread-safety: immutable tables.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/cel/type.h"
#include "kube/cel/value.h"

namespace weber::cel {

// What a function does. Arguments are no errors. The receiver of a member call is the first argument.
using Implementation = Value (*)(std::span<const Value> args, Budget& budget);

// How cel-go binds an implementation; decides which wrong calls are found when a program is made.
enum class Shape : std::uint8_t { unary, binary, any };

struct Overload {
    std::string_view id;
    bool member = false;
    std::vector<TypePtr> args = {};
    TypePtr result = {};
    Implementation impl = nullptr; // nullptr: the function's own, or the planner's
    Shape shape = Shape::any;
};

// Kinds of values that a whole function takes as its first argument.
using KindSet = std::uint16_t;
constexpr KindSet kinds(std::initializer_list<Kind> list) {
    KindSet set = 0;
    for (const Kind k : list) set = static_cast<KindSet>(set | 1u << static_cast<unsigned>(k));
    return set;
}
constexpr bool contains(KindSet set, Kind k) { return (set >> static_cast<unsigned>(k) & 1u) != 0; }
inline constexpr KindSet kAllKinds = 0xFFFF;

struct Function {
    std::string_view name;
    std::vector<Overload> overloads = {};
    Implementation impl = nullptr; // one for all overloads
    Shape shape = Shape::any;
    KindSet takes = kAllKinds;     // with `impl`: first arguments it takes
    bool guarded = true;           // overloads look at the kinds of their arguments
};

// nullptr: no such function.
const Function* find_function(std::string_view name);
// A bound overload by its id, with its function.
struct BoundOverload {
    const Function* function = nullptr;
    const Overload* overload = nullptr;
};
BoundOverload find_overload(std::string_view id);

// True when the values fit the overload's argument types (number and kinds).
bool fits(const Overload& overload, std::span<const Value> args);

// "no such overload: name(int, string)".
Value no_such_overload(std::string_view function, std::span<const Value> args);

// Parts of the table, one file each.
void add_operators(std::vector<Function>& out);
void add_conversions(std::vector<Function>& out);
void add_time_functions(std::vector<Function>& out);
void add_string_functions(std::vector<Function>& out);
void add_collection_functions(std::vector<Function>& out);
void add_optional_functions(std::vector<Function>& out);

// Helpers of those files.
Overload overload(std::string_view id, std::vector<TypePtr> args, TypePtr result, Implementation impl = nullptr);
Overload member(std::string_view id, std::vector<TypePtr> args, TypePtr result, Implementation impl = nullptr);

// A compiled regular expression (RE2 syntax). Thread-safe.
class Pattern {
public:
    // Errors: invalid, as Go's regexp words it ("error parsing regexp: missing closing ): `(`").
    static Result<std::shared_ptr<const Pattern>> compile(std::string_view text);
    virtual ~Pattern() = default;
    // Whether it matches anywhere in `text`.
    [[nodiscard]] virtual Value match(std::string_view text, Budget& budget) const = 0;
};

} // namespace weber::cel
