// The annotation in which client-side apply keeps what it applied (kubectl.kubernetes.io/last-applied-configuration). Pure.
#pragma once

#include <string_view>

#include "kube/base/node.h"

namespace weber::kube::merge {

// "" when there is none.
std::string_view last_applied_text(const Node& object);
// Writes `applied` into the annotation of `object`, as Go writes an unstructured object: keys sorted, a newline at the end.
void set_last_applied(Node& object, const Node& applied);

} // namespace weber::kube::merge
