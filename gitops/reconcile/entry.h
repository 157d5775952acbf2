// Where a cluster begins in a source: the GitRepository and the Kustomization below clusters/NAME that reconcile that folder.
//
// Pure but for reading through the snapshot; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gitops/api/git_repository.h"
#include "gitops/api/kustomization.h"
#include "gitops/source/snapshot.h"

namespace weber::gitops {

struct ClusterEntry {
    std::string dir;                         // "clusters/NAME"
    Kustomization root;                      // the Kustomization whose path is that folder
    std::optional<GitRepository> repository; // its source, when it is declared there and is a GitRepository
    std::vector<Object> objects;             // namespace (if declared), source and root, as they stand in the source
};

// `cluster`: "" = the only one there is. Errors: not_found (no such folder, no Kustomization for it; the message lists what there is), those of a build.
Result<ClusterEntry> find_entry(const Snapshot& snapshot, const std::string& cluster);

} // namespace weber::gitops
