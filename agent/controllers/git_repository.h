// The controller of GitRepositories: what Flux's source-controller does for them (sources.md 1).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "agent/agent_options.h"
#include "agent/artifact_store.h"
#include "agent/event_sink.h"
#include "agent/log.h"
#include "agent/controller_metrics.h"
#include "agent/metrics.h"
#include "agent/work_queue.h"
#include "agent/written_objects.h"
#include "gitops/source/git_reconcile.h"
#include "gitops/source/storage.h"
#include "kube/informer.h"

namespace weber::agent {

class GitRepositoryController {
public:
    // Borrowed references must outlive it. `artifacts` is given what a run read, so that Kustomizations need no download.
    GitRepositoryController(std::shared_ptr<kube::Client> client, const AgentOptions& options, gitops::ArtifactStorage& storage, ArtifactStore& artifacts,
                            EventSink& events, Metrics& metrics, Log log);

    // Blocks until `stop`. Once.
    void run(std::stop_token stop);

private:
    void on_change(const Object& before, const Object& after);
    void work(const std::string& key, std::stop_token stop);
    gitops::NextRun reconcile(Object object, const Log& log, std::stop_token stop);
    gitops::NextRun finalize(Object object, const Log& log, std::stop_token stop);
    Result<void> save(Object& object, const gitops::GitRepositoryStatus& status, std::stop_token stop);
    void tell(const Object& object, const gitops::GitRunResult& result, const Log& log);
    void hand_over(gitops::GitRunResult& result);
    void schedule(const Object& object, const std::string& key, gitops::NextRun next);

    const std::shared_ptr<kube::Client> client_;
    const AgentOptions options_;
    gitops::ArtifactStorage& storage_;
    ArtifactStore& artifacts_;
    EventSink& events_;
    ControllerMetrics numbers_;
    const Log log_;
    WorkQueue queue_;
    WrittenObjects objects_;
    std::unique_ptr<kube::Informer> informer_; // last: its thread uses all above
};

} // namespace weber::agent
