#include <algorithm>

#include "gitops/api/names.h"
#include "gitops/reconcile/status.h"

namespace weber::gitops {

namespace {

using kube::format_go_duration;
using kube::SystemTime;

constexpr std::size_t kHistoryLength = 5;
constexpr std::string_view kEventPrefix = "event.toolkit.fluxcd.io/";
constexpr std::string_view kTerminalPrefix = "Reconciliation failed terminally due to configuration error: ";

void set_ready(KustomizationStatus& s, const RunContext& run, std::string_view status, std::string_view reason, std::string message, SystemTime now) {
    set_condition(s, {"Ready", std::string(status), std::string(reason), std::move(message), run.generation, ""}, now);
}

void set_reconciling(KustomizationStatus& s, const RunContext& run, std::string message, SystemTime now) {
    set_condition(s, {"Reconciling", "True", "Progressing", std::move(message), run.generation, ""}, now);
}

// kustomization.md 3.6: (digest, status) is the key; a known entry moves to the front.
void record_history(KustomizationStatus& s, const RunContext& run, std::string_view status, SystemTime now) {
    if (run.digest.empty()) return;
    HistoryEntry entry{run.digest, kube::format_rfc3339(now), "", "", std::string(status), 0, {}};
    const auto known = std::ranges::find_if(s.history, [&](const HistoryEntry& e) { return e.digest == run.digest && e.last_status == status; });
    if (known != s.history.end()) {
        entry = *known;
        s.history.erase(known);
    }
    entry.last_reconciled = kube::format_rfc3339(now);
    entry.last_duration = format_go_duration(now - run.started);
    entry.total += 1;
    entry.metadata = {{"revision", run.revision}};
    if (!run.origin_revision.empty()) entry.metadata.emplace("originRevision", run.origin_revision);
    s.history.insert(s.history.begin(), std::move(entry));
    if (s.history.size() > kHistoryLength) s.history.resize(kHistoryLength);
}

// One overload an outcome: conditions, revisions, history, events, what is next.
struct Decide {
    Conclusion& out;
    const RunContext& run;
    SystemTime now;

    void event(bool warning, std::string message, EventRevision revision = EventRevision::attempted) const {
        out.events.push_back(make_event(out.status, run, warning, std::move(message), revision));
    }
    void not_ready(std::string_view reason, std::string message, NextRun next) const {
        set_ready(out.status, run, "False", reason, std::move(message), now);
        out.next = next;
    }

    void operator()(const Succeeded&) const {
        out.status.last_applied_revision = run.revision;
        out.status.last_applied_origin_revision = run.origin_revision;
        set_ready(out.status, run, "True", "ReconciliationSucceeded", "Applied revision: " + run.revision, now);
        record_history(out.status, run, "ReconciliationSucceeded", now);
        out.next = NextRun::interval;
    }
    void operator()(const SuspendedRun&) const { out.next = NextRun::none; }
    void operator()(const FinalizerAdded&) const { out.next = NextRun::now; }
    void operator()(const Terminal& t) const {
        const bool expression = t.reason == "InvalidCELExpression";
        const std::string text = (expression ? std::string(kTerminalPrefix) : "") + t.message;
        not_ready(t.reason, text, t.reason == "FeatureGateDisabled" ? NextRun::none : NextRun::terminal);
        set_condition(out.status, {"Stalled", "True", t.reason, text, run.generation, ""}, now);
        // Upstream's two refusals leave it; without it kstatus would see the object as in progress for ever.
        if (t.reason != "FeatureGateDisabled" && t.reason != "AccessDenied") out.status.observed_generation = run.generation;
        event(true, text, t.with_revision ? EventRevision::attempted : EventRevision::none);
    }
    void operator()(const SourceNotFound& s) const { not_ready("ArtifactFailed", s.message, NextRun::retry); }
    void operator()(const SourceUnreadable& s) const { not_ready("ArtifactFailed", s.message, NextRun::backoff); }
    void operator()(const NoArtifact&) const {
        not_ready("ArtifactFailed", "Source artifact not found, retrying in " + format_go_duration(run.requeue_dependency), NextRun::dependency);
    }
    void operator()(const DependencyNotReady& d) const {
        not_ready("DependencyNotReady", d.message, NextRun::dependency);
        event(false, "Dependencies do not meet ready condition, retrying in " + format_go_duration(run.requeue_dependency));
    }
    void operator()(const ArtifactGone&) const {
        not_ready("ArtifactFailed", "Source is not ready, artifact not found, retrying in " + format_go_duration(run.requeue_dependency),
                  NextRun::dependency);
    }
    void operator()(const FailedRun& f) const {
        out.next = NextRun::retry;
        if (!f.reason.empty()) not_ready(f.reason, f.message, NextRun::retry); // "": the status could not be written, Ready stays
        for (std::string_view recorded : {"ReconciliationFailed", "PruneFailed", "HealthCheckFailed"})
            if (f.reason == recorded) record_history(out.status, run, f.reason, now);
        event(true, f.event_message.empty() ? f.message : f.event_message);
    }
    void operator()(const Cancelled& c) const {
        not_ready("HealthCheckCanceled", "New reconciliation triggered by " + c.trigger, NextRun::now);
        event(false, "Health checks canceled due to new reconciliation triggered by " + c.trigger);
    }
};

std::string_view step_text(StatusStep step) {
    switch (step) {
    case StatusStep::fetching: return "Fetching manifests";
    case StatusStep::building: return "Building manifests";
    case StatusStep::detecting_drift: return "Detecting drift";
    case StatusStep::health_checks: return "Running health checks";
    }
    return "";
}

} // namespace

RunContext run_context(const Kustomization& k) {
    RunContext run;
    run.generation = k.object.generation();
    run.suspended = k.spec.suspend;
    for (const auto& [key, value] : k.object.annotations()) {
        if (key == kRequestedAt) run.requested_at = value;
        if (key.starts_with(kEventPrefix)) run.event_metadata.emplace(key, value);
    }
    run.interval = k.spec.interval;
    run.retry_interval = k.spec.retry_interval.value_or(k.spec.interval);
    run.timeout = k.spec.timeout();
    return run;
}

Event make_event(const KustomizationStatus& status, const RunContext& run, bool warning, std::string message, EventRevision revision) {
    const Condition* ready = status.find("Ready");
    Event e{warning, ready != nullptr ? ready->reason : warning ? "error" : "info", std::move(message), run.event_metadata};
    const bool applied = revision == EventRevision::applied;
    const std::string& rev = applied ? status.last_applied_revision : run.revision;
    const std::string& origin = applied ? status.last_applied_origin_revision : run.origin_revision;
    if (revision == EventRevision::none) return e;
    const std::string prefix = std::string(kKustomizeGroup) + "/";
    if (!rev.empty()) e.metadata.emplace(prefix + "revision", rev);
    if (!origin.empty()) e.metadata.emplace(prefix + "originRevision", origin);
    return e;
}

void mark_step(KustomizationStatus& status, const RunContext& run, StatusStep step, SystemTime now) {
    std::string text = std::string(step_text(step)) + " for revision " + run.revision + " with a timeout of " + format_go_duration(run.timeout);
    if (step == StatusStep::fetching) set_ready(status, run, "Unknown", "Progressing", "Reconciliation in progress", now);
    if (step == StatusStep::building) status.last_attempted_revision = run.revision;
    if (step == StatusStep::health_checks) set_condition(status, {"Healthy", "Unknown", "Progressing", text, run.generation, ""}, now);
    set_reconciling(status, run, std::move(text), now);
}

std::optional<Event> mark_healthy(KustomizationStatus& status, const RunContext& run, std::chrono::nanoseconds took, bool was_healthy, bool drifted,
                                  SystemTime now) {
    const std::string text = "Health check passed in " + format_go_duration(took);
    std::optional<Event> event;
    if (!was_healthy || (status.last_applied_revision != run.revision && drifted)) event = make_event(status, run, false, text);
    set_condition(status, {"Healthy", "True", "Succeeded", text, run.generation, ""}, now);
    return event;
}

void mark_unhealthy(KustomizationStatus& status, const RunContext& run, std::string message, SystemTime now) {
    set_condition(status, {"Healthy", "False", "HealthCheckFailed", std::move(message), run.generation, ""}, now);
}

void clear_healthy(KustomizationStatus& status) { remove_condition(status, "Healthy"); }

std::string_view to_string(NextRun next) {
    switch (next) {
    case NextRun::none: return "none";
    case NextRun::now: return "now";
    case NextRun::backoff: return "backoff";
    case NextRun::terminal: return "terminal";
    case NextRun::dependency: return "dependency";
    case NextRun::retry: return "retry";
    case NextRun::interval: return "interval";
    }
    return "none";
}

Conclusion conclude(KustomizationStatus status, const RunContext& run, const Outcome& outcome, SystemTime now, std::chrono::nanoseconds run_took) {
    Conclusion out{std::move(status), {}, NextRun::none};
    std::visit(Decide{out, run, now}, outcome);

    KustomizationStatus& s = out.status;
    if (run.requested_at) s.last_handled_reconcile_at = *run.requested_at;
    if (s.is_true("Ready")) {
        remove_condition(s, "Reconciling");
        s.observed_generation = run.generation;
    } else if (const Condition* ready = s.find("Ready"); ready != nullptr && ready->status == "False") {
        if (const Condition* reconciling = s.find("Reconciling")) {
            Condition retrying = *reconciling;
            retrying.reason = "ProgressingWithRetry";
            retrying.observed_generation = run.generation;
            set_condition(s, std::move(retrying), now);
        }
    }
    if (!run.suspended && s.ready()) {
        Event finished = make_event(s, run, false,
                                    "Reconciliation finished in " + format_go_duration(run_took) + ", next run in " + format_go_duration(run.interval),
                                    EventRevision::applied);
        finished.metadata.emplace(std::string(kKustomizeGroup) + "/commit_status", "update");
        out.events.push_back(std::move(finished));
    }
    return out;
}

SourceNotFound source_not_found(const SourceRef& source) { return {source.kind + "." + std::string(kSourceGroup) + " \"" + source.name.name + "\" not found"}; }

} // namespace weber::gitops
