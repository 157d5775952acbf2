// Stops a prune that looks like an accident: everything, most of a lot, or a Namespace or definition that takes other objects along.
// Flux has no such guard; --prune-guard=off gives its behaviour.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "gitops/api/kustomization.h"
#include "gitops/reconcile/inventory.h"
#include "gitops/reconcile/status.h"
#include "kube/client.h"

namespace weber::gitops {

// A Namespace or CustomResourceDefinition whose deletion takes objects along that are not deleted by name.
struct LiveContent {
    kube::ObjectKey key;
    std::size_t count = 0;
    std::string example = {}; // one of them: "PersistentVolumeClaim/ns/name"
};

struct GuardVerdict {
    bool stop = false;
    std::string message = {};              // for condition and event; one line a reason, then how to go on
    std::string token = {};                // value of the annotation weber.dev/allow-prune that lets exactly this deletion pass
    std::vector<std::string> deletes = {}; // subjects of all that would be deleted, in delete order
};

// `before`: objects in the inventory before the change. Rules: all of them are stale; more than half of 20 or more; `content` is not empty.
// `allowed`: the annotation's value, "" when absent; "always" lets everything pass. Pure and thread-safe.
GuardVerdict judge_prune(std::size_t before, const Inventory& stale, std::span<const LiveContent> content, std::string_view allowed);

// A stopped run leaves new objects and stale ones in the inventory together; what it was before the change is kept in a condition of its own
// (PruneGuard=True), or the next run would find the same deletion small.
std::size_t size_before(const KustomizationStatus& status, const Inventory& old);
void mark_stopped(KustomizationStatus& status, std::size_t before, std::int64_t generation, kube::SystemTime now);
void clear_stopped(KustomizationStatus& status);

// Looks into the Namespaces and behind the CustomResourceDefinitions of `stale` that a prune for `owner` would delete. Not counted: objects of `stale`,
// objects that another object owns, and what every namespace has. No request when `stale` has neither kind; else one list a kind. Kinds that may not be
// listed are passed over. Errors: as the client's. Thread-safe.
Result<std::vector<LiveContent>> live_content(kube::Client& client, const Inventory& stale, const NamespacedName& owner, std::stop_token stop = {});

} // namespace weber::gitops
