#include "kube/base/schema.h"

#include <algorithm>
#include <tuple>

#include "kube/base/schema_tables.h"

namespace weber::kube {

namespace schema_tables {
const Node kTcp = Node::string("TCP");
const Node kEmptyString = Node::string("");
const Node kZero = Node::integer(0);
} // namespace schema_tables

const FieldSchema* TypeSchema::field(std::string_view name) const {
    const auto it = std::ranges::lower_bound(fields, name, {}, &FieldSchema::name);
    return it != fields.end() && it->name == name ? &*it : nullptr;
}

const TypeSchema* find_builtin_type(std::string_view group, std::string_view version, std::string_view kind) {
    using schema_tables::KindRow;
    const auto key = [](const KindRow& r) { return std::tie(r.group, r.version, r.kind); };
    const auto it = std::ranges::lower_bound(schema_tables::kKinds, std::tie(group, version, kind), {}, key);
    return it != schema_tables::kKinds.end() && key(*it) == std::tie(group, version, kind) ? &schema_tables::kTypes[it->type] : nullptr;
}

const TypeSchema* find_builtin_definition(std::string_view name) {
    const auto it = std::ranges::lower_bound(schema_tables::kDefinitions, name, {}, &schema_tables::Definition::name);
    return it != schema_tables::kDefinitions.end() && it->name == name ? &schema_tables::kTypes[it->type] : nullptr;
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
