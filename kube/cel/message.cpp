// Well-known protocol buffer messages, which are all that Flux's environment can make: each becomes a plain CEL value.
#include "kube/base/digest.h"
#include "kube/cel/step.h"
#include "kube/cel/time.h"

namespace weber::cel {

namespace {

using Fields = std::vector<std::pair<std::string, Value>>;

const Value* field(const Fields& fields, std::string_view name) {
    const Value* found = nullptr;
    for (const auto& [n, v] : fields)
        if (n == name) found = &v;
    return found;
}

Value wrong_field(std::string_view type, std::string_view name, const Value& v) {
    return Value::error("field type conversion error for " + std::string(type) + "." + std::string(name) + " value type '" + std::string(type_name(v.kind())) + "'");
}

// What google.protobuf.Value makes of a value: JSON data, integers as doubles where they are exact, else as text.
Value to_json(const Value& v) {
    constexpr std::int64_t kSafe = (1ll << 53) - 1;
    switch (v.kind()) {
    case Kind::integer:
        return v.as_int() >= -kSafe && v.as_int() <= kSafe ? Value::floating(static_cast<double>(v.as_int())) : Value::string(std::to_string(v.as_int()));
    case Kind::unsigned_integer:
        return v.as_uint() <= kSafe ? Value::floating(static_cast<double>(v.as_uint())) : Value::string(std::to_string(v.as_uint()));
    case Kind::bytes: return Value::string(kube::base64_encode(v.as_bytes()));
    case Kind::timestamp: return Value::string(format_timestamp(v.as_timestamp()));
    case Kind::duration: return Value::string(format_seconds(v.as_duration()));
    case Kind::list: {
        std::vector<Value> out;
        for (std::size_t i = 0; i < v.as_list().size(); ++i) {
            out.push_back(to_json(v.as_list().at(i)));
            if (out.back().is_error()) return out.back();
        }
        return Value::list(std::move(out));
    }
    case Kind::map: {
        std::vector<std::pair<Value, Value>> out;
        for (std::size_t i = 0; i < v.as_map().size(); ++i) {
            const Value key = v.as_map().key_at(i);
            if (!key.is(Kind::string)) return Value::error("bad key type");
            out.emplace_back(key, to_json(v.as_map().value_at(i)));
            if (out.back().second.is_error()) return out.back().second;
        }
        return Value::map(std::move(out));
    }
    case Kind::type:
    case Kind::optional: return Value::error("type conversion error from '" + std::string(type_name(v.kind())) + "' to JSON");
    default: return v;
    }
}

Value wrapper(std::string_view type, const Value* v, const Value& zero, std::int64_t low, std::int64_t high) {
    if (v == nullptr) return zero;
    if (v->kind() != zero.kind()) return wrong_field(type, "value", *v);
    if (v->is(Kind::integer) && (v->as_int() < low || v->as_int() > high)) return Value::error("integer overflow");
    if (v->is(Kind::unsigned_integer) && high < INT64_MAX && v->as_uint() > static_cast<std::uint64_t>(high)) return Value::error("unsigned integer overflow");
    if (type == "google.protobuf.FloatValue") return Value::floating(static_cast<float>(v->as_double()));
    return *v;
}

std::optional<std::int64_t> number(const Fields& fields, std::string_view name) {
    const Value* v = field(fields, name);
    if (v == nullptr) return 0;
    return v->is(Kind::integer) ? std::optional(v->as_int()) : std::nullopt;
}

Value make_time(std::string_view type, const Fields& fields) {
    const auto seconds = number(fields, "seconds");
    const auto nanos = number(fields, "nanos");
    if (!seconds || !nanos) return wrong_field(type, seconds ? "nanos" : "seconds", *field(fields, seconds ? "nanos" : "seconds"));
    if (*nanos < INT32_MIN || *nanos > INT32_MAX) return Value::error("integer overflow");
    if (type == "google.protobuf.Duration") {
        std::int64_t total = 0;
        if (__builtin_mul_overflow(*seconds, 1'000'000'000, &total) || __builtin_add_overflow(total, *nanos, &total)) total = *seconds < 0 ? INT64_MIN : INT64_MAX;
        return Value::duration({total});
    }
    if (*seconds < kMinUnixSeconds || *seconds > kMaxUnixSeconds) return Value::error("timestamp overflow");
    return add(Timestamp{*seconds, 0, 0}, Duration{*nanos});
}

// google.protobuf.Value: the field that is set says what it is.
Value make_value(std::string_view type, const Fields& fields) {
    if (fields.empty()) return Value::null();
    const auto& [name, v] = fields.back();
    if (name == "null_value") return Value::null();
    const Kind wanted = name == "number_value"   ? Kind::floating
                        : name == "string_value" ? Kind::string
                        : name == "bool_value"   ? Kind::boolean
                        : name == "struct_value" ? Kind::map
                                                 : Kind::list;
    return v.kind() == wanted ? to_json(v) : wrong_field(type, name, v);
}

} // namespace

Value make_message(std::string_view type, const Fields& fields) {
    const std::string_view tail = type.substr(std::string_view("google.protobuf.").size());
    for (const auto& [name, v] : fields)
        if (!message_field(type, name)) return Value::error("no such field: " + name);
    const Value* v = field(fields, "value");
    if (tail == "BoolValue") return wrapper(type, v, Value::boolean(false), 0, 0);
    if (tail == "BytesValue") return wrapper(type, v, Value::bytes(""), 0, 0);
    if (tail == "StringValue") return wrapper(type, v, Value::string(std::string_view()), 0, 0);
    if (tail == "DoubleValue" || tail == "FloatValue") return wrapper(type, v, Value::floating(0), 0, 0);
    if (tail == "Int32Value") return wrapper(type, v, Value::integer(0), INT32_MIN, INT32_MAX);
    if (tail == "Int64Value") return wrapper(type, v, Value::integer(0), INT64_MIN, INT64_MAX);
    if (tail == "UInt32Value") return wrapper(type, v, Value::unsigned_integer(0), 0, UINT32_MAX);
    if (tail == "UInt64Value") return wrapper(type, v, Value::unsigned_integer(0), 0, INT64_MAX);
    if (tail == "Duration" || tail == "Timestamp") return make_time(type, fields);
    if (tail == "Value") return make_value(type, fields);
    const bool is_list = tail == "ListValue";
    const Value* data = field(fields, is_list ? "values" : "fields");
    if (data == nullptr) return is_list ? Value::list(std::vector<Value>{}) : Value::map(std::vector<std::pair<Value, Value>>{});
    if (data->kind() != (is_list ? Kind::list : Kind::map)) return wrong_field(type, is_list ? "values" : "fields", *data);
    return to_json(*data);
}

} // namespace weber::cel
