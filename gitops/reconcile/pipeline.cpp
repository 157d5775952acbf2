#include "gitops/reconcile/pipeline.h"

#include <algorithm>
#include <set>

#include "gitops/api/names.h"
#include "gitops/reconcile/apply.h"
#include "gitops/reconcile/apply_errors.h"
#include "gitops/reconcile/prune.h"
#include "gitops/reconcile/prune_guard.h"
#include "gitops/reconcile/reference_reader.h"

namespace weber::gitops {

namespace {

using kube::MonotonicTime;

// Objects that a wait looks at (kustomization.md 2.1, steps 1 to 5).
// `changes`: of the apply, and of the prune, which are not waited for.
Result<std::vector<kube::ObjectRef>> objects_to_wait_for(const Kustomization& k, const ChangeSet& changes) {
    std::vector<kube::ObjectRef> out;
    if (k.spec.wait) {
        for (const Change& c : changes.changes)
            if (c.action == Action::created || c.action == Action::configured || c.action == Action::unchanged) out.push_back({{c.key.group, c.version, c.key.kind}, c.key.ns, c.key.name});
    } else {
        for (const HealthCheck& h : k.spec.health_checks) {
            TRY(const kube::GroupVersion gv, kube::GroupVersion::parse(h.api_version));
            out.push_back({{gv.group, "", h.kind}, h.ns, h.name}); // the server's version, whatever is written: Flux keeps group and kind only
        }
    }
    return out;
}

bool is_self(const kube::ObjectRef& ref, const Kustomization& k) {
    return ref.gvk.kind == "Kustomization" && ref.name == k.name.name && ref.ns == k.name.ns;
}

std::set<kube::ObjectKey> jobs_that_vanish(const std::vector<Object>& objects) {
    std::set<kube::ObjectKey> out;
    for (const Object& o : objects)
        if (o.kind() == "Job" && o.group() == "batch" && o.at({"spec", "ttlSecondsAfterFinished"}) != nullptr) out.insert(o.key());
    return out;
}

// Entries of `more` that `inventory` lacks are added.
void unite(Inventory& inventory, const Inventory& more) {
    for (const InventoryEntry& e : more)
        if (std::ranges::find(inventory, e.key, &InventoryEntry::key) == inventory.end()) inventory.push_back(e);
}

// Every entry of a delete, one a line (kustomization.md 4.3).
std::string delete_lines(const ChangeSet& pruned) {
    std::string out;
    for (const Change& c : pruned.changes) out += (out.empty() ? "" : "\n") + c.key.subject() + " " + std::string(to_string(c.action));
    return out;
}

// All refusals, a line each, then what the stages before had done; with a final line break, as upstream.
std::string apply_failure(const ChangeSet& applied) {
    std::string out;
    for (const Error& e : applied.errors) out += e.message + "\n";
    const std::string lines = applied.changed_lines();
    return lines.empty() ? out : out + lines + "\n";
}

// A build's error names its place in the condition, too: that is what whoever reads it has to edit.
std::string with_place(const Error& e) {
    if (e.where.file.empty() || e.message.find(e.where.file) != std::string::npos) return e.message;
    return e.message + " (" + e.where.to_string() + ")";
}

} // namespace

struct Run::State {
    Kustomization k;
    KustomizationStatus status;
    RunSource source;
    const PipelineSettings& settings;
    kube::Client& client;
    RunObserver& observer;
    const kube::Clock& clock;
    RunContext context = {};
    MonotonicTime began = {}, step_began = {};
    std::optional<Step> step = {};
    std::string reason = {}; // of Ready, should the present step fail
    Inventory old = {};
    bool had_inventory = false;
    ChangeSet changes = {};
    std::vector<Object> wanted = {};
    std::string failure_text = {}; // of Ready and the event, when it says more than the error
    std::string event_text = {};   // of the event alone
    std::vector<StepTime> steps = {};
    std::vector<std::string> files_read = {}, warnings = {}, secret_values = {};
    std::vector<Reference> references = {};
    bool was_healthy = false, drifted = false, path_missing = false;
    std::optional<Outcome> outcome = {};
    std::optional<Error> error = {};

    // The run up to its wait. Every step says first what Ready's reason is if it fails.
    Result<std::optional<WaitTask>> to_wait(std::stop_token stop) {
        TRY_VOID(show(StatusStep::fetching));
        TRY(const Snapshot snapshot, fetch(stop));
        TRY_VOID(show(StatusStep::building));
        TRY(Built built, build(snapshot));
        TRY_VOID(show(StatusStep::detecting_drift));
        TRY(std::vector<Object> objects, desire(std::move(built)));
        TRY_VOID(apply(std::move(objects), stop));
        TRY_VOID(prune(stop));
        return begin_wait();
    }

    Result<Snapshot> fetch(std::stop_token stop) {
        enter(Step::fetch, Phase::fetching, "ArtifactFailed");
        TRY(Snapshot snapshot, source.open(stop));
        const auto dir = snapshot.directory(k.spec.path);
        path_missing = !dir;
        TRY_VOID(dir);
        return snapshot;
    }

    Result<Built> build(const Snapshot& snapshot) {
        if (settings.no_target) {
            enter(Step::build, Phase::building, "ReconciliationFailed");
            event_text = "failed to build kube client: " + settings.no_target->message;
            return fail(*settings.no_target);
        }
        enter(Step::build, Phase::building, "BuildFailed");
        ReferenceReader fresh(settings.own != nullptr ? *settings.own : client, k);
        return build_objects(snapshot, k, {settings.post_build, settings.references != nullptr ? settings.references : &fresh, settings.cache, settings.remote});
    }

    Result<std::vector<Object>> desire(Built built) {
        enter(Step::desire, Phase::building, "ReconciliationFailed");
        files_read = std::move(built.files_read);
        references = std::move(built.references);
        warnings = std::move(built.warnings);
        secret_values = std::move(built.secret_values);
        context.digest = std::move(built.digest);
        return desired_objects(std::move(built.objects), k);
    }

    Result<void> apply(std::vector<Object> objects, std::stop_token stop) {
        enter(Step::apply, Phase::checking, "ReconciliationFailed");
        wanted = objects;
        const auto note = [this](const Inventory& about_to_be_made) { return note_new_objects(about_to_be_made); };
        changes = apply_staged(client, std::move(objects), apply_settings(), apply_progress(), stop, note);
        mask_secret_values(changes.errors, secret_values);
        if (!changes.errors.empty()) {
            track_what_was_written();
            Error first = changes.errors.front();
            failure_text = apply_failure(changes);
            return fail(std::move(first));
        }
        observer.on_applied(changes);
        drifted = changes.any_change();
        if (drifted) emit(changes.changed_lines());
        status.inventory = inventory_of(changes.changes);
        return {};
    }

    Result<void> prune(std::stop_token stop) {
        enter(Step::prune, Phase::pruning, "PruneFailed");
        const Inventory gone = stale(old, *status.inventory);
        if (!settings.prune) unite(*status.inventory, gone);
        if (gone.empty()) clear_stopped(status);
        if (!settings.prune || !k.spec.prune || gone.empty()) return {};
        const PruneSettings how{settings.dry_run, settings.dry_runs_in_flight, [this](std::size_t done, std::size_t total) {
                                    progress({.name = k.name, .phase = Phase::pruning, .done = done, .total = total});
                                },
                                secret_values};
        if (settings.prune_guard && !settings.dry_run) TRY_VOID(guard(gone, stop));
        ChangeSet pruned = gitops::prune(client, gone, k.name, how, stop);
        changes.changes.insert(changes.changes.end(), pruned.changes.begin(), pruned.changes.end());
        changes.errors.insert(changes.errors.end(), pruned.errors.begin(), pruned.errors.end());
        if (!pruned.errors.empty()) {
            unite(*status.inventory, survivors(gone, pruned));
            return fail(prune_error(pruned));
        }
        observer.on_pruned(pruned);
        emit(delete_lines(pruned));
        return {};
    }

    // Stale objects stay in the inventory when they may not go yet.
    Result<void> guard(const Inventory& gone, std::stop_token stop) {
        const auto content = live_content(client, gone, k.name, std::move(stop));
        const std::size_t before = size_before(status, old);
        const GuardVerdict verdict = content ? judge_prune(before, gone, *content, k.object.annotation(kAllowPrune)) : GuardVerdict{.stop = true};
        if (!verdict.stop) {
            clear_stopped(status);
            return {};
        }
        unite(*status.inventory, gone);
        if (!content) return fail(Error(content.error()).with_prefix("prune guard: "));
        mark_stopped(status, before, context.generation, clock.now());
        outcome = Terminal{"PruneGuard", verdict.message, true};
        return fail(ErrorCode::forbidden, verdict.message);
    }

    Result<std::optional<WaitTask>> begin_wait() {
        enter(Step::wait, Phase::health, "HealthCheckFailed");
        if (settings.dry_run) return std::nullopt;
        TRY(std::vector<kube::ObjectRef> objects, objects_to_wait_for(k, changes));
        if (objects.empty()) {
            clear_healthy(status);
            return std::nullopt;
        }
        std::erase_if(objects, [&](const kube::ObjectRef& ref) { return is_self(ref, k); });
        was_healthy = status.is_true("Healthy");
        TRY_VOID(show(StatusStep::health_checks));
        HealthSettings how{context.timeout, settings.fail_fast, jobs_that_vanish(wanted), {}};
        if (settings.health_reader) how.reader = settings.health_reader(k);
        return WaitTask{std::move(objects), std::move(how)};
    }

    // ---- what the steps use --------------------------------------------------------------------------------------

    void enter(Step next, Phase phase, std::string ready_reason) {
        leave();
        step = next;
        reason = std::move(ready_reason);
        progress({.name = k.name, .phase = phase});
    }
    void leave() {
        const MonotonicTime now = clock.monotonic();
        if (step) steps.push_back({*step, now - step_began});
        step_began = now;
        step.reset();
    }
    void progress(Progress p) {
        p.elapsed = clock.monotonic() - began;
        observer.on_progress(p);
    }
    Result<void> show(StatusStep now_at) {
        if (settings.dry_run) return {};
        mark_step(status, context, now_at, clock.now());
        auto written = observer.on_status(status);
        if (written) return {};
        reason.clear();
        return fail(Error(written.error()).with_prefix("failed to update status: "));
    }
    void emit(std::string message) {
        if (!settings.dry_run) observer.on_event(make_event(status, context, false, std::move(message)));
    }
    ApplySettings apply_settings() const {
        return {.force = k.spec.force, .concurrency = settings.dry_runs_in_flight, .dry_run = settings.dry_run,
                .custom_stage_kinds = settings.custom_stage_kinds, .override_managers = settings.override_managers, .ignore = k.spec.ignore,
                .planned = settings.planned, .migrate_api_version = settings.migrate_api_version, .secret_values = secret_values, .memory = settings.memory, .seen = settings.seen};
    }
    ApplyProgress apply_progress() {
        const auto tell = [this](Phase phase) {
            return [this, phase](std::string_view stage, std::size_t done, std::size_t total) {
                progress({.name = k.name, .phase = phase, .stage = std::string(stage), .done = done, .total = total});
            };
        };
        return {tell(Phase::checking), tell(Phase::applying),
                [this](std::string_view stage, std::size_t ready, std::size_t total, const std::vector<std::string>& waiting) {
                    progress({.name = k.name, .phase = Phase::health, .stage = std::string(stage), .done = ready, .total = total, .waiting_for = waiting});
                }};
    }
    // Before the first of them is made, so that a process that is killed in between leaves no orphans (Flux may; docs/differences.md).
    Result<void> note_new_objects(const Inventory& objects) {
        if (!status.inventory) status.inventory.emplace();
        unite(*status.inventory, objects);
        return observer.on_status(status);
    }
    // New objects of a run that then failed stay known, so that they can be pruned one day; upstream forgets them (docs/differences.md).
    void track_what_was_written() {
        std::vector<Change> written = changes.unfinished;
        for (const Change& c : changes.changes)
            if (is_change(c.action)) written.push_back(c);
        if (settings.dry_run) return;
        status.inventory = had_inventory || !written.empty() ? std::optional(old) : std::nullopt;
        if (written.empty()) return;
        unite(*status.inventory, inventory_of(written));
    }

    void fail_with(Error e) {
        if (outcome) { // said already
        } else if (step == Step::fetch && e.http_status == 404) {
            outcome = ArtifactGone{};
        } else {
            outcome = FailedRun{reason, !failure_text.empty() ? failure_text : step == Step::build ? with_place(e) : e.message, event_text};
        }
        error = std::move(e);
    }
};

Run::Run(Kustomization kustomization, KustomizationStatus status, RunSource source, const PipelineSettings& settings, kube::Client& client,
         RunObserver& observer, const kube::Clock& clock)
    : state_(new State{std::move(kustomization), std::move(status), std::move(source), settings, client, observer, clock}) {
    State& s = *state_;
    s.began = s.step_began = clock.monotonic();
    s.context = run_context(s.k);
    s.context.requeue_dependency = s.settings.requeue_dependency;
    s.context.revision = s.source.revision;
    s.context.origin_revision = s.source.origin_revision;
    s.context.started = clock.now();
    s.had_inventory = s.status.inventory.has_value();
    if (s.had_inventory) s.old = *s.status.inventory;
}

Run::~Run() = default;
Run::Run(Run&&) noexcept = default;

std::optional<WaitTask> Run::until_wait(std::stop_token stop) {
    auto task = state_->to_wait(std::move(stop));
    if (!task) state_->fail_with(std::move(task.error()));
    else if (!*task) state_->outcome = Succeeded{};
    return task ? std::move(*task) : std::nullopt;
}

void Run::finish(const Health& health) {
    State& s = *state_;
    const auto took = s.clock.monotonic() - s.step_began;
    if (const auto* superseded = std::get_if<Superseded>(&health)) {
        s.outcome = Cancelled{superseded->trigger};
        return;
    }
    const HealthEnd& end = std::get<HealthEnd>(health);
    if (end.healthy) {
        if (auto event = mark_healthy(s.status, s.context, took, s.was_healthy, s.drifted, s.clock.now())) s.observer.on_event(*event);
        s.outcome = Succeeded{};
        return;
    }
    mark_unhealthy(s.status, s.context, end.message, s.clock.now());
    Error e{.code = end.cancelled ? ErrorCode::cancelled : end.timed_out ? ErrorCode::timeout : ErrorCode::unavailable,
            .message = "health check failed after " + kube::format_go_duration(took) + ": " + end.message,
            .hint = end.details.empty() ? "" : "look at these objects with kubectl describe; spec.timeout of the Kustomization says how long to wait for them"};
    for (const std::string& line : end.details) e.details.push_back({.reason = "NotReady", .message = line, .field = {}});
    s.fail_with(std::move(e));
}

const ChangeSet& Run::changes() const { return state_->changes; }
const std::vector<Object>& Run::objects() const { return state_->wanted; }

RunResult Run::result() {
    State& s = *state_;
    s.leave();
    s.step = Step::conclude;
    RunResult r;
    r.outcome = *s.outcome;
    r.conclusion = conclude(std::move(s.status), s.context, r.outcome, s.clock.now(), s.clock.monotonic() - s.began);
    r.changes = std::move(s.changes);
    r.error = std::move(s.error);
    r.path_missing = s.path_missing;
    r.files_read = std::move(s.files_read);
    r.references = std::move(s.references);
    r.warnings = std::move(s.warnings);
    s.leave();
    r.steps = std::move(s.steps);
    return r;
}

Result<HealthEnd> wait_until_healthy(kube::Client& client, const WaitTask& task, const NamespacedName& who, ProgressSink* progress, std::stop_token stop) {
    const auto tell = [&](std::size_t ready, std::size_t total, const std::vector<std::string>& waiting) {
        if (progress != nullptr) progress->on_progress({.name = who, .phase = Phase::health, .done = ready, .total = total, .waiting_for = waiting});
    };
    return wait_healthy(client, task.objects, task.settings, tell, std::move(stop));
}

RunResult reconcile(Run& run, kube::Client& client, const NamespacedName& who, ProgressSink* progress, std::stop_token stop,
                    const std::function<void()>& before_wait, const std::function<void()>& after_wait) {
    if (const std::optional<WaitTask> task = run.until_wait(stop)) {
        if (before_wait) before_wait();
        const auto end = wait_until_healthy(client, *task, who, progress, stop);
        if (after_wait) after_wait();
        run.finish(end ? *end : given_up(end.error()));
    }
    return run.result();
}

} // namespace weber::gitops
