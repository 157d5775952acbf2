// One kustomization directory and everything below it, turned into resources: kustomize's KustTarget and ResAccumulator.
//
// Thread-safety: none; one build, one thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kube/base/error.h"
#include "kustomize/build.h"
#include "kustomize/configurations.h"
#include "kustomize/explain.h"
#include "kustomize/kustomization.h"
#include "kustomize/loader.h"
#include "kustomize/origin.h"
#include "kustomize/plugins.h"
#include "kustomize/resource_set.h"
#include "kustomize/seen_files.h"
#include "kustomize/transform/merge_schema.h"

namespace weber::kustomize {

// Merges of configurations made so far: overlays of one base merge the same ones again and again.
class ConfigMerges {
public:
    // As merge_configs, errors included. What merging changes nothing about comes back as it was given.
    Result<SharedConfig> merged(const SharedConfig& a, const SharedConfig& b);

private:
    std::map<std::pair<SharedConfig, SharedConfig>, SharedConfig> known_; // keeps them alive, so that an address means one configuration
};

// Shared by all directories of one build.
struct Session {
    Session(const FileSystem& fs, const BuildOptions& build_options)
        : options(build_options), seen(fs), files{.fs = seen, .restrictions = build_options.load_restrictions, .cache = build_options.cache, .remote = build_options.remote, .documents_left = build_options.max_documents} {}

    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    const BuildOptions& options;
    SeenFiles seen;
    LoadContext files;
    std::vector<std::string> build_metadata = {}; // of the root kustomization
    std::vector<std::string> warnings = {};
    // Kustomization files read so far, by resolved path.
    std::unordered_map<std::string, std::shared_ptr<const Kustomization>> kustomizations = {};
    ConfigMerges configs = {};
    std::unique_ptr<const MergeSchema> schema = {}; // null: the built-in one
    bool schema_version_set = false;                // some kustomization chose a built-in schema
    bool builtin_schema_used = false;               // so far: a schema that is named later then lies over it
    std::unique_ptr<Explanation> explanation = {}; // null: nobody asked
    std::size_t directories = 0; // accumulated so far, counting repeats
    std::size_t depth = 0;       // of the recursion, now

    [[nodiscard]] bool tracks_origin() const { return !build_metadata.empty(); }
};

// What a directory came to: its resources and the rules that the root needs at the end.
struct Accumulator {
    ResourceSet resources;
    SharedConfig config;                             // null: none yet
    std::map<std::string, Var> vars;                 // by name
};

// A kustomization directory, read.
class Target {
public:
    // Reads the kustomization file of the loader's directory (or takes the given document in its place).
    static Result<Target> load(Session& session, Loader loader, Origin origin, const Node* document = nullptr);

    // All passes of this directory on `acc`: an empty accumulator for a kustomization, the parent's for a component.
    Result<void> accumulate(Accumulator& acc) const;

    // Makes the schema that `openapi` names the session's, unless one was chosen already.
    Result<void> use_schema() const;

    [[nodiscard]] const Kustomization& kustomization() const { return *kustomization_; }
    [[nodiscard]] const Loader& loader() const { return loader_; }

private:
    Target(Session& session, Loader loader, Origin origin, std::shared_ptr<const Kustomization> kustomization)
        : session_(&session), loader_(std::move(loader)), origin_(std::move(origin)), kustomization_(std::move(kustomization)) {}

    Result<void> accumulate_resources(Accumulator& acc, const std::vector<ListEntry>& entries) const;
    Result<void> accumulate_entry(Accumulator& acc, const ListEntry& entry) const;
    Result<void> accumulate_remote(Accumulator& acc, const std::string& path) const;
    Result<void> accumulate_file(Accumulator& acc, const std::string& path) const;
    Result<void> accumulate_directory(Accumulator& acc, Loader loader, const std::string& path, bool component) const;
    Result<void> accumulate_components(Accumulator& acc) const;
    Result<void> merge_configurations(Accumulator& acc) const;
    Result<void> run_generators(Accumulator& acc) const;
    // Who made these objects, and from which files. `args`: null for what is not made of literals and files.
    void explain_generated(const ResourceSet& made, std::string_view kind, const Where& where, const GeneratorArgs* args) const;
    Result<void> run_transformers(Accumulator& acc) const;
    Result<void> run_validators(Accumulator& acc) const;
    Result<void> merge_vars(Accumulator& acc) const;
    // Objects that configure plugins, from inline text and from files and directories.
    Result<ResourceSet> plugin_configs(const std::vector<ListEntry>& entries) const;
    [[nodiscard]] PluginContext plugin_context() const;
    [[nodiscard]] HelmChart chart_in_namespace(HelmChart chart) const;
    [[nodiscard]] Origin builtin_origin(std::string_view kind) const;

    Session* session_;
    Loader loader_;
    Origin origin_; // meaningful only when the session tracks origins
    std::shared_ptr<const Kustomization> kustomization_;
    std::string inherited_namespace_; // for charts
};

} // namespace weber::kustomize
