// What the warnings*.cpp files share. Not for other files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/base/node.h"

namespace weber::kube::server {

using Warnings = std::vector<std::string>;

// Of a pod: its template at `path` ("" for a Pod itself).
void pod_warnings(const std::string& path, const Node& pod, Warnings& out);
// Of the spec of a claim: sizes that are no whole bytes.
void claim_warnings(const std::string& path, const Node& spec, Warnings& out);
// Why a node label should not be used any more; "" when nothing is wrong with it.
std::string_view deprecated_node_label(std::string_view key);
// Deprecated keys, and (when asked) wrong values, in the expressions of a term of a node selector.
void node_term_warnings(const std::string& path, const Node& term, bool check_values, Warnings& out);
// Addresses and ranges that are accepted though not written as they should be.
void ip_warnings(const std::string& path, std::string_view value, Warnings& out);
void cidr_warnings(const std::string& path, std::string_view value, Warnings& out);
// Of a resource list: a quantity that is no whole number of bytes.
void fractional_bytes(const std::string& path, const Node& resources, std::string_view name, Warnings& out);

} // namespace weber::kube::server
