// Arithmetic, comparison, logic, indexing, membership.
#include <cmath>

#include "kube/cel/functions.h"
#include "kube/cel/time.h"

namespace weber::cel {

namespace {

using Args = std::span<const Value>;
using namespace types;

Value overflow() { return Value::error("integer overflow"); }
Value uint_overflow() { return Value::error("unsigned integer overflow"); }

Value concat(std::string_view a, std::string_view b, bool bytes, Budget& budget) {
    if (!budget.spend_text(a.size() + b.size())) return {};
    std::string out;
    out.reserve(a.size() + b.size());
    out.append(a).append(b);
    return bytes ? Value::bytes(out) : Value::string(out);
}

Value concat(const Value& a, const Value& b, Budget& budget) {
    const List& x = a.as_list();
    const List& y = b.as_list();
    if (x.size() == 0) return b;
    if (y.size() == 0) return a;
    if (!budget.spend_elements(x.size() + y.size())) return {};
    std::vector<Value> out;
    out.reserve(x.size() + y.size());
    for (std::size_t i = 0; i < x.size(); ++i) out.push_back(x.at(i));
    for (std::size_t i = 0; i < y.size(); ++i) out.push_back(y.at(i));
    return Value::list(std::move(out));
}

Value plus(Args args, Budget& budget) {
    const Value& a = args[0];
    const Value& b = args[1];
    if (a.is(Kind::timestamp) && b.is(Kind::duration)) return add(a.as_timestamp(), b.as_duration());
    if (a.is(Kind::duration) && b.is(Kind::timestamp)) return add(b.as_timestamp(), a.as_duration());
    if (a.kind() != b.kind()) return Value::no_such_overload();
    switch (a.kind()) {
    case Kind::integer: {
        std::int64_t v = 0;
        return __builtin_add_overflow(a.as_int(), b.as_int(), &v) ? overflow() : Value::integer(v);
    }
    case Kind::unsigned_integer: {
        std::uint64_t v = 0;
        return __builtin_add_overflow(a.as_uint(), b.as_uint(), &v) ? uint_overflow() : Value::unsigned_integer(v);
    }
    case Kind::floating: return Value::floating(a.as_double() + b.as_double());
    case Kind::string: return concat(a.as_string(), b.as_string(), false, budget);
    case Kind::bytes: return concat(a.as_bytes(), b.as_bytes(), true, budget);
    case Kind::list: return concat(a, b, budget);
    case Kind::duration: {
        std::int64_t v = 0;
        return __builtin_add_overflow(a.as_duration().nanos, b.as_duration().nanos, &v) ? overflow() : Value::duration({v});
    }
    default: return Value::no_such_overload();
    }
}

Value minus(Args args, Budget&) {
    const Value& a = args[0];
    const Value& b = args[1];
    if (a.is(Kind::timestamp) && b.is(Kind::duration)) {
        if (b.as_duration().nanos == INT64_MIN) return overflow();
        return add(a.as_timestamp(), Duration{-b.as_duration().nanos});
    }
    if (a.kind() != b.kind()) return Value::no_such_overload();
    switch (a.kind()) {
    case Kind::integer: {
        std::int64_t v = 0;
        return __builtin_sub_overflow(a.as_int(), b.as_int(), &v) ? overflow() : Value::integer(v);
    }
    case Kind::unsigned_integer:
        return b.as_uint() > a.as_uint() ? uint_overflow() : Value::unsigned_integer(a.as_uint() - b.as_uint());
    case Kind::floating: return Value::floating(a.as_double() - b.as_double());
    case Kind::timestamp: return subtract(a.as_timestamp(), b.as_timestamp());
    case Kind::duration: {
        std::int64_t v = 0;
        return __builtin_sub_overflow(a.as_duration().nanos, b.as_duration().nanos, &v) ? overflow() : Value::duration({v});
    }
    default: return Value::no_such_overload();
    }
}

Value times(Args args, Budget&) {
    const Value& a = args[0];
    const Value& b = args[1];
    if (a.kind() != b.kind()) return Value::no_such_overload();
    if (a.is(Kind::floating)) return Value::floating(a.as_double() * b.as_double());
    if (a.is(Kind::integer)) {
        std::int64_t v = 0;
        return __builtin_mul_overflow(a.as_int(), b.as_int(), &v) ? overflow() : Value::integer(v);
    }
    std::uint64_t v = 0;
    return __builtin_mul_overflow(a.as_uint(), b.as_uint(), &v) ? uint_overflow() : Value::unsigned_integer(v);
}

Value divide(Args args, Budget&) {
    const Value& a = args[0];
    const Value& b = args[1];
    if (a.kind() != b.kind()) return Value::no_such_overload();
    if (a.is(Kind::floating)) return Value::floating(a.as_double() / b.as_double());
    if (a.is(Kind::integer)) {
        if (b.as_int() == 0) return Value::error("division by zero");
        return a.as_int() == INT64_MIN && b.as_int() == -1 ? overflow() : Value::integer(a.as_int() / b.as_int());
    }
    return b.as_uint() == 0 ? Value::error("division by zero") : Value::unsigned_integer(a.as_uint() / b.as_uint());
}

Value modulo(Args args, Budget&) {
    const Value& a = args[0];
    const Value& b = args[1];
    if (a.kind() != b.kind()) return Value::no_such_overload();
    if (a.is(Kind::integer)) {
        if (b.as_int() == 0) return Value::error("modulus by zero");
        return a.as_int() == INT64_MIN && b.as_int() == -1 ? overflow() : Value::integer(a.as_int() % b.as_int());
    }
    return b.as_uint() == 0 ? Value::error("modulus by zero") : Value::unsigned_integer(a.as_uint() % b.as_uint());
}

Value negate(Args args, Budget&) {
    const Value& a = args[0];
    if (a.is(Kind::integer)) return a.as_int() == INT64_MIN ? overflow() : Value::integer(-a.as_int());
    if (a.is(Kind::floating)) return Value::floating(-a.as_double());
    if (a.is(Kind::duration)) return a.as_duration().nanos == INT64_MIN ? overflow() : Value::duration({-a.as_duration().nanos});
    return Value::no_such_overload();
}

Value logical_not(Args args, Budget&) { return args[0].is(Kind::boolean) ? Value::boolean(!args[0].as_bool()) : Value::no_such_overload(); }

template <bool (*Wanted)(std::int64_t)>
Value ordered(Args args, Budget& budget) {
    if (args[0].is(Kind::string)) budget.spend_text(args[0].as_string().size() / 16);
    const Value order = compare(args[0], args[1]);
    return order.is_error() ? order : Value::boolean(Wanted(order.as_int()));
}
bool is_less(std::int64_t c) { return c < 0; }
bool is_less_equal(std::int64_t c) { return c <= 0; }
bool is_greater(std::int64_t c) { return c > 0; }
bool is_greater_equal(std::int64_t c) { return c >= 0; }

Value in(Args args, Budget& budget) {
    if (args[1].is(Kind::map)) return Value::boolean(args[1].as_map().find(args[0]).has_value());
    if (!args[1].is(Kind::list)) return Value::no_such_overload();
    const List& list = args[1].as_list();
    for (std::size_t i = 0; i < list.size() && !budget.exhausted(); ++i)
        if (equal(args[0], list.at(i), budget)) return Value::boolean(true);
    return Value::boolean(false);
}

Value not_strictly_false(Args args, Budget&) { return args[0].is(Kind::boolean) ? args[0] : Value::boolean(true); }

constexpr KindSet kAdders =
    kinds({Kind::bytes, Kind::floating, Kind::duration, Kind::integer, Kind::list, Kind::string, Kind::timestamp, Kind::unsigned_integer});
constexpr KindSet kSubtractors = kinds({Kind::floating, Kind::duration, Kind::integer, Kind::timestamp, Kind::unsigned_integer});
constexpr KindSet kNumbers = kinds({Kind::floating, Kind::integer, Kind::unsigned_integer});
constexpr KindSet kComparers = kinds({Kind::boolean, Kind::bytes, Kind::floating, Kind::duration, Kind::integer, Kind::string, Kind::timestamp, Kind::unsigned_integer});

// The fourteen overloads of <, <=, >, >=.
Function comparison(std::string_view name, std::string_view word, Implementation impl) {
    // Ids live as long as the program; there are four functions.
    static std::vector<std::unique_ptr<std::string>> ids;
    const auto id = [&](std::string_view tail) -> std::string_view {
        return *ids.emplace_back(std::make_unique<std::string>(std::string(word) + "_" + std::string(tail)));
    };
    Function f{.name = name, .impl = impl, .shape = Shape::binary, .takes = kComparers};
    const auto add = [&](std::string_view tail, const TypePtr& a, const TypePtr& b) { f.overloads.push_back(overload(id(tail), {a, b}, types::boolean())); };
    add("bool", types::boolean(), types::boolean());
    add("int64", integer(), integer());
    add("int64_double", integer(), floating());
    add("int64_uint64", integer(), unsigned_integer());
    add("uint64", unsigned_integer(), unsigned_integer());
    add("uint64_double", unsigned_integer(), floating());
    add("uint64_int64", unsigned_integer(), integer());
    add("double", floating(), floating());
    add("double_int64", floating(), integer());
    add("double_uint64", floating(), unsigned_integer());
    add("string", types::string(), types::string());
    add("bytes", types::bytes(), types::bytes());
    add("timestamp", timestamp(), timestamp());
    add("duration", duration(), duration());
    return f;
}

Function arithmetic(std::string_view name, Implementation impl, KindSet takes, std::vector<Overload> overloads) {
    return {.name = name, .overloads = std::move(overloads), .impl = impl, .shape = Shape::binary, .takes = takes};
}

} // namespace

void add_operators(std::vector<Function>& out) {
    const TypePtr a = param("A");
    const TypePtr b = param("B");
    const TypePtr list_a = types::list(a);
    const TypePtr map_ab = types::map(a, b);
    const TypePtr boolean = types::boolean();
    const TypePtr string = types::string();
    const TypePtr bytes = types::bytes();
    // Logic, equality and indexing are the planner's own; their entries are for the checker.
    out.push_back({.name = "_?_:_", .overloads = {overload("conditional", {boolean, a, a}, a)}});
    out.push_back({.name = "_&&_", .overloads = {overload("logical_and", {boolean, boolean}, boolean)}});
    out.push_back({.name = "_||_", .overloads = {overload("logical_or", {boolean, boolean}, boolean)}});
    out.push_back({.name = "_==_", .overloads = {overload("equals", {a, a}, boolean)}});
    out.push_back({.name = "_!=_", .overloads = {overload("not_equals", {a, a}, boolean)}});
    out.push_back({.name = "!_", .overloads = {overload("logical_not", {boolean}, boolean)}, .impl = logical_not, .shape = Shape::unary});
    out.push_back({.name = "@not_strictly_false", .overloads = {overload("not_strictly_false", {boolean}, boolean)}, .impl = not_strictly_false, .shape = Shape::unary});
    out.push_back({.name = "_[_]",
                   .overloads = {overload("index_list", {list_a, integer()}, a), overload("index_map", {map_ab, a}, b),
                                 overload("optional_list_index_int", {optional(types::list(param("V"))), integer()}, optional(param("V"))),
                                 overload("optional_map_index_value", {optional(types::map(param("K"), param("V"))), param("K")}, optional(param("V")))}});
    out.push_back({.name = "@in", .overloads = {overload("in_list", {a, list_a}, boolean), overload("in_map", {a, map_ab}, boolean)}, .impl = in, .shape = Shape::binary});
    out.push_back(arithmetic("_+_", plus, kAdders,
                             {overload("add_bytes", {bytes, bytes}, bytes), overload("add_double", {floating(), floating()}, floating()),
                              overload("add_duration_duration", {duration(), duration()}, duration()),
                              overload("add_duration_timestamp", {duration(), timestamp()}, timestamp()),
                              overload("add_timestamp_duration", {timestamp(), duration()}, timestamp()), overload("add_int64", {integer(), integer()}, integer()),
                              overload("add_list", {list_a, list_a}, list_a), overload("add_string", {string, string}, string),
                              overload("add_uint64", {unsigned_integer(), unsigned_integer()}, unsigned_integer())}));
    out.push_back(arithmetic("_-_", minus, kSubtractors,
                             {overload("subtract_double", {floating(), floating()}, floating()),
                              overload("subtract_duration_duration", {duration(), duration()}, duration()),
                              overload("subtract_int64", {integer(), integer()}, integer()),
                              overload("subtract_timestamp_duration", {timestamp(), duration()}, timestamp()),
                              overload("subtract_timestamp_timestamp", {timestamp(), timestamp()}, duration()),
                              overload("subtract_uint64", {unsigned_integer(), unsigned_integer()}, unsigned_integer())}));
    const auto three = [&](std::string_view d, std::string_view i, std::string_view u) {
        return std::vector<Overload>{overload(d, {floating(), floating()}, floating()), overload(i, {integer(), integer()}, integer()),
                                     overload(u, {unsigned_integer(), unsigned_integer()}, unsigned_integer())};
    };
    out.push_back(arithmetic("_*_", times, kNumbers, three("multiply_double", "multiply_int64", "multiply_uint64")));
    out.push_back(arithmetic("_/_", divide, kNumbers, three("divide_double", "divide_int64", "divide_uint64")));
    out.push_back(arithmetic("_%_", modulo, kinds({Kind::integer, Kind::unsigned_integer}),
                             {overload("modulo_int64", {integer(), integer()}, integer()),
                              overload("modulo_uint64", {unsigned_integer(), unsigned_integer()}, unsigned_integer())}));
    out.push_back({.name = "-_",
                   .overloads = {overload("negate_double", {floating()}, floating()), overload("negate_int64", {integer()}, integer())},
                   .impl = negate,
                   .shape = Shape::unary,
                   .takes = kinds({Kind::boolean, Kind::floating, Kind::integer, Kind::duration})});
    out.push_back(comparison("_<_", "less", ordered<is_less>));
    out.push_back(comparison("_<=_", "less_equals", ordered<is_less_equal>));
    out.push_back(comparison("_>_", "greater", ordered<is_greater>));
    out.push_back(comparison("_>=_", "greater_equals", ordered<is_greater_equal>));
}

} // namespace weber::cel
