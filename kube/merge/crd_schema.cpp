#include "kube/merge/crd_schema.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

namespace weber::kube::merge {

namespace {

// Owns the pieces of one CRD's schema; deques keep addresses.
struct CrdSchema {
    std::deque<TypeSchema> types;
    std::deque<std::vector<FieldSchema>> fields;
    std::deque<std::vector<std::string_view>> keys;
    std::deque<std::string> names;
    std::deque<Node> defaults;
    TypeSchema root;
};

bool flag(const Node& n, std::string_view key) {
    const Node* v = n.find(key);
    return v != nullptr && v->as_bool();
}

class Builder {
public:
    explicit Builder(CrdSchema& out) : out_(out) {}

    TypeSchema type(const Node& schema, bool root) {
        TypeSchema t;
        t.nullable = flag(schema, "nullable");
        if (flag(schema, "x-kubernetes-int-or-string")) {
            t.kind = TypeKind::int_or_string;
            return t;
        }
        const std::string_view kind = schema.text_at("type");
        if (kind == "object" || (kind.empty() && (root || schema.contains("properties")))) object(schema, t, root);
        else if (kind == "array") list(schema, t);
        else if (kind == "string") t.kind = TypeKind::string;
        else if (kind == "integer") t.kind = TypeKind::integer;
        else if (kind == "number") t.kind = TypeKind::number;
        else if (kind == "boolean") t.kind = TypeKind::boolean;
        else t.atomic = !flag(schema, "x-kubernetes-preserve-unknown-fields");
        return t;
    }

private:
    const TypeSchema* keep(TypeSchema t) { return &out_.types.emplace_back(std::move(t)); }
    std::string_view name(std::string_view s) { return out_.names.emplace_back(s); }

    void object(const Node& schema, TypeSchema& t, bool root) {
        t.atomic = schema.text_at("x-kubernetes-map-type") == "atomic";
        const Node* properties = schema.find("properties");
        const Node* additional = schema.find("additionalProperties");
        t.preserve_unknown = flag(schema, "x-kubernetes-preserve-unknown-fields");
        t.embedded = flag(schema, "x-kubernetes-embedded-resource");
        if (!root && !t.embedded && (properties == nullptr || properties->empty()) && additional != nullptr) {
            if (additional->is_map()) {
                t.kind = TypeKind::map;
                t.element = keep(type(*additional, false));
                return;
            }
            if (additional->as_bool()) {
                t.kind = TypeKind::map;
                t.element = &deduced_schema();
                return;
            }
        }
        t.kind = TypeKind::object;
        auto& fields = out_.fields.emplace_back();
        if (properties != nullptr)
            for (const auto& [key, value] : properties->entries()) fields.push_back(field(schema, key, value));
        if (root || t.embedded) add_meta(fields);
        std::ranges::sort(fields, {}, &FieldSchema::name);
        t.fields = fields;
    }

    FieldSchema field(const Node& owner, const Text& key, const Node& value) {
        FieldSchema f;
        f.name = name(key);
        f.type = keep(type(value, false));
        if (const Node* required = owner.find("required"))
            f.required = std::ranges::any_of(required->items(), [&](const Node& r) { return r.text() == key.view(); });
        if (const Node* d = value.find("default"); d != nullptr && d->is_scalar()) f.key_default = &out_.defaults.emplace_back(*d);
        return f;
    }

    static void add_meta(std::vector<FieldSchema>& fields) {
        static constexpr TypeSchema text{.kind = TypeKind::string};
        std::erase_if(fields, [](const FieldSchema& f) { return f.name == "apiVersion" || f.name == "kind" || f.name == "metadata"; });
        fields.push_back({.name = "apiVersion", .type = &text});
        fields.push_back({.name = "kind", .type = &text});
        fields.push_back({.name = "metadata", .type = &object_meta_schema()});
    }

    void list(const Node& schema, TypeSchema& t) {
        t.kind = TypeKind::list;
        const std::string_view list_type = schema.text_at("x-kubernetes-list-type");
        t.list_type = list_type == "map" ? ListType::map : list_type == "set" ? ListType::set : ListType::atomic;
        const Node* items = schema.find("items");
        t.element = items != nullptr ? keep(type(*items, false)) : &deduced_schema();
        const Node* keys = schema.find("x-kubernetes-list-map-keys");
        if (keys == nullptr) return;
        auto& stored = out_.keys.emplace_back();
        for (const Node& k : keys->items()) stored.push_back(name(k.text()));
        t.keys = stored;
    }

    CrdSchema& out_;
};

} // namespace

std::shared_ptr<const TypeSchema> crd_type(const Node& open_api) {
    auto owner = std::make_shared<CrdSchema>();
    owner->root = Builder(*owner).type(open_api.is_map() ? open_api : Node::map(), true);
    if (!open_api.is_map()) owner->root.preserve_unknown = true;
    return {owner, &owner->root};
}

} // namespace weber::kube::merge
