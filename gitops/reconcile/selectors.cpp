#include "gitops/reconcile/selectors.h"

#include "gitops/api/names.h"
#include "kube/base/ascii.h"

namespace weber::gitops {

bool is_secret(const Object& object) { return kube::same_but_case(object.kind(), "Secret") && object.group().empty(); }

bool has_switch(const Object& object, std::string_view key, std::string_view value) {
    return kube::same_but_case(object.label(key), value) || kube::same_but_case(object.annotation(key), value);
}

bool is_excluded(const Object& o) { return has_switch(o, kReconcileKey, "disabled") || has_switch(o, kSsaKey, "Ignore"); }
bool only_if_absent(const Object& o) { return has_switch(o, kSsaKey, "IfNotPresent"); }
bool keeps_other_managers(const Object& o) { return has_switch(o, kSsaKey, "Merge"); }
bool may_recreate(const Object& o) { return has_switch(o, kForceKey, "enabled"); }
bool never_pruned(const Object& o) { return has_switch(o, kPruneKey, "disabled"); }

} // namespace weber::gitops
