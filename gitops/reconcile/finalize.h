// The end of a Kustomization: what it applied is deleted, or not, by its deletionPolicy (kustomization.md 5.2 and 5.3).
//
// Thread-safe as the client is.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "gitops/reconcile/changes.h"
#include "gitops/reconcile/progress.h"
#include "gitops/reconcile/status.h"
#include "kube/client.h"

namespace weber::gitops {

// Table 5.2.
bool deletes_on_removal(const KustomizationSpec& spec, const KustomizationStatus& status);

struct Finalized {
    ChangeSet changes = {};
    bool done = false;              // the finalizer may go
    std::optional<Error> error = {}; // a delete that was refused: the finalizer stays; a wait that took too long: it goes
};

// Deletes the inventory and, for WaitForTermination, waits for its end. Neither status nor finalizer is written. `dry_run`: plans only.
// `target`: client of the cluster that the objects are in. `progress` may be null. `tell` is given each event when it is due: of the deletes before the wait.
Finalized finalize(kube::Client& target, const Kustomization& kustomization, const KustomizationStatus& status, bool dry_run, ProgressSink* progress,
                   const std::function<void(const Event&)>& tell = {}, std::stop_token stop = {});

} // namespace weber::gitops
