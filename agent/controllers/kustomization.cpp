#include "agent/controllers/kustomization.h"

#include <algorithm>

#include "agent/controllers/active.h"
#include "agent/jitter.h"
#include "gitops/api/names.h"
#include "gitops/reconcile/post_build_hooks.h"
#include "gitops/reconcile/status_writer.h"
#include "kube/pause.h"

namespace weber::agent {

using gitops::NamespacedName;

namespace {

constexpr std::chrono::seconds kDriftMemory{300}; // a correction that long ago does not slow the next one down

// Sources without what no Kustomization asks for.
Object slim_source(Object o) {
    Object out(Node::map());
    for (std::string_view field : {"metadata", "status"})
        if (const Node* n = o.root().find(field)) out.root().set(field, *n);
    out.metadata_mut().erase("managedFields");
    return out;
}

Object without_managed_fields(Object o) {
    o.metadata_mut().erase("managedFields");
    return o;
}

std::optional<NamespacedName> age_secret_of(const AgentOptions& o) {
    if (o.sops_age_secret.empty() || o.runtime_namespace.empty()) return std::nullopt;
    return NamespacedName{o.runtime_namespace, o.sops_age_secret};
}

gitops::PipelineSettings settings_of(const AgentOptions& o, KeptSecret* age_secret) {
    gitops::PipelineSettings s;
    s.requeue_dependency = o.requeue_dependency;
    s.dry_runs_in_flight = o.concurrent_ssa;
    s.override_managers = o.override_managers;
    s.custom_stage_kinds = o.custom_stage_kinds;
    s.migrate_api_version = o.migrate_api_version;
    s.prune_guard = o.prune_guard;
    gitops::HookSettings hooks;
    hooks.strict_substitution = o.strict_substitution;
    hooks.object_level_workload_identity = o.object_level_workload_identity;
    hooks.age_secret = age_secret_of(o);
    if (age_secret != nullptr) hooks.read_age_secret = [age_secret](auto&&...) { return age_secret->get(); };
    hooks.verify_mac = o.sops_verify_mac;
    s.fail_fast = o.fail_fast;
    s.post_build = gitops::post_build_hooks(hooks);
    return s;
}

} // namespace

KustomizationController::KustomizationController(std::shared_ptr<kube::Client> client, const kube::ClientConfig& config, const AgentOptions& options,
                                                 ArtifactStore& artifacts, EventSink& events, Metrics& metrics, Log log)
    : client_(client), options_(options), artifacts_(artifacts), events_(events), metrics_(metrics), numbers_(metrics, "kustomization", "Kustomization"),
      log_(log.with({{"controller", Node::string("kustomization")},
                     {"controllerGroup", Node::string(gitops::kKustomizeGroup)},
                     {"controllerKind", Node::string("Kustomization")}})),
      targets_(client, config, options,
               [this](const auto& cluster, const auto& key, const auto& before, const auto& after) { on_managed(cluster, key, before, after); }, metrics),
      versions_(client), age_secret_(age_secret_of(options) ? std::make_unique<KeptSecret>(client, versions_, *age_secret_of(options)) : nullptr),
      settings_(settings_of(options, age_secret_.get())), queue_(options.backoff) {
    metrics_.define_gauge("weber_waiting_kustomizations", "Kustomizations whose health checks run");
    metrics_.define_gauge("weber_watched_kinds", "Kinds of applied objects that are watched");
    metrics_.define_gauge("weber_remote_clusters", "Clusters of spec.kubeConfig that are connected to");
}

KustomizationController::~KustomizationController() = default;

void KustomizationController::run(std::stop_token stop) {
    // Each build asks the remotes anew, as Flux does. Whoever may write a Kustomization must not read the disk of this process.
    if (!options_.no_remote_bases)
        remote_ = std::make_unique<gitops::RemoteBases>(gitops::RemoteBaseSettings{.keep_answers = false, .local_repositories = false, .stop = stop});
    numbers_.observe(queue_, std::max<std::size_t>(options_.concurrent, 1), [this] { return waits_.size(); });
    metrics_.before_scrape([this](Metrics& m) {
        m.set("weber_waiting_kustomizations", static_cast<double>(waits_.size()));
        m.set("weber_watched_kinds", static_cast<double>(targets_.watched_kinds()));
        m.set("weber_remote_clusters", static_cast<double>(targets_.remote_clusters()));
    });
    if (age_secret_) age_secret_->start(stop);
    watch_everything(stop);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::max<std::size_t>(options_.concurrent, 1); ++i)
        threads.emplace_back([this, stop] {
            while (const auto key = queue_.next(stop)) guarded(*key, [&] { work(*key, stop); });
        });
    for (int i = 0; i < 2; ++i) threads.emplace_back([this, stop] { finish_waits(stop); });
    for (int i = 0; i < 2; ++i) threads.emplace_back([this, stop] { waits_.read_remote(stop); });
    threads.emplace_back([this, stop] { write_late_statuses(stop); });
    threads.emplace_back([this, stop] { look_back(stop); });
    threads.clear(); // joins: they end with `stop`
    kustomizations_->stop();
    for (auto& [kind, informer] : sources_) informer->stop();
    for (auto& informer : configs_) informer->stop();
    versions_.stop();
    targets_.stop();
}

bool KustomizationController::settled(const std::string& key) const {
    const auto good = memory_.find(key);
    return good && all_in_place(*good);
}

// ---- what starts a run -------------------------------------------------------------------------------------------

// A question that fails is asked again for some seconds; then the kind is taken for there.
bool KustomizationController::is_installed(const kube::GroupVersionKind& gvk, const std::stop_token& stop) {
    for (std::chrono::milliseconds pause{100};; pause *= 2) {
        const auto served = client_->discovery().find(gvk, stop);
        if (served) return true;
        if (served.error().code == ErrorCode::not_found) return false;
        if (pause > std::chrono::seconds(5) || !kube::pause_for(pause, stop)) return true;
    }
}

void KustomizationController::watch_everything(const std::stop_token& stop) {
    // Sources first, so that a Kustomization finds its own. A list tells at once that it is complete; of a stream the API server says so up to 1.25 s later.
    kube::WatchOptions list_first;
    list_first.streaming_list = false;
    std::vector<std::string> kinds{"GitRepository", "OCIRepository", "Bucket"};
    if (options_.allow_external_artifact) kinds.push_back("ExternalArtifact");
    for (const std::string& kind : kinds) {
        const kube::GroupVersionKind gvk{std::string(gitops::kSourceGroup), "v1", kind};
        if (!is_installed(gvk, stop)) continue;
        auto informer = std::make_unique<kube::Informer>(
            client_, kube::InformerOptions{.target = {.gvk = gvk, .ns = options_.watch_namespace}, .watch = list_first, .project = slim_source});
        informer->add_handler({.added = [this, kind](const Object& o, bool) { on_source(kind, nullptr, o); },
                               .updated = [this, kind](const Object& before, const Object& after) { on_source(kind, &before, after); }});
        informer->start();
        sources_[kind] = std::move(informer);
    }
    for (auto& [kind, informer] : sources_) informer->wait_synced(std::chrono::seconds(60), stop);

    kustomizations_ = std::make_unique<kube::Informer>(
        client_, kube::InformerOptions{.target = {.gvk = {std::string(gitops::kKustomizeGroup), "v1", "Kustomization"}, .ns = options_.watch_namespace,
                                                  .label_selector = options_.watch_label_selector},
                                       .watch = {}, .project = without_managed_fields});
    kustomizations_->add_handler({.added =
                                      [this](const Object& o, bool initial) {
                                          if (const auto k = gitops::parse_kustomization(o)) index_.set(*k);
                                          queue_.add(name_of(o).to_string(), initial ? Priority::sweep : Priority::event);
                                      },
                                  .updated = [this](const Object& before, const Object& after) { on_kustomization(before, after); },
                                  .deleted =
                                      [this](const Object& o) {
                                          index_.erase(name_of(o));
                                          enqueue(name_of(o), "Kustomization/" + name_of(o).to_string()); // it may wait still: somebody took the finalizer away
                                      },
                                  .trouble = [this](const Error& e) { log_.error("watch of Kustomizations failed", e.message); }});
    kustomizations_->add_handler(written_.handler());
    kustomizations_->start();

    if (!options_.watch_configs) return;
    for (const char* kind : {"ConfigMap", "Secret"}) {
        auto informer = std::make_unique<kube::Informer>(
            client_, kube::InformerOptions{.target = {.gvk = {"", "v1", kind}, .ns = options_.watch_namespace,
                                                      .label_selector = options_.watch_configs_label_selector, .metadata_only = true}});
        const std::string name = kind;
        informer->add_handler({.added = [this, name](const Object& o, bool initial) { if (!initial) on_config(name, o); },
                               .updated = [this, name](const Object&, const Object& o) { on_config(name, o); },
                               .deleted = [this, name](const Object& o) { on_config(name, o); }});
        informer->start();
        configs_.push_back(std::move(informer));
    }
}

// An exception is a defect of this program. It ends the run that met it, which is tried again, and no other (kustomization.md 8.4).
void KustomizationController::guarded(const std::string& key, const std::function<void()>& part) {
    try {
        part();
    } catch (const std::exception& e) {
        report_defect(key, e);
        {
            const std::lock_guard lock(mutex_);
            observers_.erase(key);
            fetching_.erase(key);
        }
        queue_.add_with_backoff(key);
        leave(key);
    }
}

void KustomizationController::report_defect(const std::string& key, const std::exception& defect) {
    log_of(NamespacedName::of(key)).error("Observed a panic", defect.what());
    numbers_.count_panic();
}

void KustomizationController::enqueue(const NamespacedName& name, const std::string& trigger, Priority priority) {
    const std::string key = name.to_string();
    {
        const std::lock_guard lock(mutex_);
        outdated_[key] = trigger;
    }
    waits_.supersede(key, trigger);
    queue_.add(key, priority); // last: the run that this starts has seen it, and must not be ended for it
}

void KustomizationController::on_kustomization(const Object& before, const Object& after) {
    const NamespacedName name = name_of(after);
    if (const auto k = gitops::parse_kustomization(after)) index_.set(*k);
    const std::string_view asked = after.annotation(gitops::kRequestedAt);
    const bool wanted = !asked.empty() && asked != before.annotation(gitops::kRequestedAt);
    const bool allowed = before.annotation(gitops::kAllowPrune) != after.annotation(gitops::kAllowPrune); // a stopped prune may go on
    if (before.generation() != after.generation() || wanted || allowed || before.uid() != after.uid() || before.deleting() != after.deleting())
        enqueue(name, "Kustomization/" + name.to_string(), wanted ? Priority::user : Priority::event);
    wake_dependents(after);
}

// A dependent starts when what it waits for is ready, not with its next look.
void KustomizationController::wake_dependents(const Object& ready) {
    const auto status = gitops::read_status(ready);
    if (!status || !status->ready()) return;
    for (const NamespacedName& name : index_.dependents(name_of(ready))) {
        const auto dependent = current(name);
        if (!dependent) continue;
        const auto its = gitops::read_status(*dependent);
        const auto* condition = its ? its->find("Ready") : nullptr;
        if (condition != nullptr && condition->reason == "DependencyNotReady") queue_.add(name.to_string());
    }
}

void KustomizationController::on_source(const std::string& kind, const Object* before, const Object& after) {
    const auto artifact = artifact_of(after), old = before != nullptr ? artifact_of(*before) : std::nullopt;
    if (!artifact || artifact->revision.empty() || artifact == old) return;
    const std::string& revision = artifact->revision;
    const bool renewed = old && old->revision == revision; // the same once more, perhaps elsewhere: for those who could not get it
    const gitops::SourceRef source{kind, name_of(after)};
    const auto names = index_.of_source(source);
    if (!names) return log_.error("failed to sort dependencies for revision change", names.error().message);
    for (const NamespacedName& name : *names) {
        const auto object = current(name);
        if (!object) continue;
        const auto status = gitops::read_status(*object);
        supersede_fetch(name.to_string(), *artifact);
        if (renewed) {
            const auto* ready = status ? status->find("Ready") : nullptr;
            if (ready != nullptr && ready->reason == "ArtifactFailed") queue_.add(name.to_string());
            continue;
        }
        const bool has_it = status && status->last_attempted_revision == revision && (status->ready() || status->is_true("Reconciling"));
        if (!has_it) enqueue(name, source.to_string());
    }
}

// A download of what is no longer the source's artifact may try for minutes: it ends at once.
void KustomizationController::supersede_fetch(const std::string& key, const ArtifactRef& now) {
    const std::lock_guard lock(mutex_);
    if (const auto at = fetching_.find(key); at != fetching_.end() && at->second.artifact != now) at->second.stop.request_stop();
}

void KustomizationController::on_config(const std::string& kind, const Object& object) {
    for (const NamespacedName& name : index_.readers(kind, name_of(object))) {
        memory_.forget(name.to_string());
        enqueue(name, kind + "/" + name_of(object).to_string());
    }
}

void KustomizationController::on_managed(const TargetCluster& cluster, const kube::ObjectKey& key, const std::optional<Sighting>& before,
                                         const std::optional<Sighting>& after) {
    waits_.on_sighting(cluster, key, after);
    if (after && after->other_version) return; // the watch of the version it was applied in tells of drift
    const NamespacedName owner = after && !after->owner.name.empty() ? after->owner : before ? before->owner : NamespacedName{};
    if (owner.name.empty() || !memory_.drifted(owner.to_string(), cluster, key, after)) return;
    correct_drift(owner, key.subject());
}

// Corrected within seconds; whoever fights us over a field waits longer each time. A wait goes on until then.
void KustomizationController::correct_drift(const NamespacedName& owner, const std::string& what) {
    const std::string key = owner.to_string();
    const bool waiting = waits_.waiting(key);
    std::chrono::milliseconds delay{500};
    {
        const std::lock_guard lock(mutex_);
        Drift& drift = drift_[key];
        if (!drift.pending.empty()) return;
        const Tick now = std::chrono::steady_clock::now();
        if (now - drift.last > kDriftMemory) drift.count = 0;
        delay *= 1 << std::min(drift.count++, 10);
        drift.last = now;
        if (waiting) drift.pending = what;
    }
    log_of(owner).info("drift detected", {{"object", Node::string(what)}});
    if (waiting) return done_.add_after(key, delay);
    memory_.forget(key);
    queue_.add_after(key, delay);
}

// What happened to an object between our write and the moment we knew what we had written was no drift yet when its event came.
void KustomizationController::look_back(std::stop_token stop) {
    while (const auto key = done_.next(stop)) {
        std::string drifted = take_drift(*key);
        const auto good = memory_.find(*key);
        done_.done(*key);
        const auto cluster = good ? good->cluster.lock() : nullptr;
        if (!cluster || all_in_place(*good)) continue;
        const bool known = std::ranges::all_of(good->owned, [&](const auto& e) { return e.second == 0 || cluster->objects().synced(e.first.group_kind()); });
        if (!known) {
            done_.add_after(*key, kLookBack);
        } else if (!drifted.empty() && waits_.waiting(*key)) {
            memory_.forget(*key);
            waits_.supersede(*key, drifted);
        } else {
            correct_drift(NamespacedName::of(*key), "an object that was changed while it was applied");
        }
    }
}

// The drift that a wait of `key` was to be ended for; "" for none.
std::string KustomizationController::take_drift(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto at = drift_.find(key);
    return at == drift_.end() ? std::string() : std::exchange(at->second.pending, {});
}

void KustomizationController::forget_drift(const std::string& key) {
    const std::lock_guard lock(mutex_);
    drift_.erase(key);
}

// ---- objects as they are now -------------------------------------------------------------------------------------

std::optional<Object> KustomizationController::current(const NamespacedName& name) { return written_.current(kustomizations_.get(), name); }

Result<void> KustomizationController::save_status(Active& active, const gitops::KustomizationStatus& status) {
    auto saved = gitops::patch_status(*client_, active.object, status);
    if (!saved) return fail(std::move(saved.error()));
    active.object = std::move(*saved);
    active.object.metadata_mut().erase("managedFields");
    active.written = status;
    written_.wrote(active.object, kustomizations_.get());
    return {};
}

Result<Object> KustomizationController::source_object(const gitops::SourceRef& ref) {
    // An agent of one namespace sees no others' sources, as Flux's cache holds none; DirectSourceFetch reads them.
    if (!options_.watch_namespace.empty() && ref.name.ns != options_.watch_namespace && !options_.direct_source_fetch)
        return fail(ErrorCode::forbidden, "unable to get: " + ref.name.to_string() + " because of unknown namespace for the cache");
    const kube::ObjectRef object{{std::string(gitops::kSourceGroup), "v1", ref.kind}, ref.name.ns, ref.name.name};
    if (const auto at = sources_.find(ref.kind); at != sources_.end() && !options_.direct_source_fetch)
        if (auto found = at->second->get(ref.name.ns, ref.name.name)) return std::move(*found);
    return client_->get(object);
}

Log KustomizationController::log_of(const NamespacedName& name) const {
    return log_.with({{"Kustomization", Node::map({{"name", Node::string(name.name)}, {"namespace", Node::string(name.ns)}})},
                      {"namespace", Node::string(name.ns)},
                      {"name", Node::string(name.name)}});
}

// ---- the end of a run --------------------------------------------------------------------------------------------

void KustomizationController::schedule(const Active& active, gitops::NextRun next) {
    using gitops::NextRun;
    const auto& spec = active.k.spec;
    if (next == NextRun::backoff) return queue_.add_with_backoff(active.key);
    queue_.forget(active.key);
    switch (next) {
    case NextRun::now: queue_.add(active.key); break;
    case NextRun::dependency: queue_.add_after(active.key, options_.requeue_dependency); break;
    case NextRun::retry: queue_.add_after(active.key, spec.retry_interval.value_or(spec.interval)); break;
    case NextRun::interval: queue_.add_after(active.key, jittered(spec.interval, options_.jitter)); break;
    case NextRun::none:
    case NextRun::terminal:
    case NextRun::backoff: break;
    }
}

void KustomizationController::send(const Object& regarding, const gitops::Event& event) {
    if (options_.commit_status_events || !event.metadata.contains(std::string(gitops::kKustomizeGroup) + "/commit_status")) events_.send(regarding, event);
}

void KustomizationController::leave(const std::string& key) { queue_.done(key); }

// Status, events, metrics, the next run: the deferred part of every run (kustomization.md 2, step 2).
void KustomizationController::complete(std::unique_ptr<Active> active, gitops::Conclusion conclusion, std::stop_token) {
    gitops::NextRun next = conclusion.next;
    if (const auto* ready = conclusion.status.find("Ready"); conclusion.events.empty() && ready != nullptr && ready->status == "False") {
        if (next == gitops::NextRun::backoff) active->log.error("Reconciler error", ready->message);
        if (next == gitops::NextRun::dependency) active->log.info(ready->message);
    }
    for (gitops::Event& event : conclusion.events) {
        send(active->object, event);
        const LogFields revision{{"revision", Node::string(active->artifact.revision)}};
        if (!event.warning) active->log.info(event.message, revision);
        else if (next == gitops::NextRun::retry)
            active->log.error("Reconciliation failed after " + kube::format_go_duration(active->elapsed()) + ", next try in " +
                                  kube::format_go_duration(active->k.spec.retry_interval.value_or(active->k.spec.interval)),
                              event.message, revision);
        else active->log.error(event.message, event.reason, revision);
    }
    if (auto saved = save_status(*active, conclusion.status); !saved && saved.error().code != ErrorCode::not_found) {
        active->log.error("failed to update status", saved.error().message);
        next = gitops::NextRun::backoff;
    }
    numbers_.count(active->k.name, next, active->elapsed());
    // A dependency became ready before the status said that this one waits for it, so nobody woke it. (A source without artifact comes later, too, but wakes everybody.)
    const auto* ready = active->written.find("Ready");
    if (next == gitops::NextRun::dependency && ready != nullptr && ready->reason == "DependencyNotReady" && dependencies_met(*active)) next = gitops::NextRun::now;
    schedule(*active, next);
    leave(active->key);
}

void KustomizationController::finish_waits(std::stop_token stop) {
    while (auto ended = waits_.next(stop)) {
        std::unique_ptr<Active> active;
        {
            const std::lock_guard lock(mutex_);
            active = std::move(active_.extract(ended->key).mapped());
        }
        guarded(ended->key, [&] {
            stop_watching_progress(*active);
            if (ended->defect) std::rethrow_exception(ended->defect);
            if (std::holds_alternative<gitops::Superseded>(ended->health)) active->log.info("New reconciliation triggered, canceling health checks");
            active->run->finish(ended->health);
            gitops::RunResult result = active->run->result();
            remember(*active, result);
            complete(std::move(active), std::move(result.conclusion), stop);
        });
    }
}

void KustomizationController::watch_progress(Active& active) {
    active.observer = std::make_shared<Observer>(*this, active);
    active.closes = std::shared_ptr<void>(nullptr, [observer = active.observer](void*) { observer->close(); });
    const std::lock_guard lock(mutex_);
    observers_[active.key] = active.observer;
}

void KustomizationController::stop_watching_progress(Active& active) {
    active.observer->close();
    const std::lock_guard lock(mutex_);
    observers_.erase(active.key);
}

void KustomizationController::write_late_statuses(std::stop_token stop) {
    while (const auto key = late_.next(stop)) {
        std::shared_ptr<Observer> observer;
        {
            const std::lock_guard lock(mutex_);
            if (const auto at = observers_.find(*key); at != observers_.end()) observer = at->second;
        }
        try {
            if (observer) observer->write_late();
        } catch (const std::exception& e) { // its run goes on: the next status may come through
            report_defect(*key, e);
        }
        late_.done(*key);
    }
}

} // namespace weber::agent
