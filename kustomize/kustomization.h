// A kustomization file as a struct.
//
// Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// A path, URL or inline text as it stands in a list of the kustomization.
struct ListEntry {
    std::string text;
    Where where;
    std::uint32_t text_line = 1; // the line of `where.file` in which the text begins
};

struct Kustomization {
    std::string api_version;
    std::string kind; // Kustomization or Component
    std::string file; // resolved path of the file; "" when given by the caller
    Where where;
    Node document; // as read: where each field stands

    std::vector<ListEntry> resources; // and the deprecated `bases`, after them
    std::vector<ListEntry> components, crds, configurations, generators, transformers, validators;
    StringMap openapi;

    std::string name_prefix, name_suffix, ns;
    StringMap common_labels, common_annotations;
    std::vector<Label> labels;
    std::vector<ListEntry> patches_strategic_merge;
    std::vector<Patch> patches_json6902, patches;
    std::vector<Image> images; // and the deprecated `imageTags`
    std::vector<ReplacementEntry> replacements;
    std::vector<Replica> replicas;
    std::vector<Var> vars;
    std::optional<SortOptions> sort_options;

    std::vector<GeneratorArgs> config_map_generator, secret_generator;
    std::optional<GeneratorOptions> generator_options;
    std::vector<HelmChart> helm_charts; // and the deprecated `helmChartInflationGenerator`
    HelmGlobals helm_globals;
    std::vector<std::string> build_metadata;

    std::vector<std::string> warnings; // about deprecated fields, in kustomize's words
};

// Reads a kustomization document: strict (an unknown field is an error with file and line), deprecated fields moved to their
// successors, `kind` and `apiVersion` defaulted and checked. `directory` appears in messages.
// Source of the rules: kustomize api/types/kustomization.go (Unmarshal, FixKustomization, CheckEmpty, EnforceFields).
// Lenient, a number or a truth may stand where a text is wanted, and unknown fields are passed over: how Flux reads the one file that it rewrites.
enum class Reading : std::uint8_t { strict, lenient };
Result<Kustomization> read_kustomization(const Node& document, std::string_view directory, Reading reading = Reading::strict);

} // namespace weber::kustomize
