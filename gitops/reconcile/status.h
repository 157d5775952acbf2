// The status of a Kustomization, and what becomes of it: every condition, reason, message, revision, history entry and event of
// kustomization.md sections 2 to 4 is decided here, from plain values.
//
// Pure and thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gitops/api/kustomization.h"
#include "gitops/reconcile/inventory.h"
#include "kube/base/clock.h"
#include "kube/base/object.h"

namespace weber::gitops {

struct Condition {
    std::string type, status, reason, message;
    std::int64_t observed_generation = 0;
    std::string last_transition; // RFC 3339, whole seconds

    friend bool operator==(const Condition&, const Condition&) = default;
};

// A snapshot of status.history; newest first there.
struct HistoryEntry {
    std::string digest, first_reconciled, last_reconciled, last_duration, last_status;
    std::int64_t total = 1;
    std::map<std::string, std::string> metadata = {};
};

struct KustomizationStatus {
    std::int64_t observed_generation = -1;
    std::vector<Condition> conditions = {}; // ours and others'
    std::string last_attempted_revision = {}, last_applied_revision = {}, last_applied_origin_revision = {}, last_handled_reconcile_at = {};
    std::optional<Inventory> inventory = {};
    std::vector<std::string> unreadable = {}; // ids that stand in the inventory and are none: left out of it
    std::vector<HistoryEntry> history = {};

    [[nodiscard]] const Condition* find(std::string_view type) const; // nullptr when absent
    [[nodiscard]] bool is_true(std::string_view type) const;
    // Ready=True and neither Reconciling nor Stalled.
    [[nodiscard]] bool ready() const;
};

// Of an object as the API server has it. Fields of the wrong type read as absent, and inventory ids that cannot be parsed; it does not fail.
Result<KustomizationStatus> read_status(const Object& object);
// The `status` map; empty fields are left out, an empty inventory is kept.
Node write_status(const KustomizationStatus& status);

// True when the two say the same: everything but the times and counts of history (lastReconciled, its duration, totalReconciliations). Such a
// status need not be written again, and --once does not (docs/differences.md).
bool says_the_same(const KustomizationStatus& a, const KustomizationStatus& b);

// ---- a run -------------------------------------------------------------------------------------------------------

// What the rules need to know of a run.
struct RunContext {
    std::int64_t generation = 0;
    bool suspended = false;
    std::optional<std::string> requested_at = {};           // annotation reconcile.fluxcd.io/requestedAt
    std::map<std::string, std::string> event_metadata = {}; // annotations event.toolkit.fluxcd.io/…, whole keys
    std::chrono::nanoseconds interval{}, retry_interval{}, timeout{};
    std::chrono::nanoseconds requeue_dependency = std::chrono::seconds(30);
    std::string revision = {}, origin_revision = {};        // of the source's artifact; "" as long as it is not known
    std::string digest = {};                                // "sha256:…" of the build; "" before it
    kube::SystemTime started = {};                          // of step 11, for history
};
RunContext run_context(const Kustomization& kustomization);

// Kubernetes event, and what is posted to the notification service (kustomization.md 4).
struct Event {
    bool warning = false; // severity error; else info
    std::string reason;
    std::string message;
    std::map<std::string, std::string> metadata; // whole keys
};

enum class EventRevision : std::uint8_t { none, attempted, applied };
// Reason: that of condition Ready now, else the word of the severity.
Event make_event(const KustomizationStatus& status, const RunContext& run, bool warning, std::string message,
                 EventRevision revision = EventRevision::attempted);

// Steps that are shown in the status while a run goes on (steps 11, 14, 18 and 2.1).
enum class StatusStep : std::uint8_t { fetching, building, detecting_drift, health_checks };
void mark_step(KustomizationStatus& status, const RunContext& run, StatusStep step, kube::SystemTime now);
// `Health check passed in …`; returns the event when one is due (2.1 step 10).
std::optional<Event> mark_healthy(KustomizationStatus& status, const RunContext& run, std::chrono::nanoseconds took, bool was_healthy, bool drifted,
                                  kube::SystemTime now);
// Healthy=False with the bare text of the wait (2.1 step 9).
void mark_unhealthy(KustomizationStatus& status, const RunContext& run, std::string message, kube::SystemTime now);
// No health checks configured, or nothing to check.
void clear_healthy(KustomizationStatus& status);

// ---- outcomes ----------------------------------------------------------------------------------------------------

struct Succeeded {};      // step 24
struct SuspendedRun {};   // step 5
struct FinalizerAdded {}; // step 4
// A configuration error that only an edit of the object mends: Ready=False and Stalled=True with `reason`.
struct Terminal {
    std::string reason;          // InvalidCELExpression, FeatureGateDisabled, AccessDenied, or Weber's own UnsupportedField, InvalidSpec, PruneGuard
    std::string message;         // of the conditions and the event; InvalidCELExpression: without the prefix of step 6
    bool with_revision = false;  // of the event
};
struct SourceNotFound { std::string message; };  // step 8
struct SourceUnreadable { std::string message; }; // step 8, other errors
struct NoArtifact {};                            // step 9
struct DependencyNotReady { std::string message; }; // step 10
struct ArtifactGone {};                          // step 12, HTTP 404
// Steps 12 to 23: `reason` of Ready, `message` of Ready, text of the event when it differs.
struct FailedRun {
    std::string reason;
    std::string message;
    std::string event_message = {};
};
struct Cancelled { std::string trigger; };       // step 26, "GitRepository/ns/name"

using Outcome = std::variant<Succeeded, SuspendedRun, FinalizerAdded, Terminal, SourceNotFound, SourceUnreadable, NoArtifact, DependencyNotReady,
                             ArtifactGone, FailedRun, Cancelled>;

// In the words of the cache that Flux asks, which calls a kind by its name where the API server says its resource.
SourceNotFound source_not_found(const SourceRef& source);

// When the next run is due (codes of kustomization.md 2).
enum class NextRun : std::uint8_t { none, now, backoff, terminal, dependency, retry, interval };
std::string_view to_string(NextRun next);

struct Conclusion {
    KustomizationStatus status;
    std::vector<Event> events; // in order
    NextRun next = NextRun::none;
};

// The end of a run: outcome first, then the rules of 3.2. `run_took`: since the run was picked up, for the "finished" event.
Conclusion conclude(KustomizationStatus status, const RunContext& run, const Outcome& outcome, kube::SystemTime now,
                    std::chrono::nanoseconds run_took);

// Cuts a condition's message: longer than 32768 bytes → 32765 bytes and "...".
std::string limit_message(std::string message);

// Sets a condition by the rules of 3.1: transition time moves when status, reason or message change; Reconciling and Stalled
// exclude each other; stored order Stalled, Reconciling, Ready, others by name.
void set_condition(KustomizationStatus& status, Condition condition, kube::SystemTime now);
void remove_condition(KustomizationStatus& status, std::string_view type);

} // namespace weber::gitops
