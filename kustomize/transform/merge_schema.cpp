#include "kustomize/transform/merge_schema.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace weber::kustomize {
namespace {

struct SchemaField {
    std::string_view name;
    SchemaType type;
};
struct SchemaNode {
    std::uint16_t first_field, field_count; // into the fields
    SchemaType additional;                  // of the values of a map type
    SchemaType items;                       // of the elements of a merging list
    std::uint16_t key_list;                 // 1 + index of the comma-separated merge keys; 0: not a merging list
};
struct SchemaRoot {
    std::string_view kind, api_version;
    SchemaType type;
};

#include "kustomize/transform/merge_schema_data.inc"

std::vector<std::string_view> split_keys(std::string_view list) {
    std::vector<std::string_view> keys;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        keys.push_back(list.substr(0, comma));
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    }
    return keys;
}

} // namespace

struct SchemaTables {
    std::span<const SchemaField> fields;
    std::span<const SchemaNode> nodes;
    std::span<const SchemaRoot> roots; // sorted by kind, then api version
    std::vector<std::vector<std::string_view>> key_lists;
};

struct MergeSchema::Owned {
    std::vector<SchemaField> fields;
    std::vector<SchemaNode> nodes = {{0, 0, 0, 0, 0}};
    std::vector<SchemaRoot> roots;
    Node document;                        // names of fields, kinds and definitions point into it
    std::deque<std::string> api_versions; // the roots' point into it
    SchemaTables tables;
};

namespace {

constexpr std::size_t kMaxTypes = std::numeric_limits<SchemaType>::max() - 1 - std::size(kNodes); // the built-in ones may lie beneath

// Turns OpenAPI definitions into tables.
struct OpenApiReader {
    const Node& definitions;
    std::vector<SchemaField>& fields;
    std::vector<SchemaNode>& nodes;
    std::vector<std::vector<std::string_view>>& key_lists;
    std::map<std::string_view, SchemaType> named = {};

    // Follows `$ref`s; nullptr when one leads nowhere. `name` becomes the last definition's.
    [[nodiscard]] const Node* resolve(const Node* schema, std::string_view& name) const {
        constexpr std::string_view prefix = "#/definitions/";
        for (int hops = 0; schema != nullptr && hops < 64; ++hops) {
            const std::string_view ref = schema->text_at("$ref");
            if (ref.empty()) return schema;
            if (!ref.starts_with(prefix)) return nullptr;
            name = ref.substr(prefix.size());
            schema = definitions.find(name);
        }
        return nullptr;
    }

    // The keys of a list that merges; false: it does not.
    static bool merge_keys(const Node& schema, std::vector<std::string_view>& keys) {
        std::string_view strategies = schema.text_at("x-kubernetes-patch-strategy");
        bool merge = false;
        for (const std::string_view s : split_keys(strategies)) merge = merge || s == "merge";
        if (!merge) return false;
        if (const Node* list = schema.find("x-kubernetes-list-map-keys"); list != nullptr) {
            for (const Node& key : list->items()) keys.push_back(key.text());
        } else if (const std::string_view key = schema.text_at("x-kubernetes-patch-merge-key"); !key.empty()) {
            keys.push_back(key);
        }
        return true;
    }

    SchemaType new_node() {
        nodes.push_back({0, 0, 0, 0, 0});
        return static_cast<SchemaType>(nodes.size() - 1);
    }

    Result<SchemaType> read(const Node* schema, int depth) {
        std::string_view name;
        schema = resolve(schema, name);
        if (schema == nullptr || depth > 256) return SchemaType{0};
        return read_resolved(schema, name, depth);
    }

    // `name` is the definition's, "" for a schema written in place.
    Result<SchemaType> read_resolved(const Node* schema, std::string_view name, int depth) {
        if (const auto known = named.find(name); !name.empty() && known != named.end()) return known->second;
        if (nodes.size() >= kMaxTypes) return fail(ErrorCode::too_large, "the OpenAPI schema has too many types", schema->where());
        if (schema->text_at("type") == "array") return read_list(*schema, depth);
        const SchemaType type = new_node();
        if (!name.empty()) named.emplace(name, type);
        std::vector<SchemaField> own;
        if (const Node* properties = schema->find("properties"); properties != nullptr) {
            for (const Node::Entry& e : properties->entries()) {
                TRY(const SchemaType field, read(&e.value, depth + 1));
                if (field != 0) own.push_back({e.key, field});
            }
        }
        std::ranges::sort(own, {}, &SchemaField::name);
        if (fields.size() + own.size() > kMaxTypes) return fail(ErrorCode::too_large, "the OpenAPI schema has too many fields", schema->where());
        nodes[type].first_field = static_cast<std::uint16_t>(fields.size());
        nodes[type].field_count = static_cast<std::uint16_t>(own.size());
        fields.insert(fields.end(), own.begin(), own.end());
        if (const Node* values = schema->find("additionalProperties"); values != nullptr && values->is_map()) {
            TRY(nodes[type].additional, read(values, depth + 1));
        }
        return type;
    }

    Result<SchemaType> read_list(const Node& schema, int depth) {
        std::vector<std::string_view> keys;
        if (!merge_keys(schema, keys)) return SchemaType{0};
        const SchemaType type = new_node();
        key_lists.push_back(std::move(keys));
        nodes[type].key_list = static_cast<std::uint16_t>(key_lists.size());
        TRY(const SchemaType items, read(schema.find("items"), depth + 1));
        nodes[type].items = items;
        return type;
    }
};

} // namespace

const MergeSchema& MergeSchema::builtin() {
    static const SchemaTables tables = [] {
        SchemaTables t{.fields = kFields, .nodes = kNodes, .roots = kRoots, .key_lists = {}};
        for (const std::string_view list : kKeyLists) t.key_lists.push_back(split_keys(list));
        return t;
    }();
    static const MergeSchema schema(tables);
    return schema;
}

Result<MergeSchema> MergeSchema::from_openapi(const Node& document, bool over_builtin) {
    static const Node none = Node::map();
    const Node* definitions = document.find("definitions");
    if (definitions == nullptr && document.is_map()) definitions = &none; // of no use, but kustomize takes it
    if (definitions == nullptr || !definitions->is_map())
        return fail(ErrorCode::invalid, "an OpenAPI schema needs a map of `definitions`", document.where());
    auto owned = std::make_unique<Owned>();
    owned->document = *definitions; // shares the tree: the names below stay valid
    OpenApiReader reader{owned->document, owned->fields, owned->nodes, owned->tables.key_lists};
    for (const Node::Entry& e : owned->document.entries()) {
        const Node* gvks = e.value.find("x-kubernetes-group-version-kind");
        if (gvks == nullptr) continue;
        TRY(const SchemaType type, reader.read_resolved(&e.value, e.key, 0));
        for (const Node& gvk : gvks->items()) {
            std::string api(gvk.text_at("group"));
            api += api.empty() ? "" : "/";
            owned->api_versions.push_back(api.append(gvk.text_at("version")));
            owned->roots.push_back({gvk.text_at("kind"), owned->api_versions.back(), type});
        }
    }
    std::ranges::sort(owned->roots, [](const SchemaRoot& a, const SchemaRoot& b) {
        return std::pair(a.kind, a.api_version) < std::pair(b.kind, b.api_version);
    });
    owned->tables.fields = owned->fields;
    owned->tables.nodes = owned->nodes;
    owned->tables.roots = owned->roots;
    MergeSchema schema(std::move(owned));
    schema.over_builtin_ = over_builtin;
    return schema;
}

MergeSchema::MergeSchema(const SchemaTables& tables) : tables_(&tables) {}
MergeSchema::MergeSchema(std::unique_ptr<Owned> owned) : tables_(&owned->tables), owned_(std::move(owned)) {}
MergeSchema::MergeSchema(MergeSchema&&) noexcept = default;
MergeSchema& MergeSchema::operator=(MergeSchema&&) noexcept = default;
MergeSchema::~MergeSchema() = default;

SchemaType MergeSchema::beneath(SchemaType type) const {
    const std::size_t own = tables_->nodes.size();
    return over_builtin_ && type >= own ? static_cast<SchemaType>(type - own) : SchemaType{0};
}

SchemaType MergeSchema::lifted(SchemaType type) const {
    return type == 0 ? type : static_cast<SchemaType>(type + tables_->nodes.size());
}

SchemaType MergeSchema::of(std::string_view api_version, std::string_view kind) const {
    const std::pair wanted(kind, api_version);
    const auto key = [](const SchemaRoot& r) { return std::pair(r.kind, r.api_version); };
    const auto found = std::ranges::lower_bound(tables_->roots, wanted, {}, key);
    if (found != tables_->roots.end() && key(*found) == wanted) return found->type;
    return over_builtin_ ? lifted(builtin().of(api_version, kind)) : SchemaType{0};
}

SchemaType MergeSchema::field(SchemaType type, std::string_view name) const {
    if (const SchemaType low = beneath(type)) return lifted(builtin().field(low, name));
    const SchemaNode& node = tables_->nodes[type];
    const auto fields = tables_->fields.subspan(node.first_field, node.field_count);
    const auto found = std::ranges::lower_bound(fields, name, {}, &SchemaField::name);
    return found != fields.end() && found->name == name ? found->type : node.additional;
}

SchemaType MergeSchema::elements(SchemaType type) const {
    if (const SchemaType low = beneath(type)) return lifted(builtin().elements(low));
    return tables_->nodes[type].items;
}

bool MergeSchema::merges(SchemaType type) const {
    if (const SchemaType low = beneath(type)) return builtin().merges(low);
    return tables_->nodes[type].key_list != 0;
}

std::span<const std::string_view> MergeSchema::keys(SchemaType type) const {
    if (const SchemaType low = beneath(type)) return builtin().keys(low);
    return tables_->key_lists[tables_->nodes[type].key_list - 1u];
}

} // namespace weber::kustomize
