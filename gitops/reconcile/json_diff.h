// What the cluster's objects lack of what is wanted, as JSON patches (apply.md 4.5): Flux's second diff engine, which its drift detection speaks. For programs;
// drift.h has it for people and for the apply itself.
//
// `json_patch` and `drift_patch` are pure; all is thread-safe as the client is.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "gitops/api/kustomization.h"
#include "gitops/reconcile/drift_ignore.h"
#include "kube/client.h"

namespace weber::gitops {

// An RFC 6902 patch: a list of {op, path, value, oldValue}, `add`, `replace` and `remove` only; oldValue (which appliers pass over) is what was there. Keys in
// byte order; lists item by item, a longer new one appends (`…/-`), a shorter one removes at its new end. `rationalize`: a `replace` of a whole map or list
// where that is shorter than the operations inside it.
Node json_patch(const Node& from, const Node& to, bool rationalize = false);

struct JsonDiffSettings {
    std::string field_manager;
    std::vector<IgnoreRule> ignore = {};                            // a path "" leaves out the whole object
    std::vector<std::pair<std::string, std::string>> exclude = {};  // labels or annotations, values without case: such objects are left out
    bool mask_secrets = false;
    bool rationalize = false;
    bool graceful = false;                                          // refusals are collected; else the first one is the result
    std::size_t in_flight = 8;                                      // requests
    std::vector<std::string> secret_values = {};                    // texts of any object that hold one are masked
};

enum class JsonDiffType : std::uint8_t { none, create, update, exclude };
std::string_view to_string(JsonDiffType type);

struct JsonDiff {
    Object desired;
    JsonDiffType type = JsonDiffType::none;
    Node patch = Node::list(); // of an update: from the live object to the wanted one, labels and annotations first
};

struct JsonDiffSet {
    std::vector<JsonDiff> entries; // in the order of the objects; those with an error are not among them
    std::vector<Error> errors = {}; // graceful only
    [[nodiscard]] bool has_changes() const; // something is to be created or updated
};

// Of one object: `live` against the answer of the dry-run apply. Of metadata, labels and annotations count, and only what is added or replaced: those that others
// wrote are no drift. `status` does not count. Masking as in 4.5: values of a Secret are told from each other by `*** (before)` and `*** (after)`.
Node drift_patch(const Object& live, const Object& answer, const JsonDiffSettings& settings);

// Reads each object and asks the API server what an apply would make of it; writes nothing. Errors: `failed to create ignore rule selector: …`; what a read failed
// with; `<subject> dry-run failed (<reason>): …` (apply.md 3.8).
Result<JsonDiffSet> json_diffs(kube::Client& client, const std::vector<Object>& objects, const JsonDiffSettings& settings, std::stop_token stop = {});

} // namespace weber::gitops
