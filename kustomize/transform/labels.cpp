#include "kustomize/transform/labels.h"

#include "kube/base/yaml.h"
#include "kube/base/yaml_style.h"
#include "kustomize/transform/field_specs.h"
#include "kustomize/transform/field_walker.h"
#include "kustomize/transform/linked.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

// YAML 1.1, in which kustomizations are read, takes an unquoted n, no or off for false. kustomize refuses
// what the map then holds, and keys that are true, 1 or a date even in quotes.
Result<void> check_key(const std::string& key) {
    const NodeKind kind = kube::resolve_plain(key, kube::YamlSchema::go_yaml_v3);
    if (kind == NodeKind::string && kube::yaml_timestamp(key).empty()) return {};
    const bool boolean = kind == NodeKind::boolean;
    return fail(Error{.code = ErrorCode::invalid,
                      .message = "the key " + key + " of a label or annotation is no text",
                      .hint = boolean ? "unquoted y, yes, on, n, no and off are booleans in a kustomization: quote the key, or choose another" : "choose another key"});
}

Result<void> set_entries(ResourceSet& resources, const StringMap& entries, const FieldSpecs& specs) {
    if (entries.empty()) return {};
    std::vector<std::pair<kube::Text, Node>> pairs; // shared by all objects
    pairs.reserve(entries.size());
    for (const auto& [key, value] : entries) {
        TRY_VOID(check_key(key));
        pairs.emplace_back(kube::Text(key), Node::string(value)).second.set_link(next_link());
    }

    const FieldWalker walker(specs, FieldWalker::Creates::map);
    std::vector<std::pair<std::uint32_t, Node>> changed; // places that had the key already, written together with others
    const FieldWalker::Visit set = [&](Node& node) -> Result<void> {
        if (node.is_null()) return {};
        if (!node.is_map()) return wrong_node_kind(NodeKind::map, node);
        for (const auto& [key, value] : pairs) {
            const Node* old = node.find(key);
            const std::uint32_t link = old != nullptr ? old->link() : 0;
            Node& now = node.set(key, value);
            if (old == nullptr) continue;
            now.set_position(0, 0);
            if (link == 0) continue;
            now.set_link(link);
            changed.emplace_back(link, now);
        }
        return {};
    };
    for (const auto& resource : resources.all()) {
        if (resource->empty()) continue;
        changed.clear();
        TRY_VOID(walker.walk(*resource, set));
        for (const auto& [link, now] : changed) update_linked(resource->edit(), link, now);
    }
    return {};
}

} // namespace

Result<void> apply_labels(ResourceSet& resources, const StringMap& entries, const FieldSpecs& specs) {
    return set_entries(resources, entries, specs);
}

Result<void> apply_annotations(ResourceSet& resources, const StringMap& entries, const FieldSpecs& specs) {
    return set_entries(resources, entries, specs);
}

Result<FieldSpecs> label_field_specs(const Label& label, const TransformerConfig& config) {
    static const FieldSpecs metadata = {FieldSpec{.gvk = {}, .path = "metadata/labels", .create = true}};
    FieldSpecs specs = label.fields;
    const auto add = [&](const FieldSpecs& more) -> Result<void> {
        if (auto done = merge_field_specs(specs, more); !done) return fail(std::move(done).error().with_prefix("failed to merge labels: "));
        return {};
    };
    TRY_VOID(add(config.labels));
    if (label.include_selectors) {
        TRY_VOID(add(config.common_labels));
        return specs;
    }
    if (label.include_templates) TRY_VOID(add(config.template_labels));
    if (label.include_volume_claim_templates) TRY_VOID(add(config.volume_claim_template_labels));
    TRY_VOID(add(metadata));
    return specs;
}

} // namespace weber::kustomize
