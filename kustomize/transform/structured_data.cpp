#include "kustomize/transform/structured_data.h"

#include <vector>

#include "kube/base/json.h"
#include "kube/base/trim.h"
#include "kube/base/yaml.h"
#include "kustomize/transform/json_form.h"

namespace weber::kustomize {

Result<Node> read_structured(std::string_view text) {
    TRY(std::vector<Node> documents, kube::read_yaml(text, {.file = {}}));
    if (documents.empty()) return fail(ErrorCode::not_found, "the text holds no data");
    return std::move(documents.front());
}

std::string write_structured(const Node& tree, std::string_view original) {
    const std::string_view text = kube::trimmed(original);
    if (text.starts_with('{') || text.starts_with('[')) {
        Node sorted = tree;
        sorted.sort_keys_deep();
        to_json_values(sorted);
        const bool indented = original.find('\n') != std::string_view::npos && original.find("  ") != std::string_view::npos;
        if (!indented) return kube::write_json(sorted, kube::JsonEscape::html);
        std::string out = kube::write_json_pretty(sorted, 2, false, kube::JsonEscape::html);
        out.pop_back();
        return out;
    }
    return std::string(kube::trimmed(kube::with_yaml_form(kube::write_yaml_styled(tree), original)));
}

} // namespace weber::kustomize
