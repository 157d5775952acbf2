#include "kube/server/go_restore.h"

#include <algorithm>
#include <vector>

#include "kube/server/go_forms.h"

namespace weber::kube::server {
namespace {

std::string_view kind_of(const Node& n) {
    if (n.is_string()) return "string";
    if (n.is_bool()) return "bool";
    if (n.is_list()) return "slice";
    if (n.is_map()) return "map";
    return n.is_integer() ? "int64" : "float64";
}

// Go converts numbers into one another and whole ones into texts, when nothing is lost; of a named type it says what it is made of.
std::string misfit(const Node& v, const TypeSchema& t, std::string_view word) {
    const bool convertible = v.is_number() && (t.kind == TypeKind::integer || (t.kind == TypeKind::string && v.is_integer()));
    if (convertible) return "cannot convert " + std::string(kind_of(v)) + " to " + std::string(word);
    const bool plain = word == "int32" || word == "int64" || word == "bool" || word == "string" || word == "float64";
    return "unrecognized type: " + std::string(plain ? word : t.kind == TypeKind::integer ? "int32" : t.kind == TypeKind::boolean ? "bool" : "string");
}

std::string walk(const Node& v, const TypeSchema& t, std::string_view word);

std::string walk_struct(const Node& v, const TypeSchema& t) {
    std::vector<const FieldSchema*> fields;
    for (const FieldSchema& f : t.fields)
        if (v.contains(f.name)) fields.push_back(&f);
    std::ranges::sort(fields, {}, [](const FieldSchema* f) { return go_place(*f); });
    for (const FieldSchema* f : fields)
        if (auto why = walk(*v.find(f->name), *f->type, go_type_word(*f)); !why.empty()) return why;
    return {};
}

std::string walk(const Node& v, const TypeSchema& t, std::string_view word) {
    if (v.is_null()) return {};
    const std::string kind(kind_of(v));
    const std::string_view inner = go_element_word(word);
    switch (t.kind) {
    case TypeKind::object:
        if (t.fields.empty() && !v.is_map()) return {};
        return v.is_map() ? walk_struct(v, t) : "cannot restore struct from: " + kind;
    case TypeKind::list:
        if (!v.is_list()) return "cannot restore slice from " + kind;
        for (const Node& item : v.items())
            if (auto why = t.element ? walk(item, *t.element, inner) : std::string(); !why.empty()) return why;
        return {};
    case TypeKind::map:
        if (!v.is_map()) return "cannot restore map from " + kind;
        for (const auto& e : v.entries())
            if (auto why = t.element ? walk(e.value, *t.element, inner) : std::string(); !why.empty()) return why;
        return {};
    case TypeKind::integer: return v.is_integer() ? "" : misfit(v, t, word);
    case TypeKind::boolean: return v.is_bool() ? "" : misfit(v, t, word);
    case TypeKind::string: return v.is_string() ? "" : misfit(v, t, word);
    case TypeKind::int_or_string:
        if (v.is_string() || v.is_integer()) return {};
        return "json: cannot unmarshal " + (v.is_bool() ? "bool" : v.is_number() ? "number " + std::string(v.text()) : std::string(v.kind_word())) + " into Go value of type int32";
    default: return {}; // those that read themselves, in JSON's words
    }
}

} // namespace

std::string restore_error(const Node& value, const TypeSchema& type) { return walk(value, type, ""); }

} // namespace weber::kube::server
