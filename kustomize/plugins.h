// Transformers as steps of a build: those that fields of a kustomization ask for, and built-in plugins that objects under
// `transformers`, `validators` and `generators` configure.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kustomize/configurations.h"
#include "kustomize/helm.h"
#include "kustomize/kustomization.h"
#include "kustomize/loader.h"
#include "kustomize/origin.h"
#include "kustomize/resource_set.h"
#include "kustomize/transform/merge_schema.h"

namespace weber::kustomize {

// What configuring needs besides the options.
struct PluginContext {
    const Loader& loader;
    const MergeSchema& schema;   // outlives the steps
    bool one_step_each = false;  // transformations are recorded: no two options in one step
    bool explain = false;        // steps say where they come from
    HelmRunner* helm = nullptr;  // null: charts are errors
};

// One transformer, configured: its files are read and its options checked; `run` only changes resources.
struct Step {
    std::string kind; // kustomize's name of it, e.g. NamespaceTransformer
    std::function<Result<void>(ResourceSet&)> run;
    std::optional<Origin> origin = {}; // recorded on the resources when set
    bool merges = false;               // a strategic merge, which looks into the schema
    // Only when changes are explained (explain.h):
    Where where = {};                // what asked for it
    bool own_lines = false;          // values bring their line with them: patches
};

// The steps of a kustomization's own fields, in kustomize's order: patchesStrategicMerge, patches, namespace, namePrefix,
// nameSuffix, labels, commonLabels, commonAnnotations, patchesJson6902, replicas, images, replacements.
// The kustomization must outlive the steps.
Result<std::vector<Step>> builtin_steps(const Kustomization& kustomization, const SharedConfig& config, const PluginContext& context);

// The step an object of apiVersion `builtin` configures. Other plugins (exec, containers, Go) are unsupported, and named.
Result<Step> plugin_step(const Resource& config, const PluginContext& context);

// What a generator object makes.
Result<std::vector<std::unique_ptr<Resource>>> run_generator_plugin(const Resource& config, const PluginContext& context);

} // namespace weber::kustomize
