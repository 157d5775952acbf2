#include "kustomize/transform/field_specs.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace weber::kustomize {
namespace {

// ---- merging ----------------------------------------------------------------------------------------------------

// Stable. Keys are made once each, not for each comparison.
template <class Item>
void sort_by_gvk(std::vector<Item>& items) {
    std::vector<std::pair<GvkOrderKey, std::size_t>> order; // the index makes keys unique, and so the sort stable
    order.reserve(items.size());
    for (const Item& item : items) order.emplace_back(gvk_order_key(item.gvk), order.size());
    if (std::ranges::is_sorted(order)) return;
    std::ranges::sort(order);
    std::vector<Item> sorted;
    sorted.reserve(items.size());
    for (const auto& [key, index] : order) sorted.push_back(std::move(items[index]));
    items = std::move(sorted);
}

void sort_config(TransformerConfig& c) {
    for (FieldSpecs* specs : {&c.name_prefix, &c.name_suffix, &c.name_space, &c.common_labels, &c.labels, &c.template_labels,
                              &c.volume_claim_template_labels, &c.common_annotations, &c.var_reference, &c.images, &c.replicas})
        sort_by_gvk(*specs);
    sort_by_gvk(c.name_reference);
}

Result<void> merge_references(std::vector<NameBackReference>& refs, const std::vector<NameBackReference>& more) {
    for (const NameBackReference& add : more) {
        bool found = false;
        for (NameBackReference& ref : refs) {
            if (!(ref.gvk == add.gvk)) continue;
            found = true;
            TRY_VOID(merge_field_specs(ref.referrers, add.referrers));
        }
        if (!found) refs.push_back(add);
    }
    return {};
}

// ---- crds -------------------------------------------------------------------------------------------------------

constexpr std::size_t kMaxCrdDepth = 64; // a schema may refer to itself

struct CrdReader {
    const Node& definitions;
    TransformerConfig& config;

    // The schema of a definition: as it stands, or wrapped in {Schema: …} as Kubernetes' generators write it.
    [[nodiscard]] const Node* schema_of(std::string_view type) const {
        const Node* definition = definitions.find(type);
        if (definition == nullptr) return nullptr;
        for (const std::string_view wrapper : {"Schema", "schema"})
            if (const Node* schema = definition->find(wrapper); schema != nullptr) return schema;
        return definition;
    }

    Result<void> read_fields(const GvkPattern& gvk, std::string_view type, const std::string& path, std::size_t depth) {
        const Node* schema = schema_of(type);
        const Node* properties = schema != nullptr ? schema->find("properties") : nullptr;
        if (properties == nullptr || depth > kMaxCrdDepth) return {};
        for (const Node::Entry& e : properties->entries()) {
            const std::string field = path.empty() ? e.key.str() : path + "/" + e.key.str();
            const auto add = [&](FieldSpecs& specs, const std::string& where) {
                return merge_field_specs(specs, {FieldSpec{.gvk = gvk, .path = where, .create = false}});
            };
            if (is_text(e.value, "x-kubernetes-annotation")) TRY_VOID(add(config.common_annotations, field));
            if (is_text(e.value, "x-kubernetes-label-selector")) TRY_VOID(add(config.common_labels, field));
            if (is_text(e.value, "x-kubernetes-identity")) TRY_VOID(add(config.name_prefix, field));
            if (is_text(e.value, "x-kubernetes-object-ref-api-version") && is_text(e.value, "x-kubernetes-object-ref-kind")) {
                const bool named = is_text(e.value, "x-kubernetes-object-ref-name-key");
                const std::string key(named ? e.value.text_at("x-kubernetes-object-ref-name-key") : "name");
                const GvkPattern target{.group = {},
                                        .version = std::string(e.value.text_at("x-kubernetes-object-ref-api-version")),
                                        .kind = std::string(e.value.text_at("x-kubernetes-object-ref-kind"))};
                TRY_VOID(merge_references(config.name_reference,
                                          {{.gvk = target, .referrers = {FieldSpec{.gvk = gvk, .path = field + "/" + key, .create = false}}}}));
            }
            if (const std::string_view ref = e.value.text_at("$ref"); !ref.empty()) TRY_VOID(read_fields(gvk, ref, field, depth + 1));
        }
        return {};
    }

    static bool is_text(const Node& property, std::string_view extension) {
        const Node* value = property.find(extension);
        return value != nullptr && value->is_string();
    }
};

} // namespace

Result<void> merge_field_specs(FieldSpecs& specs, const FieldSpecs& more) {
    for (const FieldSpec& add : more) {
        const auto same = [&](const FieldSpec& have) { return have.path == add.path && add.gvk.selects(have.gvk); };
        const auto found = std::ranges::find_if(specs, same);
        if (found == specs.end()) specs.push_back(add);
        else if (found->create != add.create) return fail(ErrorCode::invalid, "conflicting fieldspecs");
    }
    return {};
}

Result<TransformerConfig> merge_configs(const TransformerConfig& a, const TransformerConfig& b) {
    static constexpr std::pair<FieldSpecs TransformerConfig::*, std::string_view> kFields[] = {
        {&TransformerConfig::name_prefix, "NamePrefix"},
        {&TransformerConfig::name_suffix, "NameSuffix"},
        {&TransformerConfig::name_space, "NameSpace"},
        {&TransformerConfig::common_annotations, "CommonAnnotations"},
        {&TransformerConfig::common_labels, "CommonLabels"},
        {&TransformerConfig::labels, "Labels"},
        {&TransformerConfig::template_labels, "TemplateLabels"},
        {&TransformerConfig::volume_claim_template_labels, "VolumeClaimTemplateLabels"},
        {&TransformerConfig::var_reference, "VarReference"},
        {&TransformerConfig::images, "Images"},
        {&TransformerConfig::replicas, "Replicas"},
    };
    TransformerConfig merged = a;
    for (const auto& [field, name] : kFields) {
        if (auto done = merge_field_specs(merged.*field, b.*field); !done)
            return fail(std::move(done).error().with_prefix("failed to merge " + std::string(name) + " fieldSpec: "));
    }
    if (auto done = merge_references(merged.name_reference, b.name_reference); !done)
        return fail(std::move(done).error().with_prefix("failed to merge NameReference fieldSpec: "));
    sort_config(merged);
    return merged;
}

Result<TransformerConfig> config_from_crd(const Node& definitions) {
    TransformerConfig config;
    if (!definitions.is_map()) return fail(ErrorCode::invalid, "expected a map of OpenAPI definitions", definitions.where());
    CrdReader reader{definitions, config};
    for (const Node::Entry& e : definitions.entries()) {
        if (!e.value.is_map() && !e.value.is_null()) {
            return fail(Error{.code = ErrorCode::invalid, .message = e.key.str() + ": expected an OpenAPI definition, found " + std::string(e.value.kind_word()), .where = e.value.where(),
                              .hint = "`crds` takes OpenAPI definitions by type name; a CustomResourceDefinition belongs under `resources`"});
        }
        const Node* schema = reader.schema_of(e.key);
        const Node* properties = schema != nullptr ? schema->find("properties") : nullptr;
        if (properties == nullptr || !properties->contains("kind") || !properties->contains("apiVersion") || !properties->contains("metadata"))
            continue;
        const std::string_view type = e.key;
        const GvkPattern gvk{.group = {}, .version = {}, .kind = std::string(type.substr(type.rfind('.') + 1))};
        TRY_VOID(reader.read_fields(gvk, type, "", 0));
    }
    sort_config(config);
    return config;
}

} // namespace weber::kustomize
