// The subset of kubectl's JSONPath that printer columns, scale paths and selectable fields use: .a.b, ['a.b'], [0], [*],
// [?(@.type=="Ready")]. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "kube/base/node.h"

namespace weber::kube::server {

// All values that the path finds, in order; none for a path that does not fit or that uses more than the subset.
std::vector<Node> json_path(const Node& root, std::string_view path);

} // namespace weber::kube::server
