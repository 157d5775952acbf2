#include "gitops/reconcile/selectors.h"

#include <algorithm>
#include <cctype>

#include "gitops/api/names.h"

namespace weber::gitops {

bool same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool is_secret(const Object& object) { return same_word(object.kind(), "Secret") && object.group().empty(); }

bool has_switch(const Object& object, std::string_view key, std::string_view value) {
    return same_word(object.label(key), value) || same_word(object.annotation(key), value);
}

bool is_excluded(const Object& o) { return has_switch(o, kReconcileKey, "disabled") || has_switch(o, kSsaKey, "Ignore"); }
bool only_if_absent(const Object& o) { return has_switch(o, kSsaKey, "IfNotPresent"); }
bool keeps_other_managers(const Object& o) { return has_switch(o, kSsaKey, "Merge"); }
bool may_recreate(const Object& o) { return has_switch(o, kForceKey, "enabled"); }
bool never_pruned(const Object& o) { return has_switch(o, kPruneKey, "disabled"); }

} // namespace weber::gitops
