#include "kube/cel/type.h"

#include <algorithm>
#include <array>

namespace weber::cel {

namespace {

TypePtr make(TypeKind kind, std::string_view name, std::vector<TypePtr> params = {}) {
    std::uint64_t nodes = 1;
    for (const TypePtr& p : params) nodes += p->nodes;
    return std::make_shared<const Type>(
        Type{kind, false, std::string(name), std::move(params), static_cast<std::uint32_t>(std::min<std::uint64_t>(nodes, UINT32_MAX / 4))});
}

bool is_dyn(const Type& t) { return t.kind == TypeKind::dyn || t.kind == TypeKind::any || t.kind == TypeKind::param; }

std::string join(const std::vector<TypePtr>& params, std::string (*form)(const Type&)) {
    std::string out;
    for (const TypePtr& p : params) out += (out.empty() ? "" : ", ") + form(*p);
    return out;
}

std::string declared_name(const Type& t) { return t.nullable ? "wrapper(" + t.name + ")" : t.name; }

struct MessageField {
    std::string_view message, name;
    TypePtr (*type)();
};

TypePtr any_map() { return types::map(types::string(), types::dyn()); }
TypePtr any_list() { return types::list(types::dyn()); }

constexpr std::array kFields{
    MessageField{"google.protobuf.BoolValue", "value", types::boolean},
    MessageField{"google.protobuf.BytesValue", "value", types::bytes},
    MessageField{"google.protobuf.DoubleValue", "value", types::floating},
    MessageField{"google.protobuf.FloatValue", "value", types::floating},
    MessageField{"google.protobuf.Int32Value", "value", types::integer},
    MessageField{"google.protobuf.Int64Value", "value", types::integer},
    MessageField{"google.protobuf.StringValue", "value", types::string},
    MessageField{"google.protobuf.UInt32Value", "value", types::unsigned_integer},
    MessageField{"google.protobuf.UInt64Value", "value", types::unsigned_integer},
    MessageField{"google.protobuf.Duration", "seconds", types::integer},
    MessageField{"google.protobuf.Duration", "nanos", types::integer},
    MessageField{"google.protobuf.Timestamp", "seconds", types::integer},
    MessageField{"google.protobuf.Timestamp", "nanos", types::integer},
    MessageField{"google.protobuf.ListValue", "values", any_list},
    MessageField{"google.protobuf.Struct", "fields", any_map},
    MessageField{"google.protobuf.Value", "null_value", types::integer},
    MessageField{"google.protobuf.Value", "number_value", types::floating},
    MessageField{"google.protobuf.Value", "string_value", types::string},
    MessageField{"google.protobuf.Value", "bool_value", types::boolean},
    MessageField{"google.protobuf.Value", "struct_value", any_map},
    MessageField{"google.protobuf.Value", "list_value", any_list},
};

} // namespace

namespace types {

#define WEBER_CEL_TYPE(function, kind, name)                                                                                               \
    TypePtr function() {                                                                                                                   \
        static const TypePtr type = make(TypeKind::kind, name);                                                                            \
        return type;                                                                                                                       \
    }
WEBER_CEL_TYPE(dyn, dyn, "dyn")
WEBER_CEL_TYPE(any, any, "google.protobuf.Any")
WEBER_CEL_TYPE(null, null, "null_type")
WEBER_CEL_TYPE(boolean, boolean, "bool")
WEBER_CEL_TYPE(integer, integer, "int")
WEBER_CEL_TYPE(unsigned_integer, unsigned_integer, "uint")
WEBER_CEL_TYPE(floating, floating, "double")
WEBER_CEL_TYPE(string, string, "string")
WEBER_CEL_TYPE(bytes, bytes, "bytes")
WEBER_CEL_TYPE(timestamp, timestamp, "google.protobuf.Timestamp")
WEBER_CEL_TYPE(duration, duration, "google.protobuf.Duration")
WEBER_CEL_TYPE(error, error, "error")
WEBER_CEL_TYPE(type, type, "type")
#undef WEBER_CEL_TYPE

TypePtr list(TypePtr element) { return make(TypeKind::list, "list", {std::move(element)}); }
TypePtr map(TypePtr key, TypePtr value) { return make(TypeKind::map, "map", {std::move(key), std::move(value)}); }
TypePtr optional(TypePtr value) { return opaque("optional_type", {std::move(value)}); }
TypePtr opaque(std::string_view name, std::vector<TypePtr> params) { return make(TypeKind::opaque, name, std::move(params)); }
TypePtr type_of(TypePtr what) { return make(TypeKind::type, "type", {std::move(what)}); }
TypePtr param(std::string_view name) { return make(TypeKind::param, name); }
TypePtr wrapper(const TypePtr& of) {
    Type t = *of;
    t.nullable = true;
    return std::make_shared<const Type>(std::move(t));
}

TypePtr message(std::string_view name) {
    constexpr std::string_view kPrefix = "google.protobuf.";
    const std::string_view tail = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : std::string_view();
    if (tail == "BoolValue") return wrapper(boolean());
    if (tail == "BytesValue") return wrapper(bytes());
    if (tail == "DoubleValue" || tail == "FloatValue") return wrapper(floating());
    if (tail == "Int64Value" || tail == "Int32Value") return wrapper(integer());
    if (tail == "UInt64Value" || tail == "UInt32Value") return wrapper(unsigned_integer());
    if (tail == "StringValue") return wrapper(string());
    if (tail == "Any") return any();
    if (tail == "Duration") return duration();
    if (tail == "Timestamp") return timestamp();
    if (tail == "ListValue") return list(dyn());
    if (tail == "NullValue") return null();
    if (tail == "Struct") return map(string(), dyn());
    if (tail == "Value") return dyn();
    return make(TypeKind::message, name);
}

} // namespace types

bool is_message_name(std::string_view name) {
    return std::ranges::any_of(kFields, [&](const MessageField& f) { return f.message == name; });
}

TypePtr named_type(std::string_view name) {
    if (name == "bool") return types::boolean();
    if (name == "bytes") return types::bytes();
    if (name == "double") return types::floating();
    if (name == "int") return types::integer();
    if (name == "uint") return types::unsigned_integer();
    if (name == "string") return types::string();
    if (name == "null_type") return types::null();
    if (name == "type") return types::type();
    if (name == "list") return types::list(types::dyn());
    if (name == "map") return types::map(types::dyn(), types::dyn());
    if (name == "optional_type") return types::opaque("optional_type", {});
    if (name == "google.protobuf.Timestamp") return types::timestamp();
    if (name == "google.protobuf.Duration") return types::duration();
    return nullptr;
}

TypePtr message_field(std::string_view message, std::string_view field) {
    for (const MessageField& f : kFields)
        if (f.message == message && f.name == field) return f.type();
    return nullptr;
}

std::string format_type(const Type& t) {
    switch (t.kind) {
    case TypeKind::any: return "any";
    case TypeKind::duration: return "duration";
    case TypeKind::error: return "!error!";
    case TypeKind::null: return "null";
    case TypeKind::timestamp: return "timestamp";
    case TypeKind::param: return t.name;
    default: break;
    }
    if (t.params.empty()) return declared_name(t);
    return t.name + "(" + join(t.params, format_type) + ")";
}

std::string describe_type(const Type& t) {
    if (t.kind == TypeKind::param) return "<" + t.name + ">";
    if (t.params.empty()) return declared_name(t);
    return declared_name(t) + "(" + join(t.params, describe_type) + ")";
}

bool same_type(const Type& a, const Type& b) {
    if (&a == &b) return true;
    return a.kind == b.kind && a.name == b.name &&
           std::ranges::equal(a.params, b.params, [](const TypePtr& x, const TypePtr& y) { return same_type(*x, *y); });
}

bool assignable(const Type& to, const Type& from) {
    if (&to == &from || is_dyn(to)) return true;
    if (to.nullable && from.kind == TypeKind::null) return true;
    return to.kind == from.kind && to.name == from.name &&
           std::ranges::equal(to.params, from.params, [](const TypePtr& x, const TypePtr& y) { return assignable(*x, *y); });
}

bool accepts(const Type& to, const Value& value) {
    if (to.nullable && value.is(Kind::null)) return true;
    if (!is_dyn(to) && to.name != type_name(value.kind())) return false;
    if (to.kind == TypeKind::list) return value.as_list().size() == 0 || accepts(*to.params[0], value.as_list().at(0));
    if (to.kind == TypeKind::map)
        return value.as_map().size() == 0 || (accepts(*to.params[0], value.as_map().key_at(0)) && accepts(*to.params[1], value.as_map().value_at(0)));
    return true;
}

} // namespace weber::cel
