#include "agent/controllers/git_repository.h"

#include <thread>

#include "agent/jitter.h"
#include "gitops/api/names.h"
#include "gitops/reconcile/status_writer.h"
#include "gitops/source/git_status.h"

namespace weber::agent {

namespace {

constexpr std::size_t kConcurrent = 2; // sources.md 0.2

kube::GroupVersionKind gvk() { return {std::string(gitops::kSourceGroup), "v1", "GitRepository"}; }

Object without_managed_fields(Object o) {
    o.metadata_mut().erase("managedFields");
    return o;
}

} // namespace

GitRepositoryController::GitRepositoryController(std::shared_ptr<kube::Client> client, const AgentOptions& options, gitops::ArtifactStorage& storage,
                                                 ArtifactStore& artifacts, EventSink& events, Metrics& metrics, Log log)
    : client_(std::move(client)), options_(options), storage_(storage), artifacts_(artifacts), events_(events), numbers_(metrics, "gitrepository", "GitRepository"),
      log_(log.with({{"controller", Node::string("gitrepository")},
                     {"controllerGroup", Node::string(gitops::kSourceGroup)},
                     {"controllerKind", Node::string("GitRepository")}})),
      queue_(options.backoff) {}

void GitRepositoryController::run(std::stop_token stop) {
    informer_ = std::make_unique<kube::Informer>(
        client_, kube::InformerOptions{.target = {.gvk = gvk(), .ns = options_.watch_namespace, .label_selector = options_.watch_label_selector},
                                       .watch = {}, .project = without_managed_fields});
    informer_->add_handler({.added = [this](const Object& o, bool initial) { queue_.add(name_of(o).to_string(), initial ? Priority::sweep : Priority::event); },
                            .updated = [this](const Object& before, const Object& after) { on_change(before, after); },
                            .deleted = [this](const Object& o) { queue_.forget(name_of(o).to_string()); },
                            .trouble = [this](const Error& e) { log_.error("watch of GitRepositories failed", e.message); }});
    informer_->add_handler(objects_.handler());
    numbers_.observe(queue_, kConcurrent);
    informer_->start();
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < kConcurrent; ++i)
        workers.emplace_back([this, stop] {
            while (const auto key = queue_.next(stop)) {
                try {
                    work(*key, stop);
                } catch (const std::exception& e) { // a defect of this program: it ends this run only
                    const auto name = gitops::NamespacedName::of(*key);
                    log_.error("Observed a panic", e.what(), {{"namespace", Node::string(name.ns)}, {"name", Node::string(name.name)}});
                    numbers_.count_panic();
                    queue_.add_with_backoff(*key);
                }
                queue_.done(*key);
            }
        });
    workers.clear(); // joins: they end with `stop`
    informer_->stop();
}

void GitRepositoryController::on_change(const Object& before, const Object& after) {
    const std::string_view asked = after.annotation(gitops::kRequestedAt);
    const bool wanted = !asked.empty() && asked != before.annotation(gitops::kRequestedAt);
    if (before.generation() != after.generation() || wanted || before.uid() != after.uid() || before.deleting() != after.deleting())
        queue_.add(name_of(after).to_string(), wanted ? Priority::user : Priority::event);
}

void GitRepositoryController::work(const std::string& key, std::stop_token stop) {
    const auto name = gitops::NamespacedName::of(key);
    auto object = objects_.current(informer_.get(), name);
    if (!object) {
        numbers_.forget(name);
        return queue_.forget(key);
    }
    const auto began = std::chrono::steady_clock::now();
    const Log log = log_.with({{"GitRepository", Node::map({{"name", Node::string(name.name)}, {"namespace", Node::string(name.ns)}})},
                               {"namespace", Node::string(name.ns)},
                               {"name", Node::string(name.name)},
                               {"reconcileID", Node::string(new_reconcile_id())}});
    const gitops::NextRun next = object->deleting() ? finalize(*object, log, stop) : reconcile(*object, log, stop);
    schedule(*object, key, next);
    // A stall is no error to source-controller: the object has been observed, and nothing is tried again.
    if (object->deleting() && next == gitops::NextRun::none) numbers_.forget(name);
    else numbers_.count(name, next == gitops::NextRun::terminal ? gitops::NextRun::none : next, std::chrono::steady_clock::now() - began);
}

Result<void> GitRepositoryController::save(Object& object, const gitops::GitRepositoryStatus& status, std::stop_token stop) {
    auto saved = gitops::patch_git_status(*client_, object, status, {.stop = std::move(stop)});
    if (!saved) return fail(std::move(saved.error()));
    object = std::move(*saved);
    objects_.wrote(object, informer_.get());
    return {};
}

// Kustomizations of this process build from the files that were just read, not from a download of them.
void GitRepositoryController::hand_over(gitops::GitRunResult& result) {
    if (!result.snapshot || !result.status.artifact) return;
    const gitops::Artifact& a = *result.status.artifact;
    artifacts_.put({.url = a.url, .digest = a.digest, .revision = a.revision, .origin_revision = {}}, std::move(*result.snapshot));
}

gitops::NextRun GitRepositoryController::reconcile(Object object, const Log& log, std::stop_token stop) {
    if (!gitops::has_finalizer(object)) {
        auto added = gitops::add_finalizer(*client_, object, {.stop = stop}, gitops::kSourceManager);
        if (!added) {
            log.error("failed to add the finalizer", added.error().message);
            return gitops::NextRun::backoff;
        }
        object = std::move(*added);
        objects_.wrote(object, informer_.get());
    }
    const Node* suspend = object.at({"spec", "suspend"});
    if (suspend != nullptr && suspend->as_bool()) {
        log.info("reconciliation is suspended for this object"); // in these letters, unlike kustomize-controller
        if (auto saved = save(object, gitops::suspended_git_status(object), stop); !saved) log.error("failed to update status", saved.error().message);
        return gitops::NextRun::none;
    }
    gitops::GitRunSettings settings;
    settings.cache_dir = options_.git_cache_dir;
    settings.storage = &storage_;
    settings.retention_ttl = options_.artifact_retention_ttl;
    settings.retention_records = options_.artifact_retention_records;
    settings.ssh = options_.ssh;
    settings.secret = [&](const gitops::NamespacedName& name) { return client_->get({{"", "v1", "Secret"}, name.ns, name.name}, {}, {.stop = stop}); };
    settings.on_status = [&](const gitops::GitRepositoryStatus& status) { return save(object, status, stop); };
    gitops::GitRunResult result = gitops::reconcile_git(object, settings, stop);
    if (stop.stop_requested()) return gitops::NextRun::backoff; // a fetch that was stopped is no news for anybody; who starts next begins anew
    hand_over(result);
    tell(object, result, log);
    if (auto saved = save(object, result.status, stop); !saved) {
        log.error("failed to update status", saved.error().message);
        if (saved.error().code != ErrorCode::not_found) result.next = gitops::NextRun::backoff;
    }
    return result.next;
}

// Events and, as Flux logs them, lines: what went well in its own words, a failure as the error of a fixed message.
void GitRepositoryController::tell(const Object& object, const gitops::GitRunResult& result, const Log& log) {
    const auto trace = [&](bool last) { // of all that a run has to tell, that nothing changed comes last
        for (const gitops::Event& e : result.traces)
            if ((e.reason == "GitOperationSucceeded") == last) {
                events_.send_trace(object, e);
                log.info(e.message);
            }
    };
    trace(false);
    for (const gitops::Event& event : result.events) {
        events_.send(object, event);
        if (!event.warning) log.info(event.message);
    }
    trace(true);
    if (result.next == gitops::NextRun::interval || result.events.empty()) return;
    log.error(result.next == gitops::NextRun::terminal ? "reconciliation stalled" : "Reconciler error", result.events.back().message);
}

void GitRepositoryController::schedule(const Object& object, const std::string& key, gitops::NextRun next) {
    if (next == gitops::NextRun::backoff) return queue_.add_with_backoff(key);
    queue_.forget(key);
    if (next != gitops::NextRun::interval) return;
    if (const auto spec = gitops::parse_git_repository(object)) queue_.add_after(key, jittered(spec->interval, options_.jitter));
}

gitops::NextRun GitRepositoryController::finalize(Object object, const Log& log, std::stop_token stop) {
    if (!gitops::has_finalizer(object)) return gitops::NextRun::none;
    const auto event = gitops::remove_artifacts(object, storage_);
    if (!event) {
        events_.send(object, {.warning = true, .reason = "GarbageCollectionFailed", .message = event.error().message, .metadata = {}});
        return gitops::NextRun::backoff;
    }
    if (*event) {
        log.info((*event)->message);
        events_.send_trace(object, **event);
    }
    if (auto removed = gitops::remove_finalizer(*client_, object, {.stop = stop}, gitops::kSourceManager); !removed) {
        log.error("failed to remove the finalizer", removed.error().message);
        return gitops::NextRun::backoff;
    }
    return gitops::NextRun::none;
}

} // namespace weber::agent
