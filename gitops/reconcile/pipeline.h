// One Kustomization, from its source to its status: fetch, build, desire, apply, prune, wait, conclude (kustomization.md 2, steps 11 to 27).
//
// The same steps serve a one-shot run, the agent, `build` and `diff`: they may be stopped early (`build_objects`, `desired_objects`, a dry run), and the
// wait may happen elsewhere (`Run::until_wait` and `Run::finish`), so that no worker is held by it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "gitops/api/kustomization.h"
#include "gitops/reconcile/applied_memory.h"
#include "gitops/reconcile/changes.h"
#include "gitops/reconcile/health.h"
#include "gitops/reconcile/post_build.h"
#include "gitops/reconcile/progress.h"
#include "gitops/reconcile/status.h"
#include "gitops/source/snapshot.h"
#include "kube/client.h"
#include "kustomize/loader.h"

namespace weber::gitops {

// ---- without a cluster -------------------------------------------------------------------------------------------

struct BuildSettings {
    PostBuildFactory post_build = {};          // null: a spec that needs it fails with `unsupported`
    ReferenceReader* cluster = nullptr;        // for `post_build`; null: no cluster
    kustomize::ParseCache* cache = nullptr;    // shared by builds; null: each parses its own files
    kustomize::RemoteFetcher* remote = nullptr; // of remote bases (remote_bases.h); null: they are refused
};

struct Built {
    std::vector<Object> objects;         // in output order, decrypted and substituted; lists expanded
    std::string digest;                  // "sha256:<hex>" of their YAML, for status.history
    std::vector<std::string> files_read; // paths in the source
    std::vector<std::string> secret_values; // that were decrypted or came from Secrets: they stay out of messages (mask_secret_values)
    std::vector<Reference> references = {}; // ConfigMaps and Secrets that were read for it
    std::vector<std::string> warnings;   // about deprecated fields (kustomize's) and ignored ones
};

// build.md 1, steps 2 to 5. Errors are what BuildFailed says, with file and line; a missing spec.path is not_found (`kustomization path not found: …`).
Result<Built> build_objects(const Snapshot& snapshot, const Kustomization& kustomization, const BuildSettings& settings = {});

// kustomization.md 2, steps 18 and 19a to 19c: owner labels, normalization, common metadata, no encrypted Secret. Order kept.
// `normalize` false: as they were built, for showing them.
Result<std::vector<Object>> desired_objects(std::vector<Object> objects, const Kustomization& kustomization, bool normalize = true);

// ---- with a cluster ----------------------------------------------------------------------------------------------

struct PipelineSettings {
    bool dry_run = false; // nothing is written; changes carry masked diffs; no wait
    std::vector<Object> planned = {}; // dry run: definitions and namespaces that others would have made by then
    bool prune = true;    // false: stale objects stay in cluster and inventory (Flux has no such switch)
    bool prune_guard = false; // a prune that looks like an accident ends the run, Stalled with reason PruneGuard (prune_guard.h)
    AppliedMemory* memory = nullptr; // of the cluster's objects, outlives the runs; with `seen`, what nobody touched costs no request
    LiveView seen = {};
    std::optional<Error> no_target = {}; // why there is no client of the target cluster: ends the run where it would be needed first (step 15)
    std::chrono::nanoseconds requeue_dependency{std::chrono::seconds(30)}; // what messages say about an artifact that is gone
    std::size_t dry_runs_in_flight = 4;
    std::vector<std::string> override_managers = {}; // their fields are taken over, too
    std::vector<kube::GroupKind> custom_stage_kinds = {};
    bool migrate_api_version = false;
    bool fail_fast = true;                           // a wait ends with the first Failed object
    PostBuildFactory post_build = {};
    kube::Client* own = nullptr; // reads what the spec refers to (variables, keys), by the reconciler's own identity; null: the run's client
    ReferenceReader* references = nullptr; // that has read something already, for the one run; null: `own` is asked
    std::function<StatusReader(const Kustomization&)> health_reader = {}; // spec.healthCheckExprs, compiled
    kustomize::ParseCache* cache = nullptr;
    kustomize::RemoteFetcher* remote = nullptr;
};

// The source's artifact.
struct RunSource {
    std::string revision;
    std::string origin_revision = {};
    // Its files: a snapshot at hand, or a download. Error not_found with http_status 404: the artifact is gone (step 12).
    std::function<Result<Snapshot>(std::stop_token)> open;
};

// Watches a run. Called on the run's thread.
class RunObserver : public ProgressSink {
public:
    // At the points where Flux writes the status while a run goes on, and before new objects are made (then they are in its inventory). An error
    // ends the run (`failed to update status: …`).
    virtual Result<void> on_status(const KustomizationStatus& status) = 0;
    virtual void on_event(const Event& event) = 0;
    // What was applied, all of it, and what was deleted, if anything was to be: for logs (kustomization.md 2, step 19f, and 5.1).
    virtual void on_applied(const ChangeSet&) {}
    virtual void on_pruned(const ChangeSet&) {}
};

struct RunResult {
    Outcome outcome;
    Conclusion conclusion;       // the status to write, events, when to run again
    ChangeSet changes = {};      // apply, then prune
    std::optional<Error> error = {};
    bool path_missing = false;   // the error: the source has no spec.path
    std::vector<StepTime> steps = {};
    std::vector<std::string> files_read = {};
    std::vector<Reference> references = {};
    std::vector<std::string> warnings = {}; // of the build
};

// What a wait is for.
struct WaitTask {
    std::vector<kube::ObjectRef> objects;
    HealthSettings settings = {};
};
struct Superseded { std::string trigger; }; // "GitRepository/ns/name": a newer run is wanted
using Health = std::variant<HealthEnd, Superseded>;

// One run. Not thread-safe; the parts may be called on different threads, one after the other. Borrowed references must outlive it.
class Run {
public:
    // `kustomization` holds the object as the API server has it; `status` is its status. The run begins now.
    Run(Kustomization kustomization, KustomizationStatus status, RunSource source, const PipelineSettings& settings, kube::Client& client,
        RunObserver& observer, const kube::Clock& clock = kube::system_clock());
    ~Run();
    Run(Run&&) noexcept;
    Run& operator=(Run&&) = delete;

    // Fetch, build, desire, apply, prune. The task when there is something to wait for: call `finish` with its end. nullopt: the run is over, call
    // `result`.
    std::optional<WaitTask> until_wait(std::stop_token stop = {});
    void finish(const Health& health);
    // What was applied and pruned so far, and the objects that are wanted; from `until_wait` on.
    [[nodiscard]] const ChangeSet& changes() const;
    [[nodiscard]] const std::vector<Object>& objects() const;
    // The conclusion; once.
    RunResult result();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Waits in the calling thread. Error: cancelled.
Result<HealthEnd> wait_until_healthy(kube::Client& client, const WaitTask& task, const NamespacedName& who, ProgressSink* progress,
                                     std::stop_token stop = {});

// A run whose wait happens in the calling thread. `before_wait` and `after_wait` may give up and take back a worker's slot.
RunResult reconcile(Run& run, kube::Client& client, const NamespacedName& who, ProgressSink* progress, std::stop_token stop = {},
                    const std::function<void()>& before_wait = {}, const std::function<void()>& after_wait = {});

} // namespace weber::gitops
