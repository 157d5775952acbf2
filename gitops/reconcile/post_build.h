// What may happen to files before the build and to objects after it: SOPS decryption and variable substitution, as hooks.
// The pipeline knows when they run (build.md 1); `gitops/decrypt` and `gitops/substitute` know how.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gitops/api/kustomization.h"
#include "gitops/source/snapshot.h"
#include "kube/base/object.h"

namespace weber::gitops {

class ReferenceReader;

// A ConfigMap or Secret that was read from the cluster.
struct Reference {
    std::string kind;
    NamespacedName name;
    std::string version; // its resourceVersion then; "": there was none; "?": it could not be read
};

// The hooks of one run; keys and variables are read when it is made and forgotten with it. An empty function: nothing to do.
// Error texts hold no secret values; they are complete but for what is said here.
struct PostBuild {
    // Files that the kustomization in `dir` and those it includes refer to, decrypted: the snapshot with plaintext in their place
    // (`Snapshot::with_files`). `kustomization`: the merged file of `dir`. The pipeline adds `error decrypting sources: `.
    std::function<Result<Snapshot>(const Snapshot& snapshot, const std::string& dir, const Node& kustomization)> files = {};
    // One built object, in output order, before `substitute`. The pipeline adds `decryption failed for '<gvk>/<name>': `.
    std::function<Result<Object>(const Object& object)> decrypt = {};
    // The pipeline adds `post build failed for '<gvk>/<name>': `.
    std::function<Result<Object>(const Object& object)> substitute = {};
    // Values of Secrets among the variables: an API server that refuses an object may quote them.
    std::vector<std::string> secret_values = {};
    // What variables and keys were read from.
    std::vector<Reference> references = {};
};

// Makes the hooks for a run. `cluster` reads ConfigMaps and Secrets of the Kustomization's namespace; null for a build without a cluster. Errors
// are BuildFailed as they are. Called only when the spec has postBuild or decryption. Thread-safe.
using PostBuildFactory = std::function<Result<PostBuild>(const Kustomization& kustomization, ReferenceReader* cluster)>;

} // namespace weber::gitops
