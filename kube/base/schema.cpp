#include "kube/base/schema.h"

#include <algorithm>
#include <tuple>

#include "kube/base/schema_tables.h"

namespace weber::kube {

namespace schema_tables {
namespace {

const Node* key_default(KeyDefault value) {
    static const Node tcp = Node::string("TCP"), empty_string = Node::string(""), zero = Node::integer(0);
    switch (value) {
    case KeyDefault::tcp: return &tcp;
    case KeyDefault::empty_string: return &empty_string;
    case KeyDefault::zero: return &zero;
    case KeyDefault::none: break;
    }
    return nullptr;
}

std::span<const std::string_view> key_list(Tables& t, std::size_t index) {
    std::size_t count = 0;
    for (const auto& name : kKeyListRows[index].names) {
        if (name[0] == 0) break;
        t.keys[index][count++] = name;
    }
    return {t.keys[index].data(), count};
}

TypeSchema type_schema(Tables& t, const TypeRow& row) {
    return {.kind = row.kind,
            .list_type = row.list_type,
            .atomic = row.atomic,
            .preserve_unknown = row.preserve_unknown,
            .patch_merge = row.patch_merge,
            .patch_replace_keys = row.patch_replace_keys,
            .patch_retain_keys = row.patch_retain_keys,
            .patch_merge_key = row.patch_merge_key,
            .element = row.element == kNone ? nullptr : &t.types[row.element],
            .fields = {t.fields.data() + row.fields.first, row.fields.count},
            .keys = row.keys == kNone ? std::span<const std::string_view>() : key_list(t, row.keys)};
}

} // namespace

const Tables& tables() {
    static const Tables& made = *[] {
        auto* t = new Tables;
        std::ranges::transform(kTypeRows, t->types.begin(), [t](const TypeRow& row) { return type_schema(*t, row); });
        std::ranges::transform(kFieldRows, t->fields.begin(), [t](const FieldRow& row) {
            return FieldSchema{.name = row.name, .type = &t->types[row.type], .required = row.required, .key_default = key_default(row.key_default)};
        });
        return t;
    }();
    return made;
}

} // namespace schema_tables

const FieldSchema* TypeSchema::field(std::string_view name) const {
    const auto it = std::ranges::lower_bound(fields, name, {}, &FieldSchema::name);
    return it != fields.end() && it->name == name ? &*it : nullptr;
}

const TypeSchema* find_builtin_type(std::string_view group, std::string_view version, std::string_view kind) {
    using schema_tables::KindRow;
    const auto key = [](const KindRow& r) { return std::tuple<std::string_view, std::string_view, std::string_view>(r.group, r.version, r.kind); };
    const std::tuple wanted(group, version, kind);
    const auto* it = std::ranges::lower_bound(schema_tables::kKinds, wanted, {}, key);
    return it != std::end(schema_tables::kKinds) && key(*it) == wanted ? &schema_tables::tables().types[it->type] : nullptr;
}

const TypeSchema* find_builtin_definition(std::string_view name) {
    const auto* it = std::ranges::lower_bound(schema_tables::kDefinitions, name, {}, [](const auto& d) { return std::string_view(d.name); });
    return it != std::end(schema_tables::kDefinitions) && it->name == name ? &schema_tables::tables().types[it->type] : nullptr;
}

const TypeSchema& object_meta_schema() {
    static const TypeSchema& schema = *find_builtin_definition("meta.v1.ObjectMeta");
    return schema;
}

const TypeSchema& deduced_schema() {
    static constexpr TypeSchema schema{};
    return schema;
}

const TypeSchema& untyped_atomic_schema() {
    static constexpr TypeSchema schema{.atomic = true};
    return schema;
}

bool ResourceFacts::has_verb(std::string_view verb) const { return std::ranges::find(verbs, verb) != verbs.end(); }
bool ResourceFacts::has_subresource(std::string_view name) const { return std::ranges::find(subresources, name) != subresources.end(); }

std::span<const ResourceFacts> builtin_resources() { return schema_tables::kResources; }

namespace {
// Rows of one group are neighbours.
std::span<const ResourceFacts> rows_of(std::string_view group) {
    const auto range = std::ranges::equal_range(schema_tables::kResources, group, {}, &ResourceFacts::group);
    return {range.begin(), range.end()};
}
} // namespace

const ResourceFacts* find_builtin_resource(std::string_view group, std::string_view version, std::string_view kind) {
    for (const ResourceFacts& r : rows_of(group))
        if (r.version == version && r.kind == kind) return &r;
    return nullptr;
}

std::optional<bool> builtin_namespaced(std::string_view group, std::string_view kind) {
    for (const ResourceFacts& r : rows_of(group))
        if (r.kind == kind) return r.namespaced;
    return std::nullopt;
}

} // namespace weber::kube
