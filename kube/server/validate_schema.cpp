// Schemas of CustomResourceDefinitions: structural ones only (apiextensions-apiserver's schema/validation.go, complete.go), defaults that fit
// (defaulting/validation.go), and what OpenAPI allows but Kubernetes does not (apis/apiextensions/validation). CEL rules are not compiled.
#include <algorithm>
#include <array>
#include <set>

#include "kube/server/crd_values.h"
#include "kube/server/validate_rules.h"

namespace weber::kube::server {
namespace {

bool given(const Node& schema, std::string_view key) { // as Go has it: absent, null and zero values are the same
    const Node& v = child(schema, key);
    if (v.is_string()) return !v.text().empty();
    return v.is_bool() ? v.as_bool() : v.is_list() || v.is_map() ? !v.empty() : !v.is_null();
}
bool present(const Node& schema, std::string_view key) { return !child(schema, key).is_null(); }

enum class Level : std::uint8_t { root, item, field };
constexpr std::array kCombined{"anyOf", "allOf", "oneOf"};

// What cannot even be made into a structural schema; the words are the real server's. "": can be.
std::string inconvertible(const Node& schema) {
    std::string out;
    each_schema(schema, [&](const Node& s) {
        if (!out.empty()) return;
        for (const auto field : {"id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions"})
            if (std::string_view(field) == "additionalItems" ? present(s, field) : given(s, field))
                out = "OpenAPIV3Schema '" + std::string(std::string_view(field) == "$schema" ? "schema" : field) + "' is not supported";
        if (child(s, "items").is_list()) out = "OpenAPIV3Schema 'items' must be a schema, but is an array";
        if (const Node* keep = s.find("x-kubernetes-preserve-unknown-fields"); keep && keep->is_bool() && !keep->as_bool())
            out = "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
    });
    return out;
}

// ---- structural -------------------------------------------------------------------------------------------------------------------------

bool is_int_or_string(const Node& any_of) {
    return any_of.size() == 2 && any_of.items()[0] == Node::map({{"type", Node::string("integer")}}) && any_of.items()[1] == Node::map({{"type", Node::string("string")}});
}

void check_nested(Problems& p, const std::string& path, const Node& v, bool skip_any_of);

// anyOf, allOf, oneOf, not and pattern of a schema.
void check_value_rules(Problems& p, const std::string& path, const Node& s, bool skip_any_of, bool skip_first_all_of) {
    for (const auto word : kCombined) {
        if (skip_any_of && std::string_view(word) == "anyOf") continue;
        const Node& list = child(s, word);
        for (std::size_t i = 0; i < list.size(); ++i)
            check_nested(p, at(path + "." + word, i), list.items()[i], skip_first_all_of && i == 0 && std::string_view(word) == "allOf");
    }
    if (child(s, "not").is_map()) check_nested(p, path + ".not", child(s, "not"), false);
    if (const auto pattern = s.text_at("pattern"); !pattern.empty())
        if (const auto why = pattern_error(pattern); !why.empty()) p.invalid(path + ".pattern", pattern, "must be a valid regular expression, but isn't: error parsing regexp: " + why);
}

// What stands below anyOf and its like restricts values and nothing else.
void check_nested(Problems& p, const std::string& path, const Node& v, bool skip_any_of) {
    check_value_rules(p, path, v, skip_any_of, false);
    if (child(v, "items").is_map()) check_nested(p, path + ".items", child(v, "items"), false);
    for (const auto& e : child(v, "properties").entries()) check_nested(p, key_of(path + ".properties", e.key.view()), e.value, false);
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kForbidden{{
        {"type", "empty"}, {"additionalProperties", "undefined"}, {"default", "undefined"}, {"title", "empty"}, {"description", "empty"}, {"nullable", "false"},
        {"x-kubernetes-preserve-unknown-fields", "false"}, {"x-kubernetes-embedded-resource", "false"}, {"x-kubernetes-int-or-string", "false"},
        {"x-kubernetes-list-map-keys", "empty"}, {"x-kubernetes-list-type", "undefined"}, {"x-kubernetes-map-type", "undefined"}, {"x-kubernetes-validations", "empty"}}};
    for (const auto& [field, must] : kForbidden) {
        const bool there = field == "additionalProperties" ? child(v, field).is_map() || yes(v, field) : must == "undefined" ? present(v, field) : given(v, field);
        if (there) p.forbidden(path + "." + std::string(field), "must be " + std::string(must) + " to be structural");
    }
    if (child(v, "properties").contains("metadata")) p.forbidden(path + ".properties[metadata]", "must not be specified in a nested context");
}

// The server knows what metadata is: a schema may restrict names, and nothing more.
void check_metadata_schema(Problems& p, const std::string& path, const Node& s, bool known, Level level) {
    if (known && s.text_at("type") != "object") p.invalid(path + ".type", s.text_at("type"), "must be object");
    if (level != Level::root) return;
    const Node& properties = child(s, "properties");
    const bool names_only = std::ranges::all_of(properties.entries(), [](const auto& e) { return e.key.view() == "name" || e.key.view() == "generateName"; });
    for (const auto& e : s.entries()) {
        const auto key = e.key.view();
        if (key == "type" || key == "default" || (key == "properties" && names_only) || !given(s, key)) continue;
        return p.forbidden(path, "must not specify anything other than name and generateName, but metadata is implicitly specified");
    }
}

void check_structure(Problems& p, const std::string& path, const Node& s, Level level) {
    const auto type = s.text_at("type");
    const bool embedded = yes(s, "x-kubernetes-embedded-resource"), either = yes(s, "x-kubernetes-int-or-string"), keep = yes(s, "x-kubernetes-preserve-unknown-fields");
    const Node &properties = child(s, "properties"), &more = child(s, "additionalProperties");
    if (type == "array" && !child(s, "items").is_map()) p.required(path + ".items", "must be specified");
    if (child(s, "items").is_map()) check_structure(p, path + ".items", child(s, "items"), Level::item);
    for (const auto& e : properties.entries()) check_structure(p, key_of(path + ".properties", e.key.view()), e.value, Level::field);
    if (!more.is_null() && level == Level::root) p.forbidden(path + ".additionalProperties", "must not be used at the root");
    if (more.is_map()) check_structure(p, path + ".additionalProperties", more, Level::field);
    for (const auto& [field, set] : {std::pair{"x-kubernetes-preserve-unknown-fields", keep}, std::pair{"x-kubernetes-embedded-resource", embedded}})
        if (either && set) p.invalid(path + "." + field, Node::boolean(true), "must be false if x-kubernetes-int-or-string is true");
    const Node& all_of = child(s, "allOf");
    check_value_rules(p, path, s, is_int_or_string(child(s, "anyOf")), !all_of.empty() && is_int_or_string(child(all_of.items()[0], "anyOf")));
    constexpr const char* kObject = "must be object if x-kubernetes-embedded-resource is true";
    if (embedded && type.empty())
        p.required(path + ".type", kObject);
    else if (embedded && type != "object")
        p.invalid(path + ".type", type, kObject);
    else if (type.empty() && !either && !keep)
        p.required(path + ".type", level == Level::root   ? "must not be empty at the root"
                                   : level == Level::item ? "must not be empty for specified array items"
                                                          : "must not be empty for specified object fields");
    if (embedded && !more.is_null()) p.forbidden(path + ".additionalProperties", "must not be used if x-kubernetes-embedded-resource is set");
    if (level == Level::root && !type.empty() && type != "object") p.invalid(path + ".type", type, "must be object at the root");
    const bool known = level == Level::root || embedded;
    for (const auto field : {"kind", "apiVersion"})
        if (const Node* own = properties.find(field); own && known && own->text_at("type") != "string")
            p.invalid(key_of(path + ".properties", field) + ".type", own->text_at("type"), "must be string");
    if (const Node* metadata = properties.find("metadata")) check_metadata_schema(p, path + ".properties[metadata]", *metadata, known, level);
    if (embedded && !keep && properties.empty())
        p.required(path + ".properties", "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields");
}

// Whatever a nested schema speaks of is there in the structure, too. `s` null: nothing is.
void check_complete(Problems& p, const std::string& s_path, const Node& s, const std::string& v_path, const Node& v) {
    const auto missing = [&](const std::string& where, const std::string& by) { p.required(where, "because it is defined in " + by); };
    const auto nested = [&](const Node& part, const std::string& here) {
        if (s.is_null()) return missing(s_path, here);
        check_complete(p, s_path, s, here, part);
        if (child(part, "items").is_map() && !child(s, "items").is_map())
            missing(s_path + ".items", here + ".items");
        else if (child(part, "items").is_map())
            check_complete(p, s_path + ".items", child(s, "items"), here + ".items", child(part, "items"));
        for (const auto& e : child(part, "properties").entries()) {
            const std::string own = key_of(s_path + ".properties", e.key.view()), by = key_of(here + ".properties", e.key.view());
            if (const Node* sub = child(s, "properties").find(e.key.view()))
                check_complete(p, own, *sub, by, e.value);
            else
                missing(own, by);
        }
    };
    if (child(v, "not").is_map()) nested(child(v, "not"), v_path + ".not");
    for (const auto word : {"allOf", "anyOf", "oneOf"})
        for (std::size_t i = 0; i < child(v, word).size(); ++i) nested(child(v, word).items()[i], at(v_path + "." + word, i));
}

// ---- defaults ---------------------------------------------------------------------------------------------------------------------------

bool has_unknown(const Node& value, const Node& s) {
    const Node& more = child(s, "additionalProperties");
    for (const auto& e : value.entries()) {
        const auto key = e.key.view();
        const Node* sub = child(s, "properties").find(key);
        if (!sub && more.is_map()) sub = &more;
        if (sub ? has_unknown(e.value, *sub) : !yes(s, "x-kubernetes-preserve-unknown-fields") && !more.as_bool() &&
                                                   !(yes(s, "x-kubernetes-embedded-resource") && (key == "apiVersion" || key == "kind" || key == "metadata")))
            return true;
    }
    return child(s, "items").is_map() && std::ranges::any_of(value.items(), [&](const Node& item) { return has_unknown(item, child(s, "items")); });
}

void check_defaults(Problems& p, const std::string& path, const Node& s, bool in_metadata) {
    const bool embedded = yes(s, "x-kubernetes-embedded-resource");
    if (embedded) in_metadata = false;
    if (const Node* value = s.find("default"); value && !value->is_null()) {
        if (!in_metadata && has_unknown(*value, s)) p.invalid(path + ".default", *value, "must not have unknown fields");
        for (auto& cause : validate_default(path + ".default", *value, s)) p.list.push_back(std::move(cause));
    }
    if (child(s, "items").is_map()) check_defaults(p, path + ".items", child(s, "items"), in_metadata);
    for (const auto& e : child(s, "properties").entries()) {
        const auto key = e.key.view();
        check_defaults(p, key_of(path + ".properties", key), e.value, in_metadata || (embedded && (key == "metadata" || key == "apiVersion" || key == "kind")));
    }
}

// ---- what Kubernetes allows of OpenAPI --------------------------------------------------------------------------------------------------

// `extra` (x-kubernetes-…-type) is only for values of `type`.
void check_type_of(Problems& p, const std::string& path, const Node& s, std::string_view extra, std::string_view type) {
    const std::string why = "must be " + std::string(type) + " if " + std::string(extra) + " is specified";
    if (s.text_at("type").empty())
        p.required(path + ".type", why);
    else
        p.invalid(path + ".type", s.text_at("type"), why);
}

// Items of a set are compared as a whole.
void check_set_items(Problems& p, const std::string& path, const Node& items) {
    constexpr const char* kAtomic = "must be atomic as item of a list with x-kubernetes-list-type=set";
    const Node& list_type = child(items, "x-kubernetes-list-type");
    if (items.text_at("type") == "array" && !list_type.is_null() && list_type.text() != "atomic") p.invalid(path + ".items.x-kubernetes-list-type", list_type, kAtomic);
    if (items.text_at("type") == "object" && items.text_at("x-kubernetes-map-type") != "atomic") p.invalid(path + ".items.x-kubernetes-map-type", list_type, kAtomic);
}

void check_list_keys(Problems& p, const std::string& path, const Node& s) {
    const Node &keys = child(s, "x-kubernetes-list-map-keys"), &items = child(s, "items");
    const std::string here = path + ".x-kubernetes-list-map-keys";
    if (keys.empty()) p.required(here, "must not be empty if x-kubernetes-list-type is map");
    if (items.is_null()) return p.required(path + ".items", "must have a schema if x-kubernetes-list-type is map");
    if (!items.is_map()) return;
    if (items.text_at("type") != "object") return p.invalid(path + ".items.type", items.text_at("type"), "must be object if parent array's x-kubernetes-list-type is map");
    std::set<std::string_view> seen;
    for (const Node& k : keys.items()) {
        const Node* property = child(items, "properties").find(k.text());
        if (!property) p.invalid(here, keys, "entries must all be names of item properties");
        if (property && (property->text_at("type") == "object" || property->text_at("type") == "array"))
            p.invalid(key_of(path + ".items.properties", k.text()) + ".type", items.text_at("type"), "must be a scalar type if parent array's x-kubernetes-list-type is map");
        if (!seen.insert(k.text()).second) p.invalid(here, keys, "must not contain duplicate entries");
    }
}

// The values of keys must always be there.
void check_key_values(Problems& p, const std::string& path, const Node& s) {
    const auto type = s.text_at("x-kubernetes-list-type");
    const Node& items = child(s, "items");
    if (!items.is_map() || (type != "map" && type != "set")) return;
    if (yes(items, "nullable")) p.forbidden(path + ".items.nullable", "cannot be nullable when x-kubernetes-list-type is " + std::string(type));
    if (type != "map") return;
    for (const Node& k : child(s, "x-kubernetes-list-map-keys").items()) {
        const Node* property = child(items, "properties").find(k.text());
        if (!property) continue;
        const std::string here = key_of(path + ".items.properties", k.text());
        const auto& required = child(items, "required").items();
        if (!present(*property, "default") && std::ranges::none_of(required, [&](const Node& r) { return r.text() == k.text(); }))
            p.required(here + ".default", "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
        if (yes(*property, "nullable")) p.forbidden(here + ".nullable", "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
    }
}

void check_extensions(Problems& p, const std::string& path, const Node& s) {
    const Node *map_type = s.find("x-kubernetes-map-type"), *list_type = s.find("x-kubernetes-list-type");
    const auto type = s.text_at("type");
    if (const Node* keep = s.find("x-kubernetes-preserve-unknown-fields"); keep && keep->is_bool() && !keep->as_bool())
        p.invalid(path + ".x-kubernetes-preserve-unknown-fields", Node::boolean(false), "must be true or undefined");
    if (map_type && type != "object") check_type_of(p, path, s, "x-kubernetes-map-type", "object");
    if (map_type && map_type->text() != "atomic" && map_type->text() != "granular") p.not_supported(path + ".x-kubernetes-map-type", *map_type, {"atomic", "granular"});
    if (list_type && type != "array")
        check_type_of(p, path, s, "x-kubernetes-list-type", "array");
    else if (list_type && list_type->text() == "set" && child(s, "items").is_map())
        check_set_items(p, path, child(s, "items"));
    const auto kind = list_type ? list_type->text() : std::string_view();
    if (list_type && kind != "atomic" && kind != "set" && kind != "map") p.not_supported(path + ".x-kubernetes-list-type", *list_type, {"atomic", "set", "map"});
    constexpr const char* kMap = "must be map if x-kubernetes-list-map-keys is non-empty";
    if (given(s, "x-kubernetes-list-map-keys") && !list_type) p.required(path + ".x-kubernetes-list-type", kMap);
    if (given(s, "x-kubernetes-list-map-keys") && list_type && kind != "map") p.invalid(path + ".x-kubernetes-list-type", kind, kMap);
    if (kind == "map") check_list_keys(p, path, s);
    check_key_values(p, path, s);
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n\v\f");
    return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t\r\n\v\f") - first + 1);
}
bool has_breaks(std::string_view text) { return text.find_first_of("\r\n") != std::string_view::npos; }

// What is said beside a rule; the rule itself is not read.
void check_rules(Problems& p, const std::string& path, const Node& s) {
    const Node& rules = child(s, "x-kubernetes-validations");
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const Node& r = rules.items()[i];
        const std::string here = at(path + ".x-kubernetes-validations", i);
        const auto rule = trimmed(r.text_at("rule")), message = r.text_at("message"), field = r.text_at("fieldPath");
        if (rule.empty())
            p.required(here + ".rule", "rule is not specified");
        else if (!message.empty() && trimmed(message).empty())
            p.invalid(here + ".message", message, "must be non-empty if specified");
        else if (has_breaks(trimmed(message)))
            p.invalid(here + ".message", message, "must not contain line breaks");
        else if (has_breaks(rule) && message.empty())
            p.required(here + ".message", "message must be specified if rule contains line breaks");
        if (const auto text = r.text_at("messageExpression"); !text.empty() && trimmed(text).empty()) p.required(here + ".messageExpression", "messageExpression must be non-empty if specified");
        static const std::set<std::string_view> kReasons{"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"};
        if (const Node* reason = r.find("reason"); reason && !kReasons.contains(reason->text()))
            p.not_supported(here + ".reason", *reason, {"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"});
        if (!field.empty() && trimmed(field).empty()) p.invalid(here + ".fieldPath", field, "must be non-empty if specified");
        if (has_breaks(field)) p.invalid(here + ".fieldPath", field, "must not contain line breaks");
        if (!field.empty() && inconvertible(s).empty() && !field_of(s, field, true)) p.invalid(here + ".fieldPath", field, "must be a valid path");
    }
}

struct Around {
    std::string no_defaults;  // why defaults are forbidden here; "" = they are not
    bool in_metadata = false; // of the object or of one inside it
};

void check_standard(Problems& p, const std::string& path, const Node& s, const Around& around) {
    static const std::set<std::string_view> kTypes{"array", "boolean", "integer", "number", "object", "string"};
    const auto type = s.text_at("type");
    if (!type.empty() && !kTypes.contains(type)) p.not_supported(path + ".type", Node::string(type), {"array", "boolean", "integer", "number", "object", "string"});
    if (present(s, "default") && !around.no_defaults.empty()) p.forbidden(path + ".default", "must not be set " + around.no_defaults);
    const auto unsupported = [&](std::string_view field, bool set) {
        if (set) p.forbidden(path + "." + std::string(field), std::string(field) + " is not supported");
    };
    unsupported("id", given(s, "id"));
    unsupported("additionalItems", present(s, "additionalItems"));
    unsupported("patternProperties", given(s, "patternProperties"));
    unsupported("definitions", given(s, "definitions"));
    unsupported("dependencies", present(s, "dependencies"));
    unsupported("$ref", present(s, "$ref"));
    if (type == "null") p.forbidden(path + ".type", "type cannot be set to null, use nullable as an alternative");
    if (child(s, "items").is_list() && !child(s, "items").empty()) p.forbidden(path + ".items", "items must be a schema object and not an array");
    if (around.in_metadata && yes(s, "x-kubernetes-embedded-resource")) p.forbidden(path + ".x-kubernetes-embedded-resource", "must not be used inside of resource meta");
    if (yes(s, "uniqueItems")) p.forbidden(path + ".uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
}

void check_open_api(Problems& p, const std::string& path, const Node& s, const Around& around, bool root) {
    check_standard(p, path, s, around);
    const Node &properties = child(s, "properties"), &more = child(s, "additionalProperties");
    if (!more.is_null() && !properties.empty() && !yes(s, "additionalProperties")) p.forbidden(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive");
    if (more.is_map()) {
        Around inside = around;
        if (around.in_metadata) inside.no_defaults = "inside additionalProperties applying to object metadata";
        check_open_api(p, path + ".additionalProperties", more, inside, false);
    }
    for (const auto& e : properties.entries()) {
        const auto key = e.key.view();
        Around inside = around;
        if ((root || yes(s, "x-kubernetes-embedded-resource")) && (key == "metadata" || key == "kind" || key == "apiVersion")) {
            inside.in_metadata = true;
            if (root) inside.no_defaults = "in top-level " + std::string(key);
        }
        check_open_api(p, key_of(path + ".properties", key), e.value, inside, false);
    }
    if (child(s, "not").is_map()) check_open_api(p, path + ".not", child(s, "not"), around, false);
    for (const auto word : {"allOf", "oneOf", "anyOf"})
        for (std::size_t i = 0; i < child(s, word).size(); ++i) check_open_api(p, at(path + "." + word, i), child(s, word).items()[i], around, false);
    for (const auto& e : child(s, "definitions").entries()) check_open_api(p, key_of(path + ".definitions", e.key.view()), e.value, around, false);
    const Node& items = child(s, "items");
    if (items.is_map()) check_open_api(p, path + ".items", items, around, false);
    for (std::size_t i = 0; items.is_list() && i < items.size(); ++i) check_open_api(p, at(path + ".items", i), items.items()[i], around, false);
    check_extensions(p, path, s);
    check_rules(p, path, s);
}

// ---- a schema beside a status subresource -----------------------------------------------------------------------------------------------

enum class Form : std::uint8_t { text, flag, as_is, schema, schemas, named, items, more, docs, rules };
struct SchemaField {
    const char *go, *json;
    Form form;
    bool at_root; // may stand at the root beside a status subresource
};
// The real server's JSONSchemaProps, in order.
constexpr std::array<SchemaField, 43> kFields{{
    {"ID", "id", Form::text, false}, {"Schema", "$schema", Form::text, false}, {"Ref", "$ref", Form::as_is, false}, {"Description", "description", Form::text, true},
    {"Type", "type", Form::text, true}, {"Nullable", "nullable", Form::flag, false}, {"Format", "format", Form::text, true}, {"Title", "title", Form::text, true},
    {"Default", "default", Form::as_is, false}, {"Maximum", "maximum", Form::as_is, true}, {"ExclusiveMaximum", "exclusiveMaximum", Form::flag, true},
    {"Minimum", "minimum", Form::as_is, true}, {"ExclusiveMinimum", "exclusiveMinimum", Form::flag, true}, {"MaxLength", "maxLength", Form::as_is, true},
    {"MinLength", "minLength", Form::as_is, true}, {"Pattern", "pattern", Form::text, true}, {"MaxItems", "maxItems", Form::as_is, true},
    {"MinItems", "minItems", Form::as_is, true}, {"UniqueItems", "uniqueItems", Form::flag, true}, {"MultipleOf", "multipleOf", Form::as_is, true},
    {"Enum", "enum", Form::as_is, false}, {"MaxProperties", "maxProperties", Form::as_is, false}, {"MinProperties", "minProperties", Form::as_is, false},
    {"Required", "required", Form::as_is, true}, {"Items", "items", Form::items, true}, {"AllOf", "allOf", Form::schemas, false}, {"OneOf", "oneOf", Form::schemas, false},
    {"AnyOf", "anyOf", Form::schemas, false}, {"Not", "not", Form::schema, false}, {"Properties", "properties", Form::named, true},
    {"AdditionalProperties", "additionalProperties", Form::more, false}, {"PatternProperties", "patternProperties", Form::named, false},
    {"Dependencies", "dependencies", Form::as_is, false}, {"AdditionalItems", "additionalItems", Form::more, false}, {"Definitions", "definitions", Form::named, false},
    {"ExternalDocs", "externalDocs", Form::docs, true}, {"Example", "example", Form::as_is, true},
    {"XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", Form::as_is, true}, {"XEmbeddedResource", "x-kubernetes-embedded-resource", Form::flag, false},
    {"XIntOrString", "x-kubernetes-int-or-string", Form::flag, false}, {"XListMapKeys", "x-kubernetes-list-map-keys", Form::as_is, false},
    {"XListType", "x-kubernetes-list-type", Form::as_is, false}, {"XMapType", "x-kubernetes-map-type", Form::as_is, false},
}};

Node shown_schema(const Node& s);

Node shown_field(const Node& v, Form form) {
    const auto text = [](const Node& n, const char* key) { return Node::string(n.text_at(key)); };
    switch (form) {
    case Form::text: return Node::string(v.text());
    case Form::flag: return Node::boolean(v.as_bool());
    case Form::schema: return v.is_map() ? shown_schema(v) : Node();
    case Form::items: return v.is_map() ? Node::map({{"Schema", shown_schema(v)}, {"JSONSchemas", Node()}}) : Node();
    case Form::more:
        return v.is_null() ? Node() : Node::map({{"Allows", Node::boolean(v.is_map() || v.as_bool())}, {"Schema", v.is_map() ? shown_schema(v) : Node()}});
    case Form::docs: return v.is_null() ? Node() : Node::map({{"Description", text(v, "description")}, {"URL", text(v, "url")}});
    case Form::schemas: {
        Node out = Node::list();
        for (const Node& one : v.items()) out.push_back(shown_schema(one));
        return out.empty() ? Node() : out;
    }
    case Form::named: {
        Node out = Node::map();
        for (const auto& e : v.entries()) out.set(e.key, shown_schema(e.value));
        out.sort_keys();
        return out.empty() ? Node() : out;
    }
    case Form::rules: {
        Node out = Node::list();
        for (const Node& r : v.items())
            out.push_back(Node::map({{"Rule", text(r, "rule")}, {"Message", text(r, "message")}, {"MessageExpression", text(r, "messageExpression")}, {"Reason", child(r, "reason")},
                                     {"FieldPath", text(r, "fieldPath")}, {"OptionalOldSelf", child(r, "optionalOldSelf")}}));
        return out.empty() ? Node() : out;
    }
    case Form::as_is: break;
    }
    return v;
}

Node shown_schema(const Node& s) {
    Node out = Node::map();
    for (const auto& f : kFields) out.set(f.go, shown_field(child(s, f.json), f.form));
    out.set("XValidations", shown_field(child(s, "x-kubernetes-validations"), Form::rules));
    return out;
}

// The status is validated alone then, so what combines it with the rest would be lost.
void check_root_fields(Problems& p, const std::string& path, const Node& s) {
    for (const auto& f : kFields) {
        if (!(f.form == Form::as_is || f.form == Form::more ? present(s, f.json) : given(s, f.json))) continue;
        if (std::string_view(f.go) == "Type" && s.text_at("type") != "object")
            return p.invalid(path + ".type", s.text_at("type"), R"(only "object" is allowed as the type at the root of the schema if the status subresource is enabled)");
        if (f.at_root) continue;
        return p.invalid(path, shown_schema(s), "only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems "
                                                "MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the "
                                                "schema if the status subresource is enabled");
    }
}

} // namespace

void check_schema(Problems& p, const std::string& path, const Node& schema, bool has_status) {
    const std::size_t before = p.list.size();
    if (has_status) check_root_fields(p, path, schema);
    if (yes(schema, "nullable")) p.forbidden(path + ".nullable", "nullable cannot be true at the root");
    const std::string why = inconvertible(schema);
    if (why.empty()) {
        Problems structure;
        check_structure(structure, path, schema, Level::root);
        check_complete(structure, path, schema, path, schema);
        std::ranges::sort(structure.list, {}, [](const ErrorDetail& d) { return d.field + ": " + d.message; });
        if (structure.list.empty()) {
            Node root = schema;
            root.set("x-kubernetes-embedded-resource", Node::boolean(true));
            check_defaults(structure, path, root, false);
        }
        p.list.insert(p.list.end(), structure.list.begin(), structure.list.end());
    }
    check_open_api(p, path, schema, {}, true);
    if (!why.empty() && p.list.size() == before) p.invalid(path, "", why);
}

const Node* field_of(const Node& schema, std::string_view path, bool brackets, std::string* why, std::string* name) {
    const auto fail = [&](const std::string& text) -> const Node* {
        if (why) *why = text;
        return nullptr;
    };
    const Node* s = &schema;
    const auto step = [&](const std::string& key) {
        const Node& properties = child(*s, "properties");
        const Node* next = !properties.empty() ? properties.find(key) : child(*s, "additionalProperties").is_map() ? &child(*s, "additionalProperties") : nullptr;
        if (next && name) *name += properties.empty() ? "[" + key + "]" : (name->empty() ? "" : ".") + key;
        s = next;
        return next != nullptr;
    };
    constexpr const char* kNoField = "does not refer to a valid field";
    while (!path.empty()) {
        if (path[0] == '.') {
            path.remove_prefix(1);
            if (path.empty()) return fail("unexpected end of JSON path");
            const auto end = std::min(std::max<std::size_t>(path.find_first_of(".[]"), 1), path.size());
            if (!step(std::string(path.substr(0, end)))) return fail(kNoField);
            path.remove_prefix(end);
        } else if (path[0] == '[') {
            if (!brackets) return fail("array notation is not allowed");
            const auto end = path.size() > 1 && path[1] == '\'' ? path.find('\'', 2) : std::string_view::npos;
            if (end == std::string_view::npos) return fail("expected single quoted string");
            if (!step(std::string(path.substr(2, end - 2)))) return fail(kNoField);
            if (end + 1 >= path.size()) return fail("unexpected end of JSON path");
            if (path[end + 1] != ']') return fail("expected ]");
            path.remove_prefix(end + 2);
        } else {
            return fail("expected [ or . but got: " + std::string(path.substr(0, std::min(path.find_first_of(".[]"), path.size()))));
        }
    }
    return s;
}

} // namespace weber::kube::server
