// What the last good run of a Kustomization was made of, so that the next one can tell that nothing changed and nothing drifted, without a request.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/target_cluster.h"
#include "gitops/reconcile/changes.h"
#include "gitops/reconcile/post_build.h"
#include "gitops/source/snapshot.h"

namespace weber::agent {

// The files a build read, and the listings of the folders they lie in, as one text. The same closure in another commit builds the same objects.
// `dir`: the folder of the Kustomization; all below it counts when it has no kustomization file of its own (then one is generated from what lies there).
std::string build_closure(const gitops::Snapshot& snapshot, const std::string& dir, const std::vector<std::string>& files_read);

struct LastGood {
    std::string uid;                          // of the Kustomization; empty: what was applied is known, but the run is not over or did not end well
    std::int64_t generation = 0;
    std::uint64_t cluster_id = 0;             // where it was applied
    std::weak_ptr<TargetCluster> cluster = {};
    std::string closure;                      // of the build
    std::vector<std::string> files_read;
    std::vector<gitops::Reference> references; // ConfigMaps and Secrets it was built with
    std::string digest;                       // of the built YAML
    std::vector<std::pair<kube::ObjectKey, std::size_t>> owned; // what was applied, and owned_hash of each; 0: skipped, not looked at
    std::vector<std::pair<kube::ObjectKey, std::size_t>> vanishing; // of Jobs with ttlSecondsAfterFinished: that they go is no drift
    std::vector<std::pair<kube::ObjectKey, std::string>> unowned;   // nothing of which is ours, by resourceVersion: skipped for what they carry, or found to be as wanted
    std::vector<kube::ObjectRef> checked; // whose health was waited for
};

// Thread-safe.
class ReconcileMemory {
public:
    void remember(const std::string& key, LastGood good);
    void forget(const std::string& key);
    [[nodiscard]] std::optional<LastGood> find(const std::string& key) const;

    // Does the sighting differ from what the last good run of `key` left in that cluster? False while nothing is remembered.
    [[nodiscard]] bool drifted(const std::string& key, const TargetCluster& cluster, const kube::ObjectKey& object, const std::optional<Sighting>& now) const;

private:
    mutable std::mutex mutex_; // guards good_
    std::map<std::string, LastGood> good_;
};

// Every object is there and did not drift. False also when one is not watched yet, or its cluster is not open any more.
bool all_in_place(const LastGood& good);
// Every object is there and as it was left, so that an apply would change none.
bool all_there(const std::vector<std::pair<kube::ObjectKey, std::size_t>>& owned, const ManagedObjects& objects);
// Every object is there in that very resourceVersion.
bool all_untouched(const std::vector<std::pair<kube::ObjectKey, std::string>>& unowned, const ManagedObjects& objects);

} // namespace weber::agent
