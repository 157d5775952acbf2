// Brings objects onto a cluster by server-side apply, in stages (apply.md 2 and 3).
//
// What is written is exactly what was checked: every object of a stage passes the API server's dry run before the first one of it is written, and all
// refusals of a stage are reported at once. Requests: an object that is not there costs two (dry run, apply), an unchanged one two (dry run, read), a changed
// one three. Flux reads first and pays three for a new one; the dry run's answer tells absent from present (no resourceVersion), so the read can wait
// until it is known to be of use. Objects that their own switches exclude are read first, and only read. A caller that watches its objects pays nothing for
// those that did not change (`AppliedMemory`).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "gitops/api/kustomization.h"
#include "gitops/reconcile/applied_memory.h"
#include "gitops/reconcile/changes.h"
#include "gitops/reconcile/inventory.h"
#include "kube/client.h"

namespace weber::gitops {

struct ApplySettings {
    bool force = false;              // recreate on immutable fields, for all objects (spec.force)
    std::size_t concurrency = 4;     // requests in flight
    bool dry_run = false;            // plan only: nothing is written, changes carry masked diffs
    std::vector<kube::GroupKind> custom_stage_kinds = {};  // a stage of their own before the rest (--custom-apply-stage-kinds)
    std::vector<std::string> override_managers = {};       // their fields are taken over too (--override-manager)
    std::vector<IgnoreRule> ignore = {};                   // spec.ignore
    std::vector<Object> planned = {};                      // dry run: definitions and namespaces that others would have made by then
    bool migrate_api_version = false;                      // gate MigrateAPIVersion
    std::chrono::milliseconds stage_timeout{60'000};       // of the wait after definitions and after classes
    std::chrono::milliseconds recreate_timeout{60'000};    // for an object to be gone before it is made anew
    std::chrono::milliseconds served_timeout{10'000};      // for a kind that an earlier stage defined to be served
    std::vector<std::string> secret_values = {};           // dry run: texts of any object that hold one are masked in its diff
    AppliedMemory* memory = nullptr;                       // outlives the call; null: nothing is remembered
    LiveView seen = {};                                    // with `memory`: what the caller's watches hold
};

// Objects of a stage that are about to be made: whoever keeps the inventory writes them down first, so that they are known even if the process is killed
// in the middle. An error ends the apply before anything of the stage is written.
using BeforeCreate = std::function<Result<void>(const Inventory& objects)>;

// Calls come on the caller's thread, or, for `waiting`, on a thread of the wait, never two at once.
struct ApplyProgress {
    std::function<void(std::string_view stage, std::size_t done, std::size_t total)> checking = {};
    std::function<void(std::string_view stage, std::size_t done, std::size_t total)> applying = {};
    std::function<void(std::string_view stage, std::size_t ready, std::size_t total, const std::vector<std::string>& waiting)> waiting = {};
};

// `objects`: normalized and labelled (desired_objects). The result has one change an object of every completed stage, in apply order, and the errors of
// the stage that failed, if one did; texts as apply.md 3.8. `ChangeSet::unfinished` is what the failing stage had written before: record it, too.
// An object whose live state cannot be read for the moment fails its stage (`… query failed`): it may carry a switch that forbids the apply.
// Errors name the object and its place in the source, and hold no value of a Secret. Thread-safe as the client is.
ChangeSet apply_staged(kube::Client& client, std::vector<Object> objects, const ApplySettings& settings, const ApplyProgress& progress = {},
                       std::stop_token stop = {}, const BeforeCreate& before_create = {});

// "group/Kind, Kind" as --custom-apply-stage-kinds has it; "" gives none.
std::vector<kube::GroupKind> parse_stage_kinds(std::string_view text);

} // namespace weber::gitops
