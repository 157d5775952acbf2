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

// Rules: `stale` is the whole of `old`; `stale` is more than half of an `old` of 20 objects or more; `content` is not empty.
// `allowed`: the annotation's value, "" when absent; "always" lets everything pass. Pure and thread-safe.
GuardVerdict judge_prune(const Inventory& old, const Inventory& stale, std::span<const LiveContent> content, std::string_view allowed);

// Looks into the Namespaces and behind the CustomResourceDefinitions of `stale` that a prune for `owner` would delete. Not counted: objects of `stale`,
// objects that another object owns, and what every namespace has. No request when `stale` has neither kind; else one list a kind. Kinds that may not be
// listed are passed over. Errors: as the client's. Thread-safe.
Result<std::vector<LiveContent>> live_content(kube::Client& client, const Inventory& stale, const NamespacedName& owner, std::stop_token stop = {});

} // namespace weber::gitops
