// Health waits without threads: each is a tracker that watch events are shown to. A wait is over when its tracker says so, when its time is up, or when
// somebody supersedes it; then its key comes out of `next`.
#pragma once

#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>

#include "agent/target_clients.h"
#include "agent/work_queue.h"
#include "gitops/reconcile/changes.h"
#include "gitops/reconcile/health.h"
#include "gitops/reconcile/pipeline.h"

namespace weber::agent {

// Judges object `index` of the tracker by what a watch has told of it. Throws what the tracker's reader throws.
void show_sighting(gitops::HealthTracker& tracker, std::size_t index, const Sighting& now);

class WaitBoard {
public:
    WaitBoard();
    ~WaitBoard();

    // `target`: where the objects are, and who reads what no watch tells of (objects without owner labels, pods of stateful sets). `applied`: what the run
    // wrote; a sighting older than that does not count. The kinds are watched from now on. `whole_groups`: API groups whose objects the task's reader judges.
    void begin(const std::string& key, const gitops::WaitTask& task, const gitops::ChangeSet& applied, const Target& target,
               const std::set<std::string>& whole_groups = {});
    // True when there was such a wait; it ends at once, by `trigger`.
    bool supersede(const std::string& key, const std::string& trigger);
    [[nodiscard]] bool waiting(const std::string& key) const;
    [[nodiscard]] std::size_t size() const;

    // From the cluster's listener.
    void on_sighting(const TargetCluster& cluster, const kube::ObjectKey& object, const std::optional<Sighting>& now);

    struct Ended {
        std::string key;
        gitops::Health health;
        std::exception_ptr defect = {}; // what a look at its objects threw: the wait is over, and `health` says nothing
    };
    // Blocks until a wait has ended; nullopt when `stop` was requested.
    std::optional<Ended> next(std::stop_token stop);
    // Reads for waits on other clusters, until `stop`: those may be slow to answer, and must not keep other waits from their end.
    void read_remote(std::stop_token stop);

private:
    struct Wait;
    void show(const std::string& key, Wait& wait, std::size_t index, const std::optional<Sighting>& now); // caller holds mutex_
    void read_unknown(const std::string& key, std::stop_token stop);
    void look(const std::string& key, std::stop_token stop);
    std::optional<Ended> settle(const std::string& key, std::unique_ptr<Wait>& over); // caller holds mutex_, but not when `over` ends

    using Waiters = std::set<std::pair<std::string, std::size_t>>; // who waits, under which index
    mutable std::mutex mutex_; // guards waits_ and by_object_
    std::map<std::string, std::unique_ptr<Wait>> waits_;
    std::map<std::uint64_t, std::unordered_map<kube::ObjectKey, Waiters>> by_object_; // by cluster
    WorkQueue due_;    // waits that may have ended, or are to be looked at again
    WorkQueue remote_; // waits whose objects are to be read in another cluster
};

} // namespace weber::agent
