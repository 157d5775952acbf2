// What Flux does to an object before it applies it (apply.md 4.2): a round trip through the built-in type.
//
// Pure and thread-safe.
#pragma once

#include "kube/base/object.h"

namespace weber::gitops {

// Built-in kinds: nulls and empty optional maps and lists vanish, plain structs of Go appear although empty (`strategy: {}`, `resources: {}`), Secret.stringData moves to data, ports get protocol TCP;
// one that is to stay encrypted (annotation decrypt: disabled) loses `sops`. All kinds but Role and ClusterRole: no status (CRDs keep it) and no
// creationTimestamp. Unknown fields are kept, so that the API server refuses them with their path (Flux drops them silently; docs/differences.md).
Object normalized(const Object& object);

} // namespace weber::gitops
