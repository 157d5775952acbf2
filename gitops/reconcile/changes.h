// What a run did, or would do, to objects.
//
// Values; thread-safe as such.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/object.h"
#include "kube/base/object_key.h"

namespace weber::gitops {

// Flux's words (apply.md 7.1).
enum class Action : std::uint8_t { created, configured, unchanged, skipped, deleted, unknown };
std::string_view to_string(Action action);
inline bool is_change(Action a) { return a != Action::unchanged && a != Action::skipped; }

struct Change {
    kube::ObjectKey key;
    std::string version;     // of the API, without group: "v1"
    Action action = Action::unchanged;
    std::string reason = {}; // why, for people: "new", "spec.replicas", "annotation ssa: Ignore"; no values
    Where where = {};        // in the source
    std::string diff = {};   // dry run: what would change, secrets masked
    // Dry run of a `configured` object: live and as it would be, without managedFields and ignored paths, a Secret's data masked (apply.md 4.1).
    std::optional<Object> before = {}, after = {};
    // Of the object as the API server answered; "" and 0 when it is not there, or was not looked at. Of a skipped one only when something else than the desired
    // object's own exclusion decides that.
    std::string resource_version = {};
    std::size_t owned = 0;   // owned_hash
};

struct ChangeSet {
    std::vector<Change> changes;
    std::vector<Error> errors;
    // Written by a stage that then failed: in the cluster, but in none of Flux's lists. Kept apart so that they can be tracked all the same.
    std::vector<Change> unfinished = {};
    [[nodiscard]] bool any_change() const;
    // "Kind/ns/name action" lines of the changes that changed something (apply.md 7.2), without a final line break.
    [[nodiscard]] std::string changed_lines() const;
};

} // namespace weber::gitops
