// The kustomization that a Flux Kustomization builds: the file in its directory, or one made from the YAML files below it, with the
// fields of the spec merged in (build.md 2 and 3). Nothing is written anywhere.
//
// Pure but for reading through the snapshot; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "gitops/api/kustomization.h"
#include "gitops/source/snapshot.h"

namespace weber::gitops {

// `dir`: from Snapshot::directory. Errors name file and line: two kustomization files, undecodable YAML, a component that is not local.
// `warnings` gets a line for each field of the file that kustomize does not know: it vanishes, as with Flux.
Result<Node> kustomization_of(const Snapshot& snapshot, const std::string& dir, const KustomizationSpec& spec, std::vector<std::string>& warnings);

} // namespace weber::gitops
