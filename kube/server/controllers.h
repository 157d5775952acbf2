// What kube-controller-manager, kubelet and friends do for a cluster, in one thread driven by the store's events: garbage
// collection, namespaces and their contents, CRDs, and the simulated status of workloads. Sleeps when nothing happens.
//
// Thread-safe: `observe` from the store's thread; start and stop from the owner.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kube/server/core.h"
#include "kube/server/crd.h"

namespace weber::kube::server {

struct ControllerOptions {
    bool simulate = true;
    std::chrono::milliseconds rollout_delay{0}; // from a change of a workload to its settled status
    std::vector<std::string> fail;              // "Kind/namespace/name": workloads that never become healthy
    std::string ca_certificate;                 // for each namespace's kube-root-ca.crt
};

class Controllers {
public:
    Controllers(Core& core, ControllerOptions options);
    ~Controllers();
    // Takes up all stored objects and runs.
    void start();
    void stop(); // idempotent
    void observe(const std::string& resource, const StoreEvent& event);

private:
    using Clock = std::chrono::steady_clock;
    struct Key {
        std::string resource, ns, name;
        auto operator<=>(const Key&) const = default;
    };
    void run();
    void push(Key key);
    void push_quotas(const std::string& ns); // all of the namespace are to be counted again
    void push_at(Key key, Clock::time_point when);

    void sync(const Key& key);
    static bool every_namespace_has(std::string_view resource, std::string_view name);
    void sync_namespace(const Key& key);
    void sync_crds();
    void end_watches(const Registry& before);
    void make_api_services(bool custom); // missing ones; of custom groups also removes those of groups that are gone
    bool sync_roles(); // those that consist of others; false: nothing was to be done
    void store_status(const std::string& definition, const Node& status);
    void end_definition(const ObjectPtr& definition, const AcceptedCrd& accepted);
    void sync_owners(const Key& key, const StoredObject& o);
    void sync_finalizers(const Key& key, const Node& obj);
    void sync_status(const Key& key, const ResourceInfo& resource, const StoredObject& o);
    void removed(const std::string& resource, const StoredObject& o);
    // Drops owners that do not exist from `key`; deletes it when none is left.
    void collect(const Key& key);
    bool empty_namespace(const std::string& ns); // true when nothing is left
    bool told_to_fail(const ResourceInfo& resource, const Node& obj) const;
    [[nodiscard]] bool owner_exists(const Node& ref, std::string_view ns) const;
    [[nodiscard]] ResourcePtr info(std::string_view store_id) const;

    Core& core_;
    ControllerOptions options_;
    std::set<std::string, std::less<>> fail_;
    // Worker thread only:
    std::map<std::string, std::pair<std::int64_t, Clock::time_point>> rollouts_; // uid → generation, settled at
    CrdCatalog crds_;

    std::mutex mutex_; // guards all below
    std::condition_variable work_;
    std::set<Key> queue_;
    std::multimap<Clock::time_point, Key> later_;
    std::deque<std::pair<std::string, ObjectPtr>> removed_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace weber::kube::server
