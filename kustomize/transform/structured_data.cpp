#include "kustomize/transform/structured_data.h"

#include <vector>

#include "kube/base/json.h"
#include "kube/base/trim.h"
#include "kube/base/yaml.h"
#include "kustomize/transform/json_form.h"
#include "kustomize/transform/linked.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {

Result<StructuredData> StructuredData::read(std::string_view text) {
    const std::string_view trimmed = kube::trimmed(text);
    StructuredData data(text, trimmed.starts_with('{') || trimmed.starts_with('['));
    if (data.is_json_) {
        TRY(std::vector<Node> documents, kube::read_yaml(text, {.file = {}}));
        if (documents.empty()) return fail(ErrorCode::not_found, "the text holds no data");
        data.tree_ = std::move(documents.front());
    } else {
        TRY(data.document_, kube::YamlDocument::read(text));
    }
    return data;
}

bool StructuredData::is_scalar(const Node& field) const {
    return !field.is_map() && !field.is_list() && (is_json_ || !document_.is_alias(field));
}

Result<void> StructuredData::set_text(Node& field, std::string_view text) {
    if (is_json_) return overwrite(field, text);
    document_.set_text(field, text);
    return {};
}

void StructuredData::set_tree(Node& field, const Node& tree) {
    if (!is_json_) return document_.set_tree(field, tree);
    field = tree;
    unlink(field);
}

std::string StructuredData::write() const {
    if (!is_json_) return std::string(kube::trimmed(kube::with_yaml_form(document_.write(), original_)));
    Node sorted = tree_;
    sorted.sort_keys_deep();
    to_json_values(sorted);
    const bool indented = original_.find('\n') != std::string::npos && original_.find("  ") != std::string::npos;
    if (!indented) return kube::write_json(sorted, kube::JsonEscape::html);
    std::string out = kube::write_json_pretty(sorted, 2, false, kube::JsonEscape::html);
    out.pop_back();
    return out;
}

} // namespace weber::kustomize
