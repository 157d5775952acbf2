#include "kube/server/openapi_protobuf.h"

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

#include "kube/base/json.h"

namespace weber::kube::server {
namespace {

// How the value of a field is written.
enum class Form : std::uint8_t {
    text,
    flag,
    integer,
    number,   // a double
    texts,    // repeated
    any,      // Any: its YAML
    anys,     // repeated
    message,  // `type`
    messages, // repeated `type`
    wrapped,  // a message whose field 1 is the text, or texts
    choice,   // a message whose field 1 is the message `type`, or 2 a flag
    named,    // a message of repeated {name = 1, value = 2}, in field `inner`
    parameter,
    response,
};

struct Message;
struct FieldRow {
    std::string_view name;
    std::uint32_t number;
    Form form;
    const Message* type = nullptr;
    std::uint32_t inner = 1;
};
struct Message {
    std::span<const FieldRow> fields;
    std::uint32_t extensions = 0; // field of the vendor extensions
};

extern const Message kSchema;
constexpr FieldRow kSchemaFields[] = {
    {"$ref", 1, Form::text},          {"format", 2, Form::text},        {"title", 3, Form::text},          {"description", 4, Form::text},
    {"default", 5, Form::any},        {"multipleOf", 6, Form::number},  {"maximum", 7, Form::number},      {"exclusiveMaximum", 8, Form::flag},
    {"minimum", 9, Form::number},     {"exclusiveMinimum", 10, Form::flag}, {"maxLength", 11, Form::integer}, {"minLength", 12, Form::integer},
    {"pattern", 13, Form::text},      {"maxItems", 14, Form::integer},  {"minItems", 15, Form::integer},   {"uniqueItems", 16, Form::flag},
    {"maxProperties", 17, Form::integer}, {"minProperties", 18, Form::integer}, {"required", 19, Form::texts}, {"enum", 20, Form::anys},
    {"additionalProperties", 21, Form::choice, &kSchema}, {"type", 22, Form::wrapped}, {"items", 23, Form::choice, &kSchema}, {"allOf", 24, Form::messages, &kSchema},
    {"properties", 25, Form::named, &kSchema}, {"example", 30, Form::any},
};
constexpr FieldRow kInfoFields[] = {{"title", 1, Form::text}, {"version", 2, Form::text}};
constexpr FieldRow kParameterFields[] = {{"in", 2, Form::text}, {"name", 4, Form::text}, {"type", 6, Form::text}, {"uniqueItems", 20, Form::flag}};
constexpr FieldRow kResponseFields[] = {{"description", 1, Form::text}};
const Message kSchema{kSchemaFields, 31};
const Message kInfo{kInfoFields, 7};
const Message kParameter{kParameterFields, 23};
const Message kResponse{kResponseFields, 5};
constexpr FieldRow kOperationFields[] = {{"parameters", 8, Form::parameter, &kParameter}, {"responses", 9, Form::response, &kResponse}};
const Message kOperation{kOperationFields, 13};
constexpr FieldRow kPathFields[] = {{"get", 2, Form::message, &kOperation},    {"put", 3, Form::message, &kOperation},   {"post", 4, Form::message, &kOperation},
                                    {"delete", 5, Form::message, &kOperation}, {"patch", 8, Form::message, &kOperation}};
const Message kPath{kPathFields, 10};
constexpr FieldRow kDocumentFields[] = {
    {"swagger", 1, Form::text}, {"info", 2, Form::message, &kInfo}, {"paths", 8, Form::named, &kPath, 2}, {"definitions", 9, Form::named, &kSchema}};
const Message kDocument{kDocumentFields, 16};

void put_varint(std::string& out, std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
    out += static_cast<char>(v);
}
void put_number(std::string& out, std::uint32_t field, std::uint64_t v) {
    put_varint(out, field << 3);
    put_varint(out, v);
}
void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
    put_varint(out, (field << 3) | 2);
    put_varint(out, bytes.size());
    out += bytes;
}
std::string in_field(std::uint32_t field, std::string_view bytes) {
    std::string out;
    put_bytes(out, field, bytes);
    return out;
}
std::string any(const Node& v) { return in_field(2, write_json(v)); }
std::string named(std::string_view name, std::string_view value) { return in_field(1, name) + in_field(2, value); }

std::string encode(const Node& v, const Message& type);

void put_field(std::string& out, const FieldRow& row, const Node& v) {
    const auto each = [&](auto&& bytes_of) {
        for (const Node& item : v.items()) put_bytes(out, row.number, bytes_of(item));
    };
    switch (row.form) {
    case Form::text: return put_bytes(out, row.number, v.text());
    case Form::flag: return v.is_bool() && v.as_bool() ? put_number(out, row.number, 1) : void();
    case Form::integer: return put_number(out, row.number, static_cast<std::uint64_t>(v.as_int().value_or(0)));
    case Form::number: {
        put_varint(out, (row.number << 3) | 1);
        for (auto bits = std::bit_cast<std::uint64_t>(v.as_double().value_or(0)), n = std::uint64_t{8}; n > 0; --n, bits >>= 8) out += static_cast<char>(bits);
        return;
    }
    case Form::texts: return each([](const Node& item) { return item.text(); });
    case Form::any: return put_bytes(out, row.number, any(v));
    case Form::anys: return each(any);
    case Form::message: return put_bytes(out, row.number, encode(v, *row.type));
    case Form::messages: return each([&](const Node& item) { return encode(item, *row.type); });
    case Form::wrapped: return put_bytes(out, row.number, in_field(1, v.text()));
    case Form::choice: {
        std::string flag;
        if (v.is_bool()) put_number(flag, 2, v.as_bool());
        return put_bytes(out, row.number, v.is_bool() ? flag : in_field(1, encode(v, *row.type)));
    }
    case Form::named: {
        std::string inside;
        for (const auto& [name, value] : v.entries()) put_bytes(inside, row.inner, named(name.view(), encode(value, *row.type)));
        return put_bytes(out, row.number, inside);
    }
    case Form::parameter: // ParametersItem.parameter.non_body_parameter.query_parameter_sub_schema
        return each([&](const Node& item) { return in_field(1, in_field(2, in_field(3, encode(item, *row.type)))); });
    case Form::response: {
        std::string inside;
        for (const auto& [code, value] : v.entries()) put_bytes(inside, 1, named(code.view(), in_field(1, encode(value, *row.type))));
        return put_bytes(out, row.number, inside);
    }
    }
}

std::string encode(const Node& v, const Message& type) {
    std::string out;
    for (const FieldRow& row : type.fields)
        if (const Node* field = v.find(row.name)) put_field(out, row, *field);
    for (const auto& [key, value] : v.entries())
        if (key.view().starts_with("x-")) put_bytes(out, type.extensions, named(key.view(), any(value)));
    return out;
}

} // namespace

std::string openapi_protobuf(const Node& document) { return encode(document, kDocument); }

} // namespace weber::kube::server
