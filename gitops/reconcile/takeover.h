// Fields that kubectl and old Flux versions own become ours before we apply (apply.md 3.6).
//
// Pure and thread-safe.
#pragma once

#include <span>
#include <string>

#include "kube/base/object.h"

namespace weber::gitops {

// An entry of managedFields whose fields become ours: kubectl's and others by prefix, not those of subresources.
bool is_taken_over(const Node& entry, std::span<const std::string> others = {});

// The JSON patch on the live object: leftover annotations and labels removed, managedFields of kubectl & co. given to kustomize-controller. An empty
// list when nothing has to be done.
// `others`: more managers whose fields are taken, by prefix, applied and updated (--override-manager).
Node takeover_patch(const Object& live, std::span<const std::string> others = {});

} // namespace weber::gitops
