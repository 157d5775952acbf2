// One run of a Kustomization, in the order of kustomization.md section 2.
#include <algorithm>
#include <ranges>
#include <set>

#include "agent/controllers/active.h"
#include "gitops/api/names.h"
#include "gitops/reconcile/dependencies.h"
#include "gitops/reconcile/finalize.h"
#include "gitops/reconcile/health_expressions.h"
#include "gitops/reconcile/inventory.h"
#include "gitops/reconcile/ready_expression.h"
#include "gitops/reconcile/status_writer.h"

namespace weber::agent {

using gitops::Outcome;

namespace {

constexpr std::chrono::seconds kWorthAWrite{1}; // a step that lasts so long is shown

// Files of remote bases are named by URL: https://host/file, https://host/repository//file. Paths are clean.
bool is_remote(const std::string& file) { return file.find("//") != std::string::npos; }

} // namespace

// Objects that are about to be made must be in the cluster's status first: a process that is killed in between would leave them orphaned.
bool KustomizationController::Observer::has_new_objects(const gitops::KustomizationStatus& status) const {
    if (!status.inventory) return false;
    const auto& known = active_.written.inventory;
    return std::ranges::any_of(*status.inventory, [&](const gitops::InventoryEntry& e) {
        return !known || std::ranges::find(*known, e.key, &gitops::InventoryEntry::key) == known->end();
    });
}

std::chrono::nanoseconds KustomizationController::Observer::until_due() const { return kWorthAWrite - (std::chrono::steady_clock::now() - last_); }

Result<void> KustomizationController::Observer::on_status(const gitops::KustomizationStatus& status) {
    const std::lock_guard lock(mutex_);
    pending_ = status;
    const auto wait = until_due();
    if (wait.count() <= 0 || has_new_objects(status)) return write();
    controller_.late_.add_after(key_, wait);
    return {};
}

void KustomizationController::Observer::on_event(const gitops::Event& event) {
    const std::lock_guard lock(mutex_);
    controller_.events_.send(active_.object, event);
}

void KustomizationController::Observer::on_applied(const gitops::ChangeSet& changes) {
    Node output = Node::map();
    for (const gitops::Change& c : changes.changes) {
        const std::string subject = c.key.subject(), action(to_string(c.action));
        if (!controller_.options_.group_change_log) output.set(subject, Node::string(action));
        else output.get_or_insert(action).push_back(Node::string(subject));
    }
    active_.log.info("server-side apply completed", {{"output", std::move(output)}, {"revision", Node::string(active_.artifact.revision)}});
}

void KustomizationController::Observer::on_pruned(const gitops::ChangeSet& changes) {
    std::string lines;
    for (const gitops::Change& c : changes.changes) lines += (lines.empty() ? "" : "\n") + c.key.subject() + " " + std::string(to_string(c.action));
    active_.log.info("garbage collection completed: " + lines);
}

Result<void> KustomizationController::Observer::write() {
    last_ = std::chrono::steady_clock::now();
    auto saved = controller_.save_status(active_, *pending_);
    pending_.reset();
    return saved;
}

void KustomizationController::Observer::write_late() {
    const std::lock_guard lock(mutex_);
    if (closed_ || !pending_) return;
    if (const auto wait = until_due(); wait.count() > 0) return controller_.late_.add_after(key_, wait);
    if (auto written = write(); !written) active_.log.error("failed to update status", written.error().message);
}

void KustomizationController::Observer::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

void KustomizationController::work(const std::string& key, std::stop_token stop) {
    const auto name = gitops::NamespacedName::of(key);
    {
        const std::lock_guard lock(mutex_);
        outdated_.erase(key); // this run reads all there is
    }
    auto object = current(name);
    if (!object) {
        memory_.forget(key);
        numbers_.forget(name);
        queue_.forget(key);
        targets_.forget(key);
        forget_drift(key);
        return leave(key);
    }
    auto active = std::make_unique<Active>(Active{.key = key, .object = std::move(*object), .log = log_of(name).with({{"reconcileID", Node::string(new_reconcile_id())}})});
    active->k.name = name;
    begin(std::move(active), std::move(stop));
}

void KustomizationController::begin(std::unique_ptr<Active> active, std::stop_token stop) {
    auto status = gitops::read_status(active->object);
    for (const std::string& id : status->unreadable) active->log.error("an entry of the inventory is left out", "unable to parse stored object metadata: " + id);
    active->written = *status;
    auto parsed = gitops::parse_kustomization(active->object);
    if (parsed) active->k = std::move(*parsed);
    else active->k.object = active->object;
    active->context = gitops::run_context(active->k);
    active->context.requeue_dependency = options_.requeue_dependency;

    if (active->object.deleting()) return finalize(std::move(active), std::move(stop));
    if (!gitops::has_finalizer(active->object)) {
        auto added = gitops::add_finalizer(*client_, active->object, {.stop = stop});
        if (!added) {
            active->log.error("failed to add the finalizer", added.error().message);
            queue_.add_with_backoff(active->key);
            return leave(active->key);
        }
        active->object = std::move(*added);
        active->object.metadata_mut().erase("managedFields");
        written_.wrote(active->object, kustomizations_.get());
    }
    std::optional<Outcome> outcome;
    if (!parsed) outcome = gitops::Terminal{"InvalidSpec", parsed.error().message, false};
    else outcome = prelude(*active);
    if (!outcome && nothing_changed(*active, stop)) outcome = gitops::Succeeded{};
    if (!outcome) return start(std::move(active), std::move(stop));
    auto conclusion = gitops::conclude(active->written, active->context, *outcome, kube::system_clock().now(), active->elapsed());
    complete(std::move(active), std::move(conclusion), stop);
}

// Steps 5 to 10: what ends a run before it starts.
std::optional<Outcome> KustomizationController::prelude(Active& active) {
    if (active.k.spec.suspend) {
        active.log.info("Reconciliation is suspended for this object");
        return gitops::SuspendedRun{};
    }
    auto rules = gitops::HealthExpressions::compile(active.k.spec.health_expressions);
    if (!rules) return gitops::Terminal{"InvalidCELExpression", rules.error().message, false};
    if (!rules->empty()) active.reader = gitops::health_reader(std::move(*rules));
    if (active.k.spec.decryption && !active.k.spec.decryption->service_account.empty() && !options_.object_level_workload_identity)
        return gitops::Terminal{"FeatureGateDisabled",
                                "to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity "
                                "feature gate in the controller"};
    if (auto outcome = look_up_source(active)) return outcome;
    if (auto outcome = check_dependencies(active)) return outcome;
    if (!active.k.spec.depends_on.empty()) active.log.info("All dependencies are ready, proceeding with reconciliation");
    return std::nullopt;
}

std::optional<Outcome> KustomizationController::look_up_source(Active& active) {
    const gitops::SourceRef& ref = active.k.spec.source;
    const auto denied = [&](const std::string& why) -> Outcome {
        return gitops::Terminal{"AccessDenied", "can't access '" + ref.to_string() + "', " + why};
    };
    if (options_.no_cross_namespace_refs && ref.name.ns != active.k.name.ns) return denied("cross-namespace references have been blocked");
    if (ref.kind == "ExternalArtifact" && !options_.allow_external_artifact) return denied("ExternalArtifact feature gate is disabled");
    const auto source = source_object(ref);
    if (!source && source.error().http_status == 404) {
        active.log.info("Source '" + (ref.name.ns == active.k.name.ns ? ref.kind + "/" + ref.name.name : ref.to_string()) + "' not found");
        return options_.direct_source_fetch ? gitops::SourceNotFound{source.error().message} : gitops::source_not_found(ref);
    }
    if (!source) return gitops::SourceUnreadable{"unable to get source '" + ref.name.to_string() + "': " + source.error().message};
    const auto artifact = artifact_of(*source);
    if (!artifact) return gitops::NoArtifact{};
    active.artifact = *artifact;
    active.context.revision = artifact->revision;
    active.context.origin_revision = artifact->origin_revision;
    return std::nullopt;
}

std::optional<Outcome> KustomizationController::check_dependencies(Active& active) {
    for (const gitops::Dependency& d : active.k.spec.depends_on) {
        auto object = current(d.name); // this instance's own view, with what it wrote; others are read
        Result<Object> read = object ? Result<Object>(std::move(*object))
                                     : client_->get({{std::string(gitops::kKustomizeGroup), "v1", "Kustomization"}, d.name.ns, d.name.name});
        const auto problem = gitops::dependency_problem(active.k, d, read, active.artifact.revision, gitops::evaluate_ready_expression,
                                                        options_.additive_cel_dependency_check);
        if (!problem) continue;
        if (problem->terminal) return gitops::Terminal{"InvalidCELExpression", problem->message, true};
        return gitops::DependencyNotReady{problem->message};
    }
    return std::nullopt;
}

// By what is known without a request.
bool KustomizationController::dependencies_met(Active& active) {
    return std::ranges::all_of(active.k.spec.depends_on, [this](const gitops::Dependency& d) { return current(d.name).has_value(); }) && !check_dependencies(active);
}

// The ConfigMaps and Secrets that a run read are as they were.
bool KustomizationController::references_unchanged(const std::vector<gitops::Reference>& references, std::stop_token stop) {
    return std::ranges::all_of(references, [&](const gitops::Reference& r) { return versions_.of(r.kind, r.name, stop) == r.version; });
}

// The last run was good, and neither the spec, nor any file of the build, nor a value it took from the cluster, nor an applied object changed since. Then
// there is nothing to send but the status. A person who asks for a run gets a whole one.
bool KustomizationController::nothing_changed(Active& active, std::stop_token stop) {
    const auto good = memory_.find(active.key);
    if (good && std::ranges::any_of(good->files_read, is_remote)) return false; // what lies elsewhere may have changed
    if (!good || good->uid != active.object.uid() || good->generation != active.object.generation()) return false;
    if (!active.written.ready() && !active.written.is_true("Ready")) return false;
    if (active.context.requested_at && *active.context.requested_at != active.written.last_handled_reconcile_at) return false;
    if (!references_unchanged(good->references, stop)) return false;
    const auto cluster = good->cluster.lock();
    if (!cluster || !all_there(good->owned, cluster->objects()) || !all_there(good->vanishing, cluster->objects()) || !all_untouched(good->unowned, cluster->objects())) return false;
    if (!watches_can_be_trusted(active, *cluster, stop) || !still_healthy(active, *good, *cluster, stop)) return false;
    if (active.artifact.revision != active.written.last_applied_revision) {
        auto snapshot = fetch(active, stop);
        if (!snapshot) return false; // the run says why
        const auto dir = snapshot->directory(active.k.spec.path);
        if (!dir || build_closure(*snapshot, *dir, good->files_read) != good->closure) return false;
        active.written.last_attempted_revision = active.artifact.revision;
    }
    active.context.digest = good->digest;
    active.context.started = kube::system_clock().now();
    return true;
}

// What the last run waited for is as healthy as it was then. Objects that no watch tells of are read.
bool KustomizationController::still_healthy(const Active& active, const LastGood& good, TargetCluster& cluster, std::stop_token stop) {
    std::vector<kube::ObjectKey> keys;
    for (const kube::ObjectRef& ref : good.checked) keys.push_back(ref.key());
    gitops::HealthTracker tracker(keys, {.reader = active.reader});
    std::vector<std::size_t> unseen;
    std::vector<kube::ObjectRef> refs;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto seen = cluster.objects().find(keys[i]);
        if (seen) show_sighting(tracker, i, *seen);
        else unseen.push_back(i), refs.push_back(good.checked[i]);
    }
    if (!refs.empty()) {
        const auto client = cluster.client_as(targets_.user_of(active.k));
        if (!client) return false;
        auto read = (*client)->get_all(refs, 8, {}, {.stop = std::move(stop)});
        for (std::size_t k = 0; k < refs.size(); ++k)
            if (read[k]) tracker.observe(unseen[k], {.state = kube::Observation::State::present, .object = std::move(*read[k]), .error = {}});
    }
    return tracker.ready() == tracker.size();
}

// The watches of another cluster may be silent because it is. One request that its API server must answer tells, once a run.
bool KustomizationController::watches_can_be_trusted(Active& active, TargetCluster& cluster, std::stop_token stop) {
    if (cluster.is_local()) return true; // the status could not be written either
    if (active.reachable) return *active.reachable;
    active.reachable = false;
    const auto client = cluster.client_as(targets_.user_of(active.k));
    if (!client) return false;
    const kube::Call call{.stop = std::move(stop)};
    if (!active.written.inventory || active.written.inventory->empty()) {
        active.reachable = (*client)->get_raw("/version", call).has_value();
    } else {
        const gitops::InventoryEntry& any = active.written.inventory->front();
        active.reachable = (*client)->get({{any.key.group, any.version, any.key.kind}, any.key.ns, any.key.name}, {.metadata_only = true}, call).has_value();
    }
    return *active.reachable;
}

gitops::PipelineSettings KustomizationController::pipeline_settings(Active& active, const Result<Target>& target, std::stop_token stop) {
    gitops::PipelineSettings settings = settings_;
    settings.cache = &cache_;
    settings.remote = remote_.get();
    if (!target) {
        settings.no_target = target.error();
        return settings;
    }
    settings.memory = &target->cluster->applied_by(targets_.user_of(active.k));
    // Else every object is asked for; so is what was never applied.
    const bool known = active.written.inventory && !active.written.inventory->empty();
    if (!target->cluster->is_local() && (!known || !watches_can_be_trusted(active, *target->cluster, std::move(stop)))) return settings;
    settings.seen = [cluster = target->cluster.get()](const kube::ObjectRef& ref) { return cluster->seen(ref); }; // the run holds the cluster
    return settings;
}

Result<gitops::Snapshot> KustomizationController::fetch(Active& active, std::stop_token stop) {
    std::stop_source mine;
    const std::stop_callback outer(stop, [&mine] { mine.request_stop(); });
    {
        const std::lock_guard lock(mutex_);
        fetching_[active.key] = {active.artifact, mine};
    }
    // What changed before somebody could tell this fetch.
    if (const auto source = source_object(active.k.spec.source); source)
        if (const auto now = artifact_of(*source); now) supersede_fetch(active.key, *now);
    auto got = artifacts_.get(active.artifact, mine.get_token());
    const std::lock_guard lock(mutex_);
    fetching_.erase(active.key);
    active.superseded = !got && mine.stop_requested() && !stop.stop_requested();
    return got;
}

Result<Target> KustomizationController::target_of(Active& active, std::stop_token stop) {
    active.references = std::make_unique<gitops::ReferenceReader>(*client_, active.k, true, std::move(stop));
    return targets_.target_of(active.k, *active.references);
}

// Steps 11 to 23.
void KustomizationController::start(std::unique_ptr<Active> active, std::stop_token stop) {
    Active& a = *active;
    auto target = target_of(a, stop);
    a.settings = std::make_unique<gitops::PipelineSettings>(pipeline_settings(a, target, stop));
    a.settings->own = client_.get();
    a.settings->references = a.references.get();
    if (a.reader) a.settings->health_reader = [reader = a.reader](const gitops::Kustomization&) { return reader; };
    watch_progress(a);
    a.target = target ? *target : Target{targets_.local(), client_};
    a.k.object = a.object;
    gitops::RunSource source{.revision = a.artifact.revision, .origin_revision = a.artifact.origin_revision, .open = {}};
    source.open = [this, &a](std::stop_token s) -> Result<gitops::Snapshot> {
        TRY(gitops::Snapshot snapshot, fetch(a, s));
        a.snapshot = snapshot;
        return snapshot;
    };
    a.run.emplace(a.k, a.written, std::move(source), *a.settings, *a.target.client, *a.observer);
    memory_.forget(a.key); // what it will write is no drift
    std::optional<gitops::WaitTask> task = a.run->until_wait(stop);
    if (task && !a.k.spec.wait) // what was applied has its namespace
        if (auto readable = gitops::check_scopes(*a.target.client, task->objects, stop); !readable) {
            a.run->finish(gitops::given_up(readable.error()));
            task.reset();
        }
    if (!task) stop_watching_progress(a);
    if (a.superseded) { // the status goes on saying that it is in progress
        queue_.add(a.key);
        return leave(a.key);
    }
    if (task) {
        const std::string key = a.key;
        a.checked = task->objects;
        std::set<std::string> groups;
        for (const gitops::HealthExpression& h : a.k.spec.health_expressions)
            if (const auto gv = kube::GroupVersion::parse(h.api_version)) groups.insert(gv->group);
        const gitops::ChangeSet applied = a.run->changes();
        const Target where = a.target;
        memory_.remember(key, applied_by(a, applied)); // a wait may last: drift is corrected meanwhile, too
        {
            const std::lock_guard lock(mutex_);
            active_[key] = std::move(active);
        }
        waits_.begin(key, *task, applied, where, groups);
        supersede_outdated(key);
        return done_.add_after(key, kLookBack);
    }
    gitops::RunResult result = a.run->result();
    remember(a, result);
    complete(std::move(active), std::move(result.conclusion), stop);
}

// What came before the wait began could not end it.
void KustomizationController::supersede_outdated(const std::string& key) {
    std::string trigger;
    {
        const std::lock_guard lock(mutex_);
        if (const auto at = outdated_.find(key); at != outdated_.end()) trigger = at->second;
    }
    if (!trigger.empty()) waits_.supersede(key, trigger);
}

// What drift is told by. Not yet a good run: its `uid` is empty.
LastGood KustomizationController::applied_by(const Active& active, const gitops::ChangeSet& changes) {
    LastGood out;
    out.cluster_id = active.target.cluster->id();
    out.cluster = active.target.cluster;
    std::set<kube::ObjectKey> vanishing; // Jobs that the cluster removes by itself: made again by the next interval, not as drift
    for (const Object& o : active.run->objects())
        if (o.kind() == "Job" && o.group() == "batch" && o.at({"spec", "ttlSecondsAfterFinished"}) != nullptr) vanishing.insert(o.key());
    for (const gitops::Change& c : changes.changes) {
        if (c.action == gitops::Action::deleted || c.action == gitops::Action::unknown) continue;
        (vanishing.contains(c.key) ? out.vanishing : out.owned).emplace_back(c.key, c.owned);
        if (c.owned == 0 && !c.resource_version.empty()) out.unowned.emplace_back(c.key, c.resource_version);
        if (!c.resource_version.empty()) active.target.cluster->objects().watch({c.key.group, c.version, c.key.kind});
    }
    return out;
}

// A run that waited in vain leaves what its wait had remembered: its objects are in the cluster as it wants them. (Others forgot at their start.)
void KustomizationController::remember(const Active& active, const gitops::RunResult& result) {
    if (!std::holds_alternative<gitops::Succeeded>(result.outcome) || !active.snapshot) return;
    const auto dir = active.snapshot->directory(active.k.spec.path);
    if (!dir || result.conclusion.status.history.empty()) return;
    LastGood good = applied_by(active, result.changes);
    good.uid = active.object.uid();
    good.generation = active.object.generation();
    good.closure = build_closure(*active.snapshot, *dir, result.files_read);
    good.files_read = result.files_read;
    good.digest = result.conclusion.status.history.front().digest;
    good.references = result.references;
    good.checked = active.checked;
    if (active.target.kube_config) good.references.push_back(*active.target.kube_config);
    for (const gitops::Reference& r : good.references) versions_.watch(r.kind, r.name.ns);
    memory_.remember(active.key, std::move(good));
    done_.add_after(active.key, kLookBack);
}

// One that is being deleted and stays for now: who asked for the run finds it answered.
void KustomizationController::answer_leaving(Active& a) {
    const auto end = gitops::conclude(a.written, a.context, gitops::SuspendedRun{}, kube::system_clock().now(), a.elapsed());
    if (auto saved = save_status(a, end.status); !saved && saved.error().code != ErrorCode::not_found) a.log.error("failed to update status", saved.error().message);
}

// Section 5.3.
void KustomizationController::finalize(std::unique_ptr<Active> active, std::stop_token stop) {
    Active& a = *active;
    memory_.forget(a.key);
    if (!gitops::has_finalizer(a.object)) {
        answer_leaving(a);
        return leave(a.key);
    }
    gitops::Finalized done;
    const auto tell = [&](const gitops::Event& event) {
        events_.send(a.object, event);
        event.warning ? a.log.error(event.message, event.reason) : a.log.info(event.message);
    };
    if (!gitops::deletes_on_removal(a.k.spec, a.written)) {
        done.done = true;
    } else {
        const std::string account = targets_.account_of(a.k);
        const auto there = account.empty() ? Result<std::optional<Object>>(std::nullopt)
                                           : client_->find({{"", "v1", "ServiceAccount"}, a.k.name.ns, account}, {.metadata_only = true}, {.stop = stop});
        if (!there) {
            done.error = Error(there.error()).with_prefix("unable to read ServiceAccount '" + a.k.name.ns + "/" + account + "': ");
        } else if (!account.empty() && !*there) {
            std::string text = "unable to prune objects: ";
            const gitops::Inventory all = gitops::stale(a.written.inventory.value_or(gitops::Inventory{}), {});
            for (const gitops::InventoryEntry& e : all | std::views::reverse) text += "\n" + e.key.subject();
            tell(gitops::make_event(a.written, a.context, true, text, gitops::EventRevision::applied));
            done.done = true;
        } else if (auto target = target_of(a, stop)) {
            done = gitops::finalize(*target->client, a.k, a.written, false, nullptr, tell, stop);
        } else {
            done.error = std::move(target.error());
        }
    }
    if (done.error) a.log.error("failed to finalize", done.error->message);
    if (!done.done || a.object.at({"metadata", "finalizers"})->size() > 1) answer_leaving(a);
    if (done.done) {
        forget_drift(a.key); // now: a namesake may be there before this one is seen to be gone
        if (auto removed = gitops::remove_finalizer(*client_, a.object, {.stop = stop}); !removed) {
            a.log.error("failed to remove the finalizer", removed.error().message);
            done.done = false;
        }
    }
    if (done.done) {
        // The deferred part of the run changes no condition, but tells of the end when the object was Ready (5.3, 9).
        const auto end = gitops::conclude(a.written, a.context, gitops::SuspendedRun{}, kube::system_clock().now(), a.elapsed());
        for (const gitops::Event& event : end.events) send(a.object, event);
        queue_.forget(a.key);
        targets_.forget(a.key);
    } else {
        queue_.add_with_backoff(a.key);
    }
    numbers_.count(a.k.name, done.done ? gitops::NextRun::none : gitops::NextRun::backoff, a.elapsed());
    leave(a.key);
}

} // namespace weber::agent
