// Health waits without threads: each is a tracker that watch events are shown to. A wait is over when its tracker says so, when its time is up, or when
// somebody supersedes it; then its key comes out of `next`.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>

#include "agent/managed_objects.h"
#include "agent/work_queue.h"
#include "gitops/reconcile/changes.h"
#include "gitops/reconcile/health.h"
#include "gitops/reconcile/pipeline.h"

namespace weber::agent {

class WaitBoard {
public:
    // `client` reads what no watch tells: objects without owner labels, pods of stateful sets.
    WaitBoard(ManagedObjects& objects, std::shared_ptr<kube::Client> client);
    ~WaitBoard();

    // `applied`: what the run wrote; a sighting older than that does not count. The kinds are watched from now on. `whole_groups`: API groups whose
    // objects the task's reader judges.
    void begin(const std::string& key, const gitops::WaitTask& task, const gitops::ChangeSet& applied, const std::set<std::string>& whole_groups = {});
    // True when there was such a wait; it ends at once, by `trigger`.
    bool supersede(const std::string& key, const std::string& trigger);
    [[nodiscard]] bool waiting(const std::string& key) const;
    [[nodiscard]] std::size_t size() const;

    // From ManagedObjects' listener.
    void on_sighting(const kube::ObjectKey& object, const std::optional<Sighting>& now);

    struct Ended {
        std::string key;
        gitops::Health health;
    };
    // Blocks until a wait has ended; nullopt when `stop` was requested.
    std::optional<Ended> next(std::stop_token stop);

private:
    struct Wait;
    void show(Wait& wait, std::size_t index, const std::optional<Sighting>& now); // caller holds mutex_
    void read_unknown(const std::string& key, std::stop_token stop);
    std::optional<gitops::Health> settle(const std::string& key); // caller holds mutex_

    ManagedObjects& objects_;
    const std::shared_ptr<kube::Client> client_;
    mutable std::mutex mutex_; // guards waits_ and by_object_
    std::map<std::string, std::unique_ptr<Wait>> waits_;
    std::unordered_map<kube::ObjectKey, std::set<std::pair<std::string, std::size_t>>> by_object_; // who waits for it, under which index
    WorkQueue due_; // waits that may have ended, or are to be looked at again
};

} // namespace weber::agent
