// What kube-apiserver warns about (Warning headers) in objects that it accepts: fields that other definitions hide or clash with.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/base/node.h"

namespace weber::kube::server {

// `id`: "group/plural" of a built-in kind; `live`: what `obj` replaces, null for a new object (some warnings are given only once).
std::vector<std::string> object_warnings(std::string_view id, const Node& obj, const Node* live);

} // namespace weber::kube::server
