// The label-or-annotation switches that objects carry (apply.md 1.3): either suffices, values are compared without case.
//
// Pure and thread-safe.
#pragma once

#include <string_view>

#include "kube/base/object.h"

namespace weber::gitops {

// A Secret of the core group: its values are shown nowhere.
bool is_secret(const Object& object);

// The object's label or annotation `key` is `value`, ignoring case.
bool has_switch(const Object& object, std::string_view key, std::string_view value);

// `reconcile: disabled` or `ssa: Ignore`: never applied, never deleted.
bool is_excluded(const Object& object);
// `ssa: IfNotPresent`
bool only_if_absent(const Object& object);
// `ssa: Merge`
bool keeps_other_managers(const Object& object);
// `force: enabled`
bool may_recreate(const Object& object);
// `prune: disabled`
bool never_pruned(const Object& object);

} // namespace weber::gitops
