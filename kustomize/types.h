// The options of a kustomization as plain structs: what the transforms and generators take as arguments.
// Read from YAML by `kustomization.h` (fields of kustomization.yaml) and `plugins.h` (built-in plugin configurations).
// Each struct keeps `where`, the place a user edits, for errors.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kustomize/gvk.h"

namespace weber::kustomize {

// String maps are sorted by key: kustomize applies them in that order (Go maps are walked by sorted keys there).
using StringMap = std::map<std::string, std::string>;

// Which objects. Group, version, kind, name and namespace are regular expressions, matched whole (anchored);
// empty = any. The two selectors use the Kubernetes label selector syntax.
struct Selector {
    std::string group = {}, version = {}, kind = {}, name = {}, ns = {};
    std::string annotation_selector = {}, label_selector = {};

    [[nodiscard]] bool id_empty() const {
        return group.empty() && version.empty() && kind.empty() && name.empty() && ns.empty();
    }
};

// Which field of which kinds. `path` is slash-separated ("spec/template/metadata/labels"), "\/" escapes a slash,
// a trailing "[]" marks a list when the field is created.
struct FieldSpec {
    GvkPattern gvk;
    std::string path;
    bool create = false;

    friend bool operator==(const FieldSpec&, const FieldSpec&) = default;
};
using FieldSpecs = std::vector<FieldSpec>;

// Objects selected by `gvk` may be referred to by name from these fields.
struct NameBackReference {
    GvkPattern gvk;
    FieldSpecs referrers;

    friend bool operator==(const NameBackReference&, const NameBackReference&) = default;
};

// Field specs of all built-in transforms (kustomize: builtinconfig.TransformerConfig).
// Defaults, merging and sorting live in `transform/field_specs.h`.
struct TransformerConfig {
    FieldSpecs name_prefix, name_suffix, name_space, common_labels, labels, template_labels, volume_claim_template_labels, common_annotations;
    std::vector<NameBackReference> name_reference;
    FieldSpecs var_reference, images, replicas;

    friend bool operator==(const TransformerConfig&, const TransformerConfig&) = default;
};

struct PatchOptions {
    bool allow_name_change = false;
    bool allow_kind_change = false;
};

// One entry of `patches` or `patchesJson6902`, its text already loaded.
struct Patch {
    std::string path;       // as written; "" for an inline patch
    std::string text;       // inline text, or the content of `path`
    std::string inline_text; // `patch:` as written; "" when `path` is used
    std::optional<Selector> target;
    std::optional<PatchOptions> options;
    Where where;            // the entry in the kustomization
    std::uint32_t inline_line = 1; // the line of `where.file` in which the inline text begins
    // Documents of the patch when it came from a file: parsed once, shared by all overlays. Null: parse `text`.
    std::shared_ptr<const std::vector<Node>> documents;
};

struct Image {
    std::string name, new_name, tag_suffix, new_tag, digest;
};

struct Replica {
    std::string name;
    std::int64_t count = 0;
    Where where = {};
};

struct Label {
    StringMap pairs;
    bool include_selectors = false;
    bool include_templates = false;
    bool include_volume_claim_templates = false;
    FieldSpecs fields;
};

// Delimiter, position and creation of a replacement's field.
struct FieldOptions {
    std::string delimiter;
    int index = 0;
    std::string encoding;
    bool create = false;
};

struct ReplacementSource {
    std::string group, version, kind, name, ns; // literal, empty = any
    std::string field_path;                     // default metadata.name
    std::optional<FieldOptions> options;
};

struct ReplacementTarget {
    std::optional<Selector> select; // required; its absence is the transform's error
    std::vector<Selector> reject;
    std::vector<std::string> field_paths;
    std::optional<FieldOptions> options;
};

struct Replacement {
    std::optional<ReplacementSource> source;
    std::optional<std::string> source_value;
    std::vector<ReplacementTarget> targets;
    Where where;
};

// One entry of `replacements`: inline, or a file that holds one or a list of them.
struct ReplacementEntry {
    std::string path; // "" when inline
    Replacement replacement;
    Where where;
};

// `subjects` of RoleBindings and ClusterRoleBindings that `namespace` changes.
enum class RoleBindingSubjects : std::uint8_t { default_only, none, all_service_accounts };

struct NamespaceOptions {
    std::string ns;
    FieldSpecs field_specs;
    bool unset_only = false;
    RoleBindingSubjects subjects = RoleBindingSubjects::default_only;
};

struct GeneratorOptions {
    StringMap labels, annotations;
    bool disable_name_suffix_hash = false;
    bool immutable = false;
};

// One entry of configMapGenerator or secretGenerator.
struct GeneratorArgs {
    std::string ns, name, behavior;
    std::vector<std::string> literals, files, envs;
    std::string env; // deprecated: moved to the end of `envs` when a kustomization is read
    std::optional<GeneratorOptions> options;
    std::string type; // secrets only
    Where where;
};

enum class SortOrder : std::uint8_t { unspecified, fifo, legacy, invalid };

struct LegacySortOptions {
    std::vector<std::string> order_first, order_last;
};

struct SortOptions {
    SortOrder order = SortOrder::unspecified;
    std::string order_text; // as written
    std::optional<LegacySortOptions> legacy;
    Where where = {};
};

// One entry of helmCharts: what `helm template` is asked.
struct HelmChart {
    std::string name, version, repo, release_name, ns, values_file, values_merge, kube_version, name_template;
    std::vector<std::string> additional_values_files, api_versions;
    Node values_inline; // a map, or null
    bool include_crds = false, skip_hooks = false, skip_tests = false, debug = false, devel = false;
    Where where;
};

struct HelmGlobals {
    std::string chart_home, config_home;
};

// A deprecated `vars` entry.
struct Var {
    std::string name;
    std::string group, version, kind, obj_name, obj_ns;
    std::string field_path = "metadata.name";
    Where where;
};

} // namespace weber::kustomize
