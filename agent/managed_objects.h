// What the cluster holds of the objects that Kustomizations applied, kept by one watch a kind: some hundred bytes an object. Waits are fed from it and
// drift is seen by it, so that at rest the API server serves watches and nothing else.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gitops/api/kustomization.h"
#include "kube/client.h"
#include "kube/informer.h"
#include "kube/kstatus.h"

namespace weber::agent {

// One object, as last seen.
struct Sighting {
    std::string uid, resource_version;
    std::size_t owned = 0;         // gitops::owned_hash
    std::size_t undrifted = 0;     // gitops::owned_hash_but_marks
    bool other_version = false;    // gitops::owned_in_other_version: neither hash counts
    gitops::NamespacedName owner;  // by its labels; empty: none
    kube::Status status = {};
    std::string status_error = {}; // why kstatus cannot judge it
    Object whole = {};             // only of kinds that are kept whole

    // It is as an apply left it that had this `owned`, but for marks.
    [[nodiscard]] bool is_in_place(std::size_t applied) const { return owned == applied || undrifted == applied; }
};

class ManagedObjects {
public:
    // `after` is nullopt when the object is gone. Called on watch threads, one at a time for each kind; must not block for long, nor call back in.
    using Listener = std::function<void(const kube::ObjectKey& key, const std::optional<Sighting>& before, const std::optional<Sighting>& after)>;

    // `taken_over`: managers besides kubectl whose fields an apply takes over (--override-manager); that they hold some is told by the hashes.
    ManagedObjects(std::shared_ptr<kube::Client> client, std::vector<std::string> taken_over, Listener listener);
    ~ManagedObjects(); // stop()
    void stop();       // ends all watches; no listener runs after it returns. Not from a listener

    // Watches the kind from now on in that version (empty: any), all namespaces, objects with owner labels; nothing when it is watched already. `whole`: sightings
    // hold the object, for rules that look at more than kstatus does; a kind that was watched without is watched anew. The watch of a kind that the server does
    // not serve any more ends: its objects are gone, and whoever applies one again calls this again.
    void watch(const kube::GroupVersionKind& gvk, bool whole = false);
    // Of a kind that is watched: in all its versions.
    [[nodiscard]] bool synced(const kube::GroupKind& kind) const;
    // Of several versions, by the one it was applied in.
    [[nodiscard]] std::optional<Sighting> find(const kube::ObjectKey& key) const;
    [[nodiscard]] std::size_t kinds() const; // whose watches have not ended; each version counts

private:
    struct Kind;
    using Versions = std::map<std::string, std::shared_ptr<Kind>>;
    [[nodiscard]] Versions versions_of(const kube::GroupKind& kind) const;

    const std::shared_ptr<kube::Client> client_;
    const std::vector<std::string> taken_over_;
    const Listener listener_;
    mutable std::mutex mutex_; // guards kinds_
    std::map<kube::GroupKind, Versions> kinds_;
};

} // namespace weber::agent
