// What must be in a cluster before its first Kustomization can be reconciled: the definitions of Kustomization and GitRepository, a namespace, and
// the two objects of a ClusterEntry. What flux bootstrap leaves behind.
//
// Thread-safe as the client is.
#pragma once

#include <stop_token>

#include "gitops/reconcile/changes.h"
#include "gitops/reconcile/entry.h"
#include "kube/client.h"

namespace weber::gitops {

// Definitions are made only when they are missing (a cluster with Flux has its own), the namespace likewise; source and root are applied as the root
// Kustomization itself will apply them. Nothing is written when all is there. Errors are in the result.
// `dry_run`: plans only; the definitions and the namespace that would be made are added to `planned`.
ChangeSet bootstrap(kube::Client& client, const ClusterEntry& entry, bool dry_run, std::vector<Object>& planned, std::stop_token stop = {});

} // namespace weber::gitops
