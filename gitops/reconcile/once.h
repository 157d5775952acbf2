// All Kustomizations of a cluster in one go: what `weber reconcile --once` does.
//
// It begins where a Flux user's bootstrap ends. `clusters/NAME/flux-system` of the source holds the GitRepository and the Kustomization
// `flux-system`; both are applied (their namespace and custom resource definitions first, if the API server lacks them), then that Kustomization is
// reconciled, then those it created, in dependency order, independent ones at the same time. Kustomizations that vanish from the source are finalized
// (deletionPolicy). A GitRepository is served from the given source when it is the one that `clusters/NAME` declares for its own Kustomization (its url
// is where the fleet is published; what runs is the snapshot at hand), or when its url equals the given one; any other is fetched.
//
// A second run on an unchanged source sends no write: a status that says the same is not written again (history counts only runs that changed
// something), progress is not written while a run goes on, the final status once.
//
// Thread-safe: calls share nothing. Blocks; works on threads of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "gitops/api/git_repository.h"
#include "gitops/reconcile/changes.h"
#include "gitops/reconcile/post_build.h"
#include "gitops/reconcile/progress.h"
#include "gitops/source/snapshot.h"
#include "kube/client.h"

namespace weber::gitops {

struct OnceOptions {
    // The source: exactly one of the two.
    std::string path;           // a working tree or its subdirectory; uncommitted changes included
    std::string rev = {};       // with `path`: this commit, branch or tag of it in place of the working tree
    std::string url = {};       // a remote repository
    GitReference ref = {};      // with `url`

    std::string cluster = {};   // clusters/NAME; "" = the only one there is
    bool dry_run = false;       // nothing is changed; changes carry masked diffs
    std::chrono::nanoseconds timeout{0}; // of the whole run; 0 = none (each Kustomization keeps its own)
    std::size_t concurrency = 4;         // Kustomizations built and applied at once; waits do not count
    std::size_t dry_runs_in_flight = 4;  // requests at once for each Kustomization
    std::string cache_dir = {};          // bare repositories of fetched sources; "" = a folder below the user's cache
    bool prune = true;                   // false: stale objects stay in cluster and inventory
    PostBuildFactory post_build = {};    // null: a spec that needs it fails with `unsupported`
    // A client of the same cluster that acts as this user, for spec.serviceAccountName; null: a spec that names one fails with `unsupported`.
    std::function<Result<std::shared_ptr<kube::Client>>(const std::string& user)> act_as = {};
};

enum class KustomizationState : std::uint8_t {
    ready,
    failed,
    blocked,   // a dependency failed, is missing, or belongs to a cycle
    suspended,
    removed,   // gone from the source: finalized
    planned,   // dry run
};
std::string_view to_string(KustomizationState state);

struct KustomizationResult {
    NamespacedName name;
    NamespacedName parent = {};   // the Kustomization that created it; empty name: none
    KustomizationState state = KustomizationState::failed;
    std::string reason = {};      // of condition Ready: ReconciliationSucceeded, BuildFailed …
    std::string message = {};     // of condition Ready
    std::optional<Error> error = {}; // failed, and blocked where it is the dependency that is wrong: with file, line, object and hint where known
    std::vector<std::string> warnings = {}; // of the build: deprecated and ignored fields
    std::vector<std::string> waits_for = {}; // blocked: "ns/name" of the dependencies that are not ready
    std::string path = {};        // spec.path
    std::string revision = {};
    ChangeSet changes = {};       // apply, then prune; `unchanged` included
    std::chrono::nanoseconds took{};
    std::vector<StepTime> steps = {};
};

struct OnceResult {
    std::string revision;         // of the source
    std::vector<KustomizationResult> kustomizations; // parents before children, dependencies before dependents
    ChangeSet bootstrap = {};     // CRDs, namespace, flux-system objects applied before the first run
    kube::RequestCounts requests; // of the whole run
    std::chrono::nanoseconds took{};

    // Every Kustomization is ready, suspended, removed or planned.
    [[nodiscard]] bool ok() const;
};

// Errors: only what keeps the run from starting (source cannot be opened, no such cluster directory, API unreachable, a timeout or stop before the first
// Kustomization began). Failures of Kustomizations are in the result. `progress` may be null.
Result<OnceResult> reconcile_once(kube::Client& client, const OnceOptions& options, ProgressSink* progress = nullptr, std::stop_token stop = {});

// The names below clusters/, sorted. Error: not_found when there is no such folder.
Result<std::vector<std::string>> clusters_of(const Snapshot& snapshot);

// options.cache_dir, or the default.
std::string cache_dir_of(const OnceOptions& options);

// Opens what `options` name. Used by build and diff as well.
Result<Snapshot> open_source(const OnceOptions& options, std::string_view spec_ignore = {});

} // namespace weber::gitops
