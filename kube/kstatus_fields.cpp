#include "kube/kstatus_fields.h"

#include "kube/base/json.h"

namespace weber::kube::status_fields {

namespace {

// Go's name for the kind of a decoded JSON value, as reflect prints it.
std::string_view go_kind(const Node& n) {
    switch (n.kind()) {
    case NodeKind::null: return "invalid";
    case NodeKind::boolean: return "bool";
    case NodeKind::integer: return "int64";
    case NodeKind::floating: return "float64";
    case NodeKind::string: return "string";
    case NodeKind::list: return "slice";
    case NodeKind::map: return "map";
    }
    return "";
}

std::string_view go_type(const Node& n) {
    switch (n.kind()) {
    case NodeKind::null: return "<nil>";
    case NodeKind::list: return "[]interface {}";
    case NodeKind::map: return "map[string]interface {}";
    default: return go_kind(n);
    }
}

std::string go_value(const Node& n) {
    if (n.is_null()) return "<nil>";
    return n.is_scalar() ? std::string(n.text()) : write_json(n);
}

std::unexpected<Error> accessor_error(std::string_view outer, std::string_view inner, const Node& value, std::string_view wanted) {
    const std::string field = std::string(outer) + "." + std::string(inner);
    return fail(ErrorCode::invalid, "looking up " + field + " from resource: ." + field + " accessor error: " + go_value(value) +
                                        " is of the type " + std::string(go_type(value)) + ", expected " + std::string(wanted));
}

// o.<outer>.<inner>; nullptr when absent. A null outer counts as absent.
Result<const Node*> nested(const Object& o, std::string_view outer, std::string_view inner) {
    const Node* parent = o.root().find(outer);
    if (!parent || parent->is_null()) return nullptr;
    if (!parent->is_map()) return accessor_error(outer, inner, *parent, "map[string]interface{}");
    return parent->find(inner);
}

Result<std::string> text_field(const Node& condition, std::string_view name) {
    const Node* value = condition.find(name);
    if (!value || value->is_null()) return std::string();
    if (!value->is_string()) return fail(ErrorCode::invalid, "unrecognized type: string");
    return std::string(value->text());
}

} // namespace

std::int64_t int_at(const Object& o, std::initializer_list<std::string_view> path, std::int64_t fallback) {
    const Node* n = o.at(path);
    return n && n->is_integer() ? n->as_int().value_or(fallback) : fallback;
}

std::string_view text_at(const Object& o, std::initializer_list<std::string_view> path, std::string_view fallback) {
    const Node* n = o.at(path);
    return n && n->is_string() ? n->text() : fallback;
}

Result<std::optional<std::int64_t>> checked_int(const Object& o, std::string_view outer, std::string_view inner) {
    TRY(const Node* value, nested(o, outer, inner));
    if (!value) return std::optional<std::int64_t>();
    const auto number = value->is_integer() ? value->as_int() : std::nullopt;
    if (!number) return accessor_error(outer, inner, *value, "int64");
    return number;
}

Result<bool> checked_deleting(const Object& o) {
    TRY(const Node* value, nested(o, "metadata", "deletionTimestamp"));
    if (!value) return false;
    if (!value->is_string()) return accessor_error("metadata", "deletionTimestamp", *value, "string");
    return !value->text().empty();
}

Result<std::vector<Condition>> read_conditions(const Object& o) {
    std::vector<Condition> out;
    const Node* status = o.root().find("status");
    if (!status || status->is_null()) return out;
    if (!status->is_map()) return fail(ErrorCode::invalid, "cannot restore struct from: " + std::string(go_kind(*status)));
    const Node* list = status->find("conditions");
    if (!list || list->is_null()) return out;
    if (!list->is_list()) return fail(ErrorCode::invalid, "cannot restore slice from " + std::string(go_kind(*list)));
    for (const Node& item : list->items()) {
        Condition c;
        if (!item.is_null() && !item.is_map()) return fail(ErrorCode::invalid, "cannot restore struct from: " + std::string(go_kind(item)));
        TRY(c.type, text_field(item, "type"));
        TRY(c.status, text_field(item, "status"));
        TRY(c.reason, text_field(item, "reason"));
        TRY(c.message, text_field(item, "message"));
        out.push_back(std::move(c));
    }
    return out;
}

} // namespace weber::kube::status_fields
