// How a value is walked under a schema. Shared by the files of typed.h; not for others.
#pragma once

#include "kube/base/node.h"
#include "kube/base/schema.h"

namespace weber::kube::merge {

enum class Shape { scalar, map, list };

// The schema's shape; `any` takes the value's own (null and absent: map, as structured-merge-diff does).
inline Shape shape_of(const TypeSchema& schema, const Node* value) {
    switch (schema.kind) {
    case TypeKind::object:
    case TypeKind::map: return Shape::map;
    case TypeKind::list: return Shape::list;
    case TypeKind::any:
        if (value == nullptr || value->is_null() || value->is_map()) return Shape::map;
        return value->is_list() ? Shape::list : Shape::scalar;
    default: return Shape::scalar;
    }
}

// Owned, merged and compared as a whole.
inline bool is_atomic(const TypeSchema& schema, Shape shape) {
    if (shape == Shape::list) return schema.kind != TypeKind::list || schema.list_type == ListType::atomic;
    return schema.atomic;
}

// Type of the member `key` of a map or object; nullptr when the schema does not know it.
inline const TypeSchema* member_type(const TypeSchema& schema, std::string_view key) {
    if (schema.kind == TypeKind::object) {
        if (const FieldSchema* f = schema.field(key)) return f->type;
        return schema.preserve_unknown ? &deduced_schema() : nullptr;
    }
    if (schema.kind == TypeKind::map) return schema.element;
    return schema.atomic ? &untyped_atomic_schema() : &deduced_schema();
}

// As member_type, but unknown members are walked by their looks (live objects of older schemas).
inline const TypeSchema& member_type_or_deduced(const TypeSchema& schema, std::string_view key) {
    const TypeSchema* t = member_type(schema, key);
    return t != nullptr ? *t : deduced_schema();
}

inline const TypeSchema& item_type(const TypeSchema& schema) { return schema.element != nullptr ? *schema.element : deduced_schema(); }

} // namespace weber::kube::merge
