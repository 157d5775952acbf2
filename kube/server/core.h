// The heart of the embedded server: objects are read, made, changed and removed here, by requests and by the simulated controllers
// alike. Knows the rules of the API (versions, generations, finalizers, ownership), not HTTP.
//
// Thread-safety: all calls from any thread. A change is computed outside of any lock from the live object and committed only
// if that object is still live; otherwise it is computed again.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "kube/server/ack.h"
#include "kube/server/allocator.h"
#include "kube/server/api_error.h"
#include "kube/server/registry.h"
#include "kube/server/request.h"
#include "kube/server/store.h"

namespace weber::kube::server {

struct Written {
    Node object;      // in the version of the request
    int status = 200; // 201 when created
    bool removed = false;
};

struct DeleteOptions {
    enum class Propagation : std::uint8_t { unset, background, foreground, orphan };
    Propagation propagation = Propagation::unset;
    std::optional<bool> orphan_dependents;
    std::optional<std::int64_t> grace_period;
    std::string uid, resource_version; // preconditions, "" = none
    bool dry_run = false;
};

class Core {
public:
    Core(Store& store, bool simulate) : store(store), simulate(simulate), registry_(Registry::built_in()) {}

    Store& store;
    const bool simulate; // controllers stand in for kubelet and friends
    Allocator allocator; // cluster IPs and node ports
    std::mutex quota_mutex; // held from the check of a write against its namespace's quotas until it is counted
    // Asked about each object that a request makes or changes (`live`: null Node = new) before it is checked and stored. Set before
    // the first request.
    std::function<Api<void>(const Call&, const Node& next, const Node& live)> admit = [](const Call&, const Node&, const Node&) { return Api<void>(); };

    [[nodiscard]] RegistryPtr registry() const;
    // `with` runs first, while no other thread gets a registry: what it stores and what is served change as one for every client.
    void set_registry(RegistryPtr next, const std::function<void()>& with = {});

    // ---- versions -----------------------------------------------------------------------------------
    // Stored (storage version) → version of the request, and back. The object's apiVersion says what it is in.
    [[nodiscard]] static Node convert(const ResourceInfo& resource, Node obj, const VersionInfo& to);

    // ---- writing ------------------------------------------------------------------------------------
    // POST: `obj` as sent. Fills name and namespace, checks, stores.
    Api<Written> create(Call& call, Node obj, Ack& ack);

    // Change of one object. `change` gets the live object in the request's version (null Node: none) and returns the new one;
    // it may run several times. `create_allowed`: a missing object is made.
    struct ChangeOptions {
        bool create_allowed = false;
        std::string precondition_uid;
        std::string_view subresource;
    };
    using Change = std::function<Api<Node>(const Node& live)>;
    Api<Written> change(Call& call, const ChangeOptions& options, const Change& change, Ack& ack);

    // DELETE of one object. The result's object is the last state; removed says that it is gone.
    Api<Written> remove(Call& call, const DeleteOptions& options, Ack& ack);
    Api<Written> remove(const ResourceInfo& resource, std::string_view ns, std::string_view name,
                        const DeleteOptions& options, Ack& ack);

    // ---- for controllers (no managedFields but under `manager`, no admission) ---------------------------
    // Changes an object in its storage version; `edit` returns false to leave it. Nothing happens when it is not there.
    // `manager` empty: ownership is not tracked.
    bool edit(const ResourceInfo& resource, std::string_view ns, std::string_view name,
              const std::function<bool(Node&)>& edit, std::string_view manager = {}, std::string_view subresource = {});
    // Makes an object unless there is one. The object is complete but for system metadata.
    bool make(const ResourceInfo& resource, Node obj, std::string_view manager);

    // Forced server-side apply of `patch`.
    bool apply(const ResourceInfo& resource, std::string_view ns, std::string_view name, const Node& patch, std::string_view manager);

    [[nodiscard]] bool namespace_active(std::string_view ns) const;

private:
    // A write of a controller: nobody's request. `resource` null when it is not served any more.
    [[nodiscard]] Call own_call(const ResourceInfo& resource, std::string_view manager) const;
    Api<void> admit_namespace(const Call& call, std::string_view ns) const;
    Api<Written> store_new(Call& call, Node obj, Ack& ack, bool versioned = false);
    Api<std::optional<Written>> try_change(Call& call, const ChangeOptions& options, const Change& change, Ack& ack);
    Api<std::optional<Written>> try_remove(const ResourceInfo& resource, std::string_view ns, std::string_view name,
                                           const DeleteOptions& options, Ack& ack);

    mutable std::recursive_mutex registry_mutex_; // recursive: what set_registry runs asks for it, too
    RegistryPtr registry_; // guarded by registry_mutex_
};

} // namespace weber::kube::server
