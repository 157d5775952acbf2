// The Kustomizations of a one-shot run: found as they are created, run when what they wait for is ready, several at a time.
//
// `run` is called once. Threads are started and joined inside it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <set>
#include <stop_token>
#include <thread>
#include <vector>

#include "gitops/reconcile/finalize.h"
#include "gitops/reconcile/graph.h"
#include "gitops/reconcile/once.h"
#include "gitops/reconcile/once_sources.h"
#include "gitops/source/remote_bases.h"

namespace weber::gitops {

class OnceRun {
public:
    // `planned`: of a dry run, what its bootstrap would have made.
    OnceRun(kube::Client& client, const OnceOptions& options, OnceSources& sources, std::vector<Object> planned, ProgressSink* progress,
            std::stop_token stop);
    ~OnceRun();

    // Runs `root` and all that come from it. Results: parents before children, dependencies before dependents.
    std::vector<KustomizationResult> run(const Kustomization& root);
    // Requests of the clients that acted as service accounts.
    [[nodiscard]] kube::RequestCounts counts_of_others() const;

private:
    // One Kustomization of the run.
    struct Member {
        NamespacedName name, parent;
        Result<Kustomization> k;      // as read from the cluster; the error of reading or parsing it
        std::optional<Kustomization> declared = {}; // as the source has it: knows file and line
        bool planned_removal = false; // dry run: it would be deleted
        enum class State : std::uint8_t { pending, running, ended } state = State::pending;
        std::string said = {};        // last progress of a pending one, so that nothing is said twice
        KustomizationResult result = {};
        std::jthread thread = {};
    };
    struct Settled { // what the dependencies of a pending member come to
        bool ready = true;
        std::vector<NamespacedName> open, missing, not_ready;
    };
    class Observer;
    class Slot;

    void add(const NamespacedName& parent, const kube::ObjectKey& key, const std::string& version, const Object* declared, const Where& where);
    void discover(const NamespacedName& parent, const ChangeSet& changes, const std::vector<Object>& objects);
    Settled settle(const Member& member) const;
    bool start_ready();
    bool decide_pending();
    void start(Member& member);
    void block(Member& member, const std::string& message, std::vector<NamespacedName> waits_for, std::optional<Error> error, const std::optional<Terminal>& terminal = {});
    void block_in_cycle(Member& member);
    static const Dependency& written_dependency(const Member& member, const NamespacedName& on);
    void end(Member& member, KustomizationResult result);
    KustomizationResult work(const Member& member);
    KustomizationResult reconcile_one(const Member& member, Slot& slot);
    KustomizationResult finalize_one(const Kustomization& k);
    Finalized prune_all(const Kustomization& k, const KustomizationStatus& status, Observer& observer);
    Result<void> check_supported(const Member& member) const;
    Result<kube::Client*> client_of(const Kustomization& k);
    Result<bool> account_is_gone(const Kustomization& k);
    void remember_planned(const ChangeSet& changes, const std::vector<Object>& objects);
    PipelineSettings settings_now();
    void write_status(const Kustomization& k, const Object& live, const KustomizationStatus& before, const KustomizationStatus& after,
                      KustomizationResult& result);
    void say(Progress progress);
    std::vector<KustomizationResult> in_order();

    kube::Client& client_;
    const OnceOptions& options_;
    OnceSources& sources_;
    ProgressSink* const progress_;
    const std::stop_token stop_;
    kustomize::ParseCache cache_;
    RemoteBases remote_;
    PipelineSettings settings_;
    std::counting_semaphore<> slots_;
    std::mutex saying_;  // one progress call at a time
    mutable std::mutex mutex_; // guards all below
    std::condition_variable changed_;
    std::map<NamespacedName, std::unique_ptr<Member>> members_;
    std::set<std::pair<NamespacedName, NamespacedName>> ready_outside_; // (dependent, dependency that is not of this run but ready)
    Graph graph_;
    std::map<std::string, std::shared_ptr<kube::Client>> clients_; // by the user they act as
    std::vector<Object> planned_; // dry run: definitions and namespaces that would be there by now
    std::size_t running_ = 0;
};

} // namespace weber::gitops
