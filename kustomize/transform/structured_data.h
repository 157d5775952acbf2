// Text inside a scalar (a ConfigMap's "config.yaml", JSON in an annotation) as a tree, and back into the same form.
//
// Pure; belongs to one thread.
#pragma once

#include <string>
#include <string_view>

#include "kube/base/yaml_document.h"

namespace weber::kustomize {

class StructuredData {
public:
    // The first document of YAML or JSON text. Errors: invalid; not_found when there is none.
    static Result<StructuredData> read(std::string_view text);

    [[nodiscard]] Node& root() { return is_json_ ? tree_ : document_.root(); }
    // Is it a scalar that takes a text, and no alias?
    [[nodiscard]] bool is_scalar(const Node& field) const;
    // JSON refuses what its type does not allow: ErrorCode::invalid. YAML writes a tag.
    Result<void> set_text(Node& field, std::string_view text);
    void set_tree(Node& field, const Node& tree);

    // In the form the text had: JSON (indented when the text was) if it began with a bracket, else YAML that keeps order, quotes, flow style, anchors,
    // tags and comments. Source: kustomize filters/replacement, serializeStructuredData.
    [[nodiscard]] std::string write() const;

private:
    StructuredData(std::string_view text, bool is_json) : original_(text), is_json_(is_json) {}

    std::string original_;
    bool is_json_;
    Node tree_;                   // JSON
    kube::YamlDocument document_; // YAML
};

} // namespace weber::kustomize
