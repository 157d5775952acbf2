// Deletes what left the source, or all of it (kustomization.md 5, apply.md 5).
//
// Thread-safe as the client is.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "gitops/api/kustomization.h"
#include "gitops/reconcile/changes.h"
#include "gitops/reconcile/inventory.h"
#include "kube/client.h"

namespace weber::gitops {

struct PruneSettings {
    bool dry_run = false;
    std::size_t concurrency = 4; // reads in flight; deletes go one after the other, in order
    std::function<void(std::size_t done, std::size_t total)> progress = {};
    std::vector<std::string> secret_values = {}; // masked in the diffs of a dry run, as ApplySettings has it
};

// `entries` in delete order (`stale`). Only objects with `owner`'s labels that do not forbid it are deleted, in the background; the others are
// `skipped`, with the reason. One change an entry: deleted (also: already gone), skipped, or unknown with an error in `errors`
// (`Kind/ns/name delete failed: …`). The deletion carries the uid that was read, so that an object made anew meanwhile by somebody else stays.
ChangeSet prune(kube::Client& client, const Inventory& entries, const NamespacedName& owner, const PruneSettings& settings = {},
                std::stop_token stop = {});

// Why the object may not be deleted for `owner`; "" when it may.
std::string reason_to_keep(const Object& live, const NamespacedName& owner);

// The one error of a failed prune: `delete failed, errors: <a>;<b>;`.
Error prune_error(const ChangeSet& pruned);

// Until all `deleted` objects of `pruned` are gone. Error timeout: `<subject> termination timeout: context deadline exceeded`.
Result<void> wait_terminated(kube::Client& client, const ChangeSet& pruned, std::chrono::nanoseconds timeout, std::stop_token stop = {});

// Entries of `entries` that `pruned` neither deleted nor skipped: they stay in the inventory.
Inventory survivors(const Inventory& entries, const ChangeSet& pruned);

} // namespace weber::gitops
