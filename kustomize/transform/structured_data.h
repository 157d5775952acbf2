// Text inside a scalar (a ConfigMap's "config.yaml", JSON in an annotation) as a tree, and back into the same form.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kustomize {

// The first document of YAML or JSON text. Errors: invalid; not_found when there is none.
Result<Node> read_structured(std::string_view text);

// The tree in the form its text had: JSON (indented when the text was) if it began with a bracket, else YAML that keeps order,
// quotes and flow style. Source: kustomize filters/replacement, serializeStructuredData.
[[nodiscard]] std::string write_structured(const Node& tree, std::string_view original);

} // namespace weber::kustomize
