// `kustomize build`: files in, objects out. The entry point of this layer.
//
// Pure but for reading through the FileSystem; builds on several threads may share a FileSystem and a ParseCache.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kustomize/explain.h"
#include "kustomize/file_system.h"
#include "kustomize/helm.h"
#include "kustomize/loader.h"
#include "kustomize/resource_set.h"

namespace weber::kustomize {

enum class Reorder : std::uint8_t {
    none,   // keep the order of input (what Flux does), unless the kustomization has sortOptions
    legacy, // sort by kind, unless it has sortOptions (the command line's default)
};

struct BuildOptions {
    LoadRestrictions load_restrictions = LoadRestrictions::root_only;
    Reorder reorder = Reorder::none;
    bool managed_by_label = false; // add app.kubernetes.io/managed-by
    // Used instead of the kustomization file of the root directory, which then need not exist. Paths in it are relative to the
    // directory. For callers that merge fields into it or generate it. Read leniently (Reading in kustomization.h).
    std::optional<Node> root_kustomization = {};
    ParseCache* cache = nullptr;   // shared by builds; null: every build parses its own files
    RemoteFetcher* remote = nullptr; // for git URLs and http files; null: those are errors
    bool explain = false;            // follow who sets each field (explain.h)
    // What is built goes to to_files: kustomize takes those objects as they are in memory, and reads what it prints from its own text once more, which changes
    // dates inside brackets and folded blocks.
    bool as_files = false;
    HelmRunner* helm = nullptr;      // inflates helmCharts (--enable-helm); null: charts are errors
    // Caps, for trees that multiply themselves.
    std::size_t max_directories = 20'000; // directories accumulated, counting repeats
    std::size_t max_objects = 1'000'000;
    std::size_t max_documents = 1'000'000; // YAML documents of all files read, also empty ones and patches
};

struct BuildOutput {
    ResourceSet resources;
    std::vector<std::string> files_read; // resolved paths, in order of first reading
    std::vector<std::string> warnings;   // about deprecated fields, as kustomize prints them to stderr
    std::unique_ptr<const Explanation> explanation = {}; // when asked for

    // The objects, in order, ready to print or apply.
    [[nodiscard]] std::vector<Node> objects() const;
};

// Builds the kustomization in `dir`. Errors name file and line where there is one.
Result<BuildOutput> build(const FileSystem& fs, std::string_view dir, const BuildOptions& options = {});

// The text `kustomize build` prints: keys sorted, documents separated by "---".
[[nodiscard]] std::string to_yaml(const ResourceSet& resources);

// The same with who set each field in comments (Explanation::to_yaml). `output` is of a build with `explain`.
[[nodiscard]] std::string to_explained_yaml(const BuildOutput& output, std::string_view base);

// What `kustomize build -o DIR` writes: file name → text, one file an object, named by namespace (when there are several), type and
// name in lower case. `resources` are of a build with `as_files`. Fails when two objects come to one name, which kustomize lets overwrite each other.
[[nodiscard]] Result<std::map<std::string, std::string>> to_files(const ResourceSet& resources);

} // namespace weber::kustomize
