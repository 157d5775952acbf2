// int(), uint(), double(), bool(), string(), bytes(), timestamp(), duration(), dyn(), type().
#include "kube/base/utf8.h"
#include "kube/cel/functions.h"
#include "kube/cel/go_format.h"
#include "kube/cel/time.h"

namespace weber::cel {

namespace {

using Args = std::span<const Value>;
using namespace types;

Value refuse(const Value& from, std::string_view to) {
    return Value::error("type conversion error from '" + std::string(type_name(from.kind())) + "' to '" + std::string(to) + "'");
}

template <class T, class Make>
Value or_refuse(const std::optional<T>& v, Make make, const Value& from, std::string_view to) {
    return v ? make(*v) : refuse(from, to);
}

Value same(Args args, Budget&) { return args[0]; }

Value to_int(Args args, Budget&) {
    const Value& v = args[0];
    switch (v.kind()) {
    case Kind::floating: {
        const auto i = double_to_int(v.as_double());
        return i ? Value::integer(*i) : Value::error("integer overflow");
    }
    case Kind::unsigned_integer: return v.as_uint() > INT64_MAX ? Value::error("integer overflow") : Value::integer(static_cast<std::int64_t>(v.as_uint()));
    case Kind::duration: return Value::integer(v.as_duration().nanos);
    case Kind::timestamp: return Value::integer(v.as_timestamp().seconds);
    case Kind::string: return or_refuse(parse_go_int(v.as_string()), Value::integer, v, "int");
    default: return refuse(v, "int");
    }
}

Value to_uint(Args args, Budget&) {
    const Value& v = args[0];
    switch (v.kind()) {
    case Kind::floating: {
        const auto u = double_to_uint(v.as_double());
        return u ? Value::unsigned_integer(*u) : Value::error("unsigned integer overflow");
    }
    case Kind::integer: return v.as_int() < 0 ? Value::error("unsigned integer overflow") : Value::unsigned_integer(static_cast<std::uint64_t>(v.as_int()));
    case Kind::string: return or_refuse(parse_go_uint(v.as_string()), Value::unsigned_integer, v, "uint");
    default: return refuse(v, "uint");
    }
}

Value to_double(Args args, Budget&) {
    const Value& v = args[0];
    switch (v.kind()) {
    case Kind::integer: return Value::floating(static_cast<double>(v.as_int()));
    case Kind::unsigned_integer: return Value::floating(static_cast<double>(v.as_uint()));
    case Kind::string: return or_refuse(parse_go_float(v.as_string()), Value::floating, v, "double");
    default: return refuse(v, "double");
    }
}

Value to_bool(Args args, Budget&) { return or_refuse(parse_go_bool(args[0].as_string()), Value::boolean, args[0], "bool"); }

Value to_bytes(Args args, Budget& budget) {
    budget.spend_text(args[0].as_string().size());
    return Value::bytes(args[0].as_string());
}

Value to_string(Args args, Budget& budget) {
    const Value& v = args[0];
    switch (v.kind()) {
    case Kind::boolean: return Value::string(v.as_bool() ? "true" : "false");
    case Kind::integer: return Value::string(std::to_string(v.as_int()));
    case Kind::unsigned_integer: return Value::string(std::to_string(v.as_uint()));
    case Kind::floating: return Value::string(format_general(v.as_double()));
    case Kind::timestamp: return Value::string(format_timestamp(v.as_timestamp()));
    case Kind::duration: return Value::string(format_seconds(v.as_duration()));
    case Kind::bytes:
        budget.spend_text(v.as_bytes().size());
        if (!kube::is_valid_utf8(v.as_bytes())) return Value::error("invalid UTF-8 in bytes, cannot convert to string");
        return Value::string(v.as_bytes());
    default: return refuse(v, "string");
    }
}

Value to_timestamp(Args args, Budget&) {
    const Value& v = args[0];
    std::optional<Timestamp> t;
    if (v.is(Kind::integer)) t = Timestamp{v.as_int(), 0, 0};
    else t = parse_timestamp(v.as_string());
    if (!t) return refuse(v, "google.protobuf.Timestamp");
    if (t->seconds < kMinUnixSeconds || t->seconds > kMaxUnixSeconds) return Value::error("timestamp overflow");
    return Value::timestamp(*t);
}

Value to_duration(Args args, Budget&) {
    const Value& v = args[0];
    if (v.is(Kind::string))
        if (const auto d = parse_duration(v.as_string())) return Value::duration(*d);
    return refuse(v, "google.protobuf.Duration");
}

Value type_of_value(Args args, Budget&) { return Value::type(type_name(args[0].kind())); }

} // namespace

void add_conversions(std::vector<Function>& out) {
    const TypePtr a = param("A");
    const TypePtr i = integer(), u = unsigned_integer(), d = floating(), s = types::string(), b = types::bytes(), t = timestamp(), l = duration();
    out.push_back({.name = "bool", .overloads = {overload("bool_to_bool", {boolean()}, boolean(), same), overload("string_to_bool", {s}, boolean(), to_bool)}});
    out.push_back({.name = "bytes", .overloads = {overload("bytes_to_bytes", {b}, b, same), overload("string_to_bytes", {s}, b, to_bytes)}});
    out.push_back({.name = "double",
                   .overloads = {overload("double_to_double", {d}, d, same), overload("int64_to_double", {i}, d, to_double),
                                 overload("string_to_double", {s}, d, to_double), overload("uint64_to_double", {u}, d, to_double)}});
    out.push_back({.name = "duration",
                   .overloads = {overload("duration_to_duration", {l}, l, same), overload("int64_to_duration", {i}, l, to_duration),
                                 overload("string_to_duration", {s}, l, to_duration)}});
    out.push_back({.name = "dyn", .overloads = {overload("to_dyn", {a}, dyn())}, .impl = same, .shape = Shape::unary});
    out.push_back({.name = "int",
                   .overloads = {overload("int64_to_int64", {i}, i, same), overload("double_to_int64", {d}, i, to_int),
                                 overload("duration_to_int64", {l}, i, to_int), overload("string_to_int64", {s}, i, to_int),
                                 overload("timestamp_to_int64", {t}, i, to_int), overload("uint64_to_int64", {u}, i, to_int)}});
    out.push_back({.name = "string",
                   .overloads = {overload("string_to_string", {s}, s, same), overload("bool_to_string", {boolean()}, s, to_string),
                                 overload("bytes_to_string", {b}, s, to_string), overload("double_to_string", {d}, s, to_string),
                                 overload("duration_to_string", {l}, s, to_string), overload("int64_to_string", {i}, s, to_string),
                                 overload("timestamp_to_string", {t}, s, to_string), overload("uint64_to_string", {u}, s, to_string)}});
    out.push_back({.name = "timestamp",
                   .overloads = {overload("timestamp_to_timestamp", {t}, t, same), overload("int64_to_timestamp", {i}, t, to_timestamp),
                                 overload("string_to_timestamp", {s}, t, to_timestamp)}});
    out.push_back({.name = "type", .overloads = {overload("type", {a}, types::type_of(a))}, .impl = type_of_value, .shape = Shape::unary});
    out.push_back({.name = "uint",
                   .overloads = {overload("uint64_to_uint64", {u}, u, same), overload("double_to_uint64", {d}, u, to_uint),
                                 overload("int64_to_uint64", {i}, u, to_uint), overload("string_to_uint64", {s}, u, to_uint)}});
}

} // namespace weber::cel
