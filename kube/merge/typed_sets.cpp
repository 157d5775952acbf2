// field_set_of, with_named_fields, remove_fields.
#include "kube/merge/path_element.h"
#include "kube/merge/shape.h"
#include "kube/merge/typed.h"

namespace weber::kube::merge {

namespace {

FieldSubset set_of(const Node& value, const TypeSchema& schema);

FieldSubset set_of_map(const Node& value, const TypeSchema& schema) {
    FieldSubset out;
    if (schema.atomic) {
        out.member = true;
        return out;
    }
    out.children.reserve(value.size());
    for (const auto& [key, member] : value.entries()) {
        FieldSubset child = set_of(member, member_type_or_deduced(schema, key));
        const bool declared = schema.kind == TypeKind::object && schema.field(key) != nullptr;
        if (!declared || member.is_null() || (member.is_map() && member.empty())) child.member = true;
        out.attach(field_element(key), std::move(child));
    }
    return out;
}

FieldSubset set_of_list(const Node& value, const TypeSchema& schema) {
    FieldSubset out;
    if (is_atomic(schema, Shape::list)) {
        out.member = true;
        return out;
    }
    for (const Node& item : value.items()) {
        auto element = item_element(schema, item);
        if (!element) continue; // refused by check() where it matters
        FieldSubset child = set_of(item, item_type(schema));
        child.member = true;
        if (out.children.contains(*element)) continue; // a repeated item of a live object
        out.attach(std::move(*element), std::move(child));
    }
    return out;
}

FieldSubset set_of(const Node& value, const TypeSchema& schema) {
    switch (shape_of(schema, &value)) {
    case Shape::map: return set_of_map(value, schema);
    case Shape::list: return set_of_list(value, schema);
    case Shape::scalar: break;
    }
    FieldSubset out;
    out.member = true;
    return out;
}

Node name_fields(const Node& children, const TypeSchema* schema) {
    Node out = Node::map();
    for (const auto& [key, child] : children.entries()) {
        if (key == ".") continue;
        const bool named = key.view().starts_with("f:");
        const TypeSchema* below = nullptr;
        bool declared = false;
        if (schema != nullptr && named && shape_of(*schema, nullptr) == Shape::map) {
            const std::string_view name = key.view().substr(2);
            declared = schema->kind == TypeKind::object && schema->field(name) != nullptr;
            below = member_type(*schema, name);
        } else if (schema != nullptr && !named && schema->kind == TypeKind::list) {
            below = schema->element;
        }
        FieldSubset s;
        s.member = is_member(child) || declared;
        s.children = name_fields(child, below);
        out.append_unchecked(key, std::move(s).to_node());
    }
    return out;
}

Node remove(const Node& value, const Node& paths, const TypeSchema& schema);

// Of one member or item: true when it stays; `value` is what stays of it.
bool keep(Node& value, const Node* path, const TypeSchema& type) {
    if (path == nullptr) return true;
    if (is_member(*path)) return false;
    value = remove(value, *path, type); // null when all that it held went: the field itself stays, as in structured-merge-diff
    return true;
}

Node remove_from_map(const Node& value, const Node& paths, const TypeSchema& schema) {
    if (value.empty() || schema.atomic) return {};
    Node out = Node::map();
    out.set_position(value.file(), value.line());
    out.reserve(value.size());
    for (const auto& [key, member] : value.entries()) {
        Node copy = member;
        if (keep(copy, paths.find(field_element(key)), member_type_or_deduced(schema, key))) out.append_unchecked(key, std::move(copy));
    }
    return out.empty() ? Node() : out;
}

Node remove_from_list(const Node& value, const Node& paths, const TypeSchema& schema) {
    if (value.empty() || is_atomic(schema, Shape::list)) return {};
    Node out = Node::list();
    out.set_position(value.file(), value.line());
    for (const Node& item : value.items()) {
        Node copy = item;
        const auto element = item_element(schema, item);
        if (!element || keep(copy, paths.find(*element), item_type(schema))) out.push_back(std::move(copy));
    }
    return out.empty() ? Node() : out;
}

Node remove(const Node& value, const Node& paths, const TypeSchema& schema) {
    if (value.is_map()) return remove_from_map(value, paths, schema);
    return value.is_list() ? remove_from_list(value, paths, schema) : value;
}

} // namespace

FieldSet field_set_of(const Node& value, const TypeSchema& schema) { return FieldSet(set_of(value, schema).children); }
FieldSet with_named_fields(const FieldSet& set, const TypeSchema& schema) { return FieldSet(name_fields(set.fields_v1(), &schema)); }

Node remove_fields(const Node& value, const FieldSet& paths, const TypeSchema& schema) {
    return paths.empty() ? value : remove(value, paths.fields_v1(), schema);
}

} // namespace weber::kube::merge
