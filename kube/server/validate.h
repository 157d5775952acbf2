// Validation of built-in kinds: what kube-apiserver 1.36 refuses with 422, and its words for it (pkg/apis/*/validation). Covers metadata of
// every kind and the specs that people write by hand.
//
// Pure and thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube::server {

// `id`: "group/plural". `live` null: a new object. Causes as in a Status; empty = valid.
std::vector<ErrorDetail> validate_built_in(std::string_view id, bool namespaced, const Node& obj, const Node& live);
// metadata alone, as custom resources have it checked; their names are DNS subdomains.
std::vector<ErrorDetail> validate_custom_metadata(const Node& obj, const Node& live);

} // namespace weber::kube::server
