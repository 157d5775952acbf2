#include "kustomize/plugins.h"

#include <utility>

#include "kube/base/yaml.h"
#include "kustomize/decode.h"
#include "kustomize/patch_loading.h"
#include "kustomize/plugin_configs.h"
#include "kustomize/transform/images.h"
#include "kustomize/transform/labels.h"
#include "kustomize/transform/name_hash.h"
#include "kustomize/transform/names.h"
#include "kustomize/transform/namespace.h"
#include "kustomize/transform/replacements.h"
#include "kustomize/transform/replicas.h"
#include "kustomize/transform/value_add.h"

namespace weber::kustomize {
namespace {

// What steps hold on to must be copyable for std::function: shared, never changed.
template <class T>
std::shared_ptr<const T> share(T value) {
    return std::make_shared<const T>(std::move(value));
}

// ---- steps from options, whoever gave them ----------------------------------------------------------------------

Result<void> placed(Result<void> done, const Where& where) {
    if (!done) return fail(std::move(done).error().at(where));
    return done;
}

// Where a field stands; its parent's place when it is absent.
Where place_of(const Node& parent, std::string_view field) {
    const Node* found = parent.find(field);
    return (found != nullptr ? *found : parent).where();
}

Step prefix_step(std::string prefix, std::shared_ptr<const FieldSpecs> specs) {
    return {"PrefixTransformer", [=](ResourceSet& set) { return apply_name_prefix(set, prefix, *specs); }};
}

Step suffix_step(std::string suffix, std::shared_ptr<const FieldSpecs> specs) {
    return {"SuffixTransformer", [=](ResourceSet& set) { return apply_name_suffix(set, suffix, *specs); }};
}

Step namespace_step(NamespaceOptions given) {
    auto options = share(std::move(given));
    return {"NamespaceTransformer", [=](ResourceSet& set) -> Result<void> {
                if (options->ns.empty()) return {};
                return apply_namespace(set, *options);
            }};
}

// What is wrong with the pairs themselves stands at `where`; what is wrong with an object has the object's place.
Step label_step(StringMap labels, std::shared_ptr<const FieldSpecs> specs, Where where) {
    auto map = share(std::move(labels));
    return {"LabelTransformer", [=](ResourceSet& set) { return placed(apply_labels(set, *map, *specs), where); }};
}

Step annotation_step(StringMap annotations, std::shared_ptr<const FieldSpecs> specs, Where where) {
    auto map = share(std::move(annotations));
    return {"AnnotationsTransformer", [=](ResourceSet& set) { return placed(apply_annotations(set, *map, *specs), where); }};
}

Step images_step(std::vector<Image> images, std::shared_ptr<const FieldSpecs> specs) {
    auto list = share(std::move(images));
    return {"ImageTagTransformer", [=](ResourceSet& set) { return apply_images(set, *list, *specs); }};
}

Step replica_step(Replica replica, std::shared_ptr<const FieldSpecs> specs) {
    return {"ReplicaCountTransformer", [=](ResourceSet& set) { return apply_replica(set, replica, *specs); }};
}

Step replacements_step(std::vector<Replacement> replacements) {
    auto list = share(std::move(replacements));
    return {"ReplacementTransformer", [=](ResourceSet& set) { return apply_replacements(set, *list); }};
}

// ---- built-in plugins: an object of apiVersion `builtin` → a step ------------------------------------------------

using MakeStep = Result<Step> (*)(const Node& config, const PluginContext& context);

Result<Step> prefix_plugin(const Node& config, const PluginContext&) {
    TRY(PrefixConfig c, read_plugin<PrefixConfig>(config));
    if (!c.has_field_specs) return fail(ErrorCode::invalid, "fieldSpecs is not expected to be nil", config.where());
    return prefix_step(c.prefix, share(std::move(c.field_specs)));
}

Result<Step> suffix_plugin(const Node& config, const PluginContext&) {
    TRY(PrefixConfig c, read_plugin<PrefixConfig>(config));
    if (!c.has_field_specs) return fail(ErrorCode::invalid, "fieldSpecs is not expected to be nil", config.where());
    return suffix_step(c.suffix, share(std::move(c.field_specs)));
}

Result<Step> prefix_suffix_plugin(const Node& config, const PluginContext& context) {
    TRY(Step prefix, prefix_plugin(config, context));
    TRY(Step suffix, suffix_plugin(config, context));
    return Step{"PrefixSuffixTransformer", [first = prefix.run, second = suffix.run](ResourceSet& set) -> Result<void> {
                    TRY_VOID(first(set));
                    return second(set);
                }};
}

Result<Step> namespace_plugin(const Node& config, const PluginContext&) {
    TRY(NamespaceConfig c, read_plugin<NamespaceConfig>(config));
    return namespace_step(std::move(c.options));
}

Result<Step> label_plugin(const Node& config, const PluginContext&) {
    TRY(MapConfig c, read_plugin<MapConfig>(config));
    return label_step(std::move(c.labels), share(std::move(c.field_specs)), place_of(config, "labels"));
}

Result<Step> annotations_plugin(const Node& config, const PluginContext&) {
    TRY(MapConfig c, read_plugin<MapConfig>(config));
    return annotation_step(std::move(c.annotations), share(std::move(c.field_specs)), place_of(config, "annotations"));
}

Result<Step> image_plugin(const Node& config, const PluginContext&) {
    TRY(ImageConfig c, read_plugin<ImageConfig>(config));
    return images_step({std::move(c.image)}, share(std::move(c.field_specs)));
}

Result<Step> replica_plugin(const Node& config, const PluginContext&) {
    TRY(ReplicaConfig c, read_plugin<ReplicaConfig>(config));
    return replica_step(std::move(c.replica), share(std::move(c.field_specs)));
}

Result<Step> replacement_plugin(const Node& config, const PluginContext& context) {
    TRY(ReplacementConfig c, read_plugin<ReplacementConfig>(config));
    TRY(auto replacements, load_replacements(context.loader, c.replacements));
    return replacements_step(std::move(replacements));
}

Result<Step> patch_plugin(const Node& config, const PluginContext& context) {
    TRY(Patch patch, read_plugin<Patch>(config));
    return patch_step(std::move(patch), context);
}

Result<Step> patch_json_plugin(const Node& config, const PluginContext& context) {
    TRY(JsonPatchConfig c, read_plugin<JsonPatchConfig>(config));
    return patch_json6902_step(std::move(c.patch), context);
}

Result<Step> patch_merge_plugin(const Node& config, const PluginContext& context) {
    TRY(MergePatchConfig c, read_plugin<MergePatchConfig>(config));
    std::vector<ListEntry> paths;
    for (std::string& path : c.paths) paths.push_back({.text = std::move(path), .where = config.where()});
    return patches_strategic_merge_step(paths, {.text = c.patches, .where = config.where(), .text_line = c.patches_line}, context);
}

Result<Step> value_add_plugin(const Node& config, const PluginContext& context) {
    TRY(ValueAddConfig c, read_plugin<ValueAddConfig>(config));
    TRY(ValueAddOptions options, finish_value_add(std::move(c), context.loader));
    auto shared = share(std::move(options));
    return Step{"ValueAddTransformer", [=](ResourceSet& set) { return apply_value_add(set, *shared); }};
}

Result<Step> hash_plugin(const Node&, const PluginContext&) {
    return Step{"HashTransformer", [](ResourceSet& set) { return append_name_hashes(set); }};
}

constexpr std::pair<std::string_view, MakeStep> kTransformers[] = {
    {"AnnotationsTransformer", annotations_plugin},
    {"HashTransformer", hash_plugin},
    {"ImageTagTransformer", image_plugin},
    {"LabelTransformer", label_plugin},
    {"NamespaceTransformer", namespace_plugin},
    {"PatchJson6902Transformer", patch_json_plugin},
    {"PatchStrategicMergeTransformer", patch_merge_plugin},
    {"PatchTransformer", patch_plugin},
    {"PrefixSuffixTransformer", prefix_suffix_plugin},
    {"PrefixTransformer", prefix_plugin},
    {"ReplacementTransformer", replacement_plugin},
    {"ReplicaCountTransformer", replica_plugin},
    {"SuffixTransformer", suffix_plugin},
    {"ValueAddTransformer", value_add_plugin},
};

} // namespace

// Where the steps of a field come from: its entry of that index, or the whole of it.
static void locate(std::vector<Step>& steps, std::size_t& done, const Kustomization& k, std::string_view field, bool entries = false) {
    const Node* all = k.document.find(field);
    for (std::size_t i = 0; done < steps.size(); ++done, ++i) {
        Step& step = steps[done];
        const Node* from = all && entries && i < all->items().size() ? &all->items()[i] : all;
        step.where = from ? from->where() : k.where;
        step.own_lines = step.kind.starts_with("Patch");
    }
}

Result<std::vector<Step>> builtin_steps(const Kustomization& k, const SharedConfig& config, const PluginContext& context) {
    // The list is a member of the configuration and lives as long as it.
    const auto specs = [&](const FieldSpecs& list) { return std::shared_ptr<const FieldSpecs>(config, &list); };
    std::vector<Step> steps;
    std::size_t located = 0;
    const auto note = [&](std::string_view field, bool entries = false) {
        if (context.explain) locate(steps, located, k, field, entries);
    };
    if (!k.patches_strategic_merge.empty()) {
        TRY(Step step, patches_strategic_merge_step(k.patches_strategic_merge, {}, context));
        steps.push_back(std::move(step));
    }
    note("patchesStrategicMerge");
    for (const Patch& patch : k.patches) {
        TRY(Step step, patch_step(patch, context));
        steps.push_back(std::move(step));
    }
    note("patches", true);
    if (!k.ns.empty()) steps.push_back(namespace_step({.ns = k.ns, .field_specs = config->name_space}));
    note("namespace");
    if (!k.name_prefix.empty()) steps.push_back(prefix_step(k.name_prefix, specs(config->name_prefix)));
    note("namePrefix");
    if (!k.name_suffix.empty()) steps.push_back(suffix_step(k.name_suffix, specs(config->name_suffix)));
    note("nameSuffix");
    const Node* entries = k.document.find("labels");
    for (std::size_t i = 0; i < k.labels.size(); ++i) {
        TRY(FieldSpecs fields, label_field_specs(k.labels[i], *config));
        const Where where = entries != nullptr && i < entries->size() ? place_of(entries->items()[i], "pairs") : k.where;
        steps.push_back(label_step(k.labels[i].pairs, share(std::move(fields)), where));
    }
    note("labels", true);
    if (!k.common_labels.empty() || !k.labels.empty()) steps.push_back(label_step(k.common_labels, specs(config->common_labels), place_of(k.document, "commonLabels")));
    note("commonLabels");
    if (!k.common_annotations.empty()) steps.push_back(annotation_step(k.common_annotations, specs(config->common_annotations), place_of(k.document, "commonAnnotations")));
    note("commonAnnotations");
    for (const Patch& patch : k.patches_json6902) {
        TRY(Step step, patch_json6902_step(patch, context));
        steps.push_back(std::move(step));
    }
    note("patchesJson6902", true);
    for (const Replica& replica : k.replicas) steps.push_back(replica_step(replica, specs(config->replicas)));
    note("replicas", true);
    if (context.one_step_each || context.explain) {
        for (const Image& image : k.images) steps.push_back(images_step({image}, specs(config->images)));
    } else if (!k.images.empty()) {
        steps.push_back(images_step(k.images, specs(config->images)));
    }
    note("images", true);
    if (!k.replacements.empty()) {
        TRY(auto replacements, load_replacements(context.loader, k.replacements));
        if (context.explain) {
            for (Replacement& r : replacements) {
                steps.push_back(replacements_step({r}));
                steps.back().where = r.where.file.empty() ? k.where : r.where;
            }
        } else {
            steps.push_back(replacements_step(std::move(replacements)));
        }
    }
    return steps;
}

Result<Step> plugin_step(const Resource& config, const PluginContext& context) {
    TRY_VOID(check_builtin(config));
    for (const auto& [kind, make] : kTransformers) {
        if (config.kind() != kind) continue;
        auto step = make(config.node(), context);
        if (!step) return fail(std::move(step.error()).with_prefix("plugin " + config.org_id().to_string() + " fails configuration: ").at(config.where()));
        return step;
    }
    return unknown_plugin(config, "transformer");
}

} // namespace weber::kustomize
