// The controller of Kustomizations: what Flux's kustomize-controller does (kustomization.md), with waits that hold no worker and drift seen by watch.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/agent_options.h"
#include "agent/artifact_store.h"
#include "agent/controller_metrics.h"
#include "agent/event_sink.h"
#include "agent/kept_secret.h"
#include "agent/kustomization_index.h"
#include "agent/log.h"
#include "agent/metrics.h"
#include "agent/reconcile_memory.h"
#include "agent/reference_versions.h"
#include "agent/target_clients.h"
#include "agent/wait_board.h"
#include "agent/work_queue.h"
#include "agent/written_objects.h"
#include "gitops/reconcile/pipeline.h"
#include "gitops/source/remote_bases.h"
#include "kube/informer.h"

namespace weber::agent {

class KustomizationController {
public:
    // Nothing happens before `run`. Borrowed references must outlive it.
    KustomizationController(std::shared_ptr<kube::Client> client, const kube::ClientConfig& config, const AgentOptions& options, ArtifactStore& artifacts,
                            EventSink& events, Metrics& metrics, Log log);
    ~KustomizationController();

    // Blocks until `stop`; then lets runs come to their next request and ends. Once.
    void run(std::stop_token stop);

    // The last good run of "ns/name" and what the watches tell of its objects agree: its next one has nothing to ask. Thread-safe; false before `run`.
    [[nodiscard]] bool settled(const std::string& key) const;

private:
    struct Active;
    class Observer;

    // What starts a run (kustomization.md 7).
    bool is_installed(const kube::GroupVersionKind& gvk, const std::stop_token& stop);
    void watch_everything(const std::stop_token& stop);
    void on_kustomization(const Object& before, const Object& after);
    void on_source(const std::string& kind, const Object* before, const Object& after);
    void supersede_fetch(const std::string& key, const ArtifactRef& now);
    void on_config(const std::string& kind, const Object& object);
    void on_managed(const TargetCluster& cluster, const kube::ObjectKey& key, const std::optional<Sighting>& before, const std::optional<Sighting>& after);
    void wake_dependents(const Object& ready);
    void enqueue(const gitops::NamespacedName& name, const std::string& trigger, Priority priority = Priority::event);

    // One run.
    void guarded(const std::string& key, const std::function<void()>& part);
    void report_defect(const std::string& key, const std::exception& defect);
    void work(const std::string& key, std::stop_token stop);
    void begin(std::unique_ptr<Active> active, std::stop_token stop);
    std::optional<gitops::Outcome> prelude(Active& active);
    std::optional<gitops::Outcome> look_up_source(Active& active);
    std::optional<gitops::Outcome> check_dependencies(Active& active);
    bool dependencies_met(Active& active);
    bool nothing_changed(Active& active, std::stop_token stop);
    bool still_healthy(const Active& active, const LastGood& good, TargetCluster& cluster, std::stop_token stop);
    bool watches_can_be_trusted(Active& active, TargetCluster& cluster, std::stop_token stop);
    Result<gitops::Snapshot> fetch(Active& active, std::stop_token stop); // what the run builds from
    bool references_unchanged(const std::vector<gitops::Reference>& references, std::stop_token stop);
    Result<Target> target_of(Active& active, std::stop_token stop);
    void start(std::unique_ptr<Active> active, std::stop_token stop);
    void finalize(std::unique_ptr<Active> active, std::stop_token stop);
    void answer_leaving(Active& active);

    // Its end.
    void supersede_outdated(const std::string& key);
    void finish_waits(std::stop_token stop);
    void watch_progress(Active& active);
    void stop_watching_progress(Active& active);
    void write_late_statuses(std::stop_token stop);
    void look_back(std::stop_token stop);
    void correct_drift(const gitops::NamespacedName& owner, const std::string& what);
    std::string take_drift(const std::string& key);
    void forget_drift(const std::string& key);
    void complete(std::unique_ptr<Active> active, gitops::Conclusion conclusion, std::stop_token stop);
    LastGood applied_by(const Active& active, const gitops::ChangeSet& changes);
    void remember(const Active& active, const gitops::RunResult& result);
    void schedule(const Active& active, gitops::NextRun next);
    void send(const Object& regarding, const gitops::Event& event); // unless a gate forbids it
    void leave(const std::string& key);

    // Objects as they are now: the cache, or what we wrote since.
    std::optional<Object> current(const gitops::NamespacedName& name);
    Result<void> save_status(Active& active, const gitops::KustomizationStatus& status);
    Result<Object> source_object(const gitops::SourceRef& ref);
    [[nodiscard]] gitops::PipelineSettings pipeline_settings(Active& active, const Result<Target>& target, std::stop_token stop);
    [[nodiscard]] Log log_of(const gitops::NamespacedName& name) const;

    const std::shared_ptr<kube::Client> client_;
    const AgentOptions options_;
    ArtifactStore& artifacts_;
    EventSink& events_;
    Metrics& metrics_;
    ControllerMetrics numbers_;
    const Log log_;
    TargetClients targets_;
    kustomize::ParseCache cache_;
    std::unique_ptr<gitops::RemoteBases> remote_; // null: remote bases are refused
    ReferenceVersions versions_;
    const std::unique_ptr<KeptSecret> age_secret_; // null: there is no --sops-age-secret
    const gitops::PipelineSettings settings_;
    WorkQueue queue_;
    KustomizationIndex index_;
    ReconcileMemory memory_;
    WrittenObjects written_;

    std::mutex mutex_; // guards active_, observers_, outdated_, fetching_, drift_
    std::map<std::string, std::unique_ptr<Active>> active_; // those that wait
    std::map<std::string, std::shared_ptr<Observer>> observers_; // of runs that have begun and not ended
    std::map<std::string, std::string> outdated_; // what has come since a key's run began: its wait, if it comes to one, ends for that
    struct Fetching {
        ArtifactRef artifact;
        std::stop_source stop;
    };
    std::map<std::string, Fetching> fetching_;
    struct Drift {
        int count = 0;
        Tick last = {};
        std::string pending = {}; // what a wait is to be ended for
    };
    std::map<std::string, Drift> drift_;
    WorkQueue done_; // keys whose last good run is to be compared with what the watches say
    WorkQueue late_; // keys whose status was put off, to be written if their run still goes on

    // Their threads use all above.
    WaitBoard waits_;
    std::unique_ptr<kube::Informer> kustomizations_;
    std::map<std::string, std::unique_ptr<kube::Informer>> sources_; // by kind
    std::vector<std::unique_ptr<kube::Informer>> configs_;
};

} // namespace weber::agent
