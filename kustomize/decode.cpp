#include "kustomize/decode.h"

#include <algorithm>

namespace weber::kustomize {
namespace {

// Edits needed to turn a into b, up to a small bound: for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t above = row[j];
            std::size_t change = diagonal + (kube::ascii_lower(a[i - 1]) == kube::ascii_lower(b[j - 1]) ? 0 : 1);
            row[j] = std::min({above + 1, row[j - 1] + 1, change});
            diagonal = above;
        }
    }
    return row[b.size()];
}

// ---- members by their type --------------------------------------------------------------------------------------

template <auto Member, class T>
Result<void> text_field(const Decoder& d, const Node& node, T& out) {
    return d.text(node, out.*Member);
}
template <auto Member, class T>
Result<void> bool_field(const Decoder& d, const Node& node, T& out) {
    return d.boolean(node, out.*Member);
}
template <auto Member, class T>
Result<void> texts_field(const Decoder& d, const Node& node, T& out) {
    return d.texts(node, out.*Member);
}
template <auto Member, class T>
Result<void> map_field(const Decoder& d, const Node& node, T& out) {
    return d.text_map(node, out.*Member);
}
template <auto Member, class T>
Result<void> struct_field(const Decoder& d, const Node& node, T& out) {
    return decode(d, node, out.*Member);
}
template <auto Member, class T>
Result<void> optional_field(const Decoder& d, const Node& node, T& out) {
    return decode(d, node, (out.*Member).emplace());
}

} // namespace

std::uint32_t text_begins(const Node& node) {
    const bool block = node.style() == NodeStyle::literal || node.style() == NodeStyle::folded;
    return node.line() + (block ? 1 : 0);
}

std::unexpected<Error> wrong_type(std::string_view expected, const Node& found) {
    return fail(ErrorCode::invalid, "expected " + std::string(expected) + ", found " + std::string(found.kind_word()), found.where());
}

std::unexpected<Error> unknown_field(std::string_view name, const Node& value, std::span<const std::string_view> known) {
    Error error{.code = ErrorCode::invalid, .message = "unknown field \"" + std::string(name) + "\"", .where = value.where()};
    std::string_view best;
    std::size_t best_distance = 3;
    for (std::string_view k : known) {
        if (std::size_t n = distance(name, k); n < best_distance) {
            best = k;
            best_distance = n;
        }
    }
    error.hint = best.empty() ? "take it out: there is no such field here" : "did you mean \"" + std::string(best) + "\"?";
    return fail(std::move(error));
}

// ---- Decoder ----------------------------------------------------------------------------------------------------

Result<void> Decoder::text(const Node& node, std::string& out) const {
    if (node.is_null()) return {};
    if (!(node.is_string() || (lax && node.is_scalar()))) return wrong_type("a string", node);
    out = node.text();
    return {};
}

Result<void> Decoder::boolean(const Node& node, bool& out) const {
    if (node.is_null()) return {};
    if (!node.is_bool()) return wrong_type("true or false", node);
    out = node.as_bool();
    return {};
}

Result<void> Decoder::integer(const Node& node, std::int64_t& out) const {
    if (node.is_null()) return {};
    auto value = node.is_number() ? node.as_int() : std::nullopt;
    if (!value) return wrong_type("an integer", node);
    out = *value;
    return {};
}

Result<void> Decoder::texts(const Node& node, std::vector<std::string>& out) const {
    return decode_list(node, out, [&](const Node& item, std::string& value) { return text(item, value); });
}

Result<void> Decoder::text_map(const Node& node, StringMap& out) const {
    if (node.is_null()) return {};
    if (!node.is_map()) return wrong_type("a map", node);
    for (const Node::Entry& e : node.entries()) {
        auto result = text(e.value, out[e.key.str()]);
        if (!result) return fail(std::move(result.error()).with_prefix(e.key.str() + ": "));
    }
    return {};
}

// ---- the structs ------------------------------------------------------------------------------------------------

Result<void> decode(const Decoder& d, const Node& node, Selector& out) {
    static constexpr Field<Selector> kFields[] = {
        {"group", text_field<&Selector::group>},
        {"version", text_field<&Selector::version>},
        {"kind", text_field<&Selector::kind>},
        {"name", text_field<&Selector::name>},
        {"namespace", text_field<&Selector::ns>},
        {"annotationSelector", text_field<&Selector::annotation_selector>},
        {"labelSelector", text_field<&Selector::label_selector>},
    };
    return decode_map<Selector>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, FieldSpec& out) {
    static constexpr Field<FieldSpec> kFields[] = {
        {"group", [](const Decoder& d, const Node& n, FieldSpec& o) { return d.text(n, o.gvk.group); }},
        {"version", [](const Decoder& d, const Node& n, FieldSpec& o) { return d.text(n, o.gvk.version); }},
        {"kind", [](const Decoder& d, const Node& n, FieldSpec& o) { return d.text(n, o.gvk.kind); }},
        {"path", text_field<&FieldSpec::path>},
        {"create", bool_field<&FieldSpec::create>},
    };
    return decode_map<FieldSpec>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, FieldSpecs& out) {
    return decode_list(node, out, [&](const Node& item, FieldSpec& value) { return decode(d, item, value); });
}

Result<void> decode(const Decoder& d, const Node& node, PatchOptions& out) {
    static constexpr Field<PatchOptions> kFields[] = {
        {"allowNameChange", bool_field<&PatchOptions::allow_name_change>},
        {"allowKindChange", bool_field<&PatchOptions::allow_kind_change>},
    };
    return decode_map<PatchOptions>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, Patch& out) {
    static constexpr Field<Patch> kFields[] = {
        {"path", text_field<&Patch::path>},
        {"patch",
         [](const Decoder& d, const Node& n, Patch& o) {
             o.inline_line = text_begins(n);
             return d.text(n, o.inline_text);
         }},
        {"target", optional_field<&Patch::target>},
        {"options", optional_field<&Patch::options>},
    };
    out.where = node.where();
    return decode_map<Patch>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, Image& out) {
    static constexpr Field<Image> kFields[] = {
        {"name", text_field<&Image::name>},           {"newName", text_field<&Image::new_name>},
        {"tagSuffix", text_field<&Image::tag_suffix>}, {"newTag", text_field<&Image::new_tag>},
        {"digest", text_field<&Image::digest>},
    };
    return decode_map<Image>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, Replica& out) {
    static constexpr Field<Replica> kFields[] = {
        {"name", text_field<&Replica::name>},
        {"count", [](const Decoder& d, const Node& n, Replica& o) { return d.integer(n, o.count); }},
    };
    out.where = node.where();
    return decode_map<Replica>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, Label& out) {
    static constexpr Field<Label> kFields[] = {
        {"pairs", map_field<&Label::pairs>},
        {"includeSelectors", bool_field<&Label::include_selectors>},
        {"includeTemplates", bool_field<&Label::include_templates>},
        {"includeVolumeClaimTemplates", bool_field<&Label::include_volume_claim_templates>},
        {"fields", struct_field<&Label::fields>},
    };
    return decode_map<Label>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, FieldOptions& out) {
    static constexpr Field<FieldOptions> kFields[] = {
        {"delimiter", text_field<&FieldOptions::delimiter>},
        {"index",
         [](const Decoder& d, const Node& n, FieldOptions& o) -> Result<void> {
             std::int64_t index = 0;
             TRY_VOID(d.integer(n, index));
             o.index = static_cast<int>(std::clamp<std::int64_t>(index, INT32_MIN, INT32_MAX));
             return {};
         }},
        {"encoding", text_field<&FieldOptions::encoding>},
        {"create", bool_field<&FieldOptions::create>},
    };
    return decode_map<FieldOptions>(d, node, kFields, out);
}

static Result<void> decode(const Decoder& d, const Node& node, ReplacementSource& out) {
    static constexpr Field<ReplacementSource> kFields[] = {
        {"group", text_field<&ReplacementSource::group>},
        {"version", text_field<&ReplacementSource::version>},
        {"kind", text_field<&ReplacementSource::kind>},
        {"name", text_field<&ReplacementSource::name>},
        {"namespace", text_field<&ReplacementSource::ns>},
        {"fieldPath", text_field<&ReplacementSource::field_path>},
        {"options", optional_field<&ReplacementSource::options>},
    };
    return decode_map<ReplacementSource>(d, node, kFields, out);
}

static Result<void> decode(const Decoder& d, const Node& node, ReplacementTarget& out) {
    static constexpr Field<ReplacementTarget> kFields[] = {
        {"select", optional_field<&ReplacementTarget::select>},
        {"reject",
         [](const Decoder& d, const Node& n, ReplacementTarget& o) {
             return decode_list(n, o.reject, [&](const Node& item, Selector& s) { return decode(d, item, s); });
         }},
        {"fieldPaths", texts_field<&ReplacementTarget::field_paths>},
        {"options", optional_field<&ReplacementTarget::options>},
    };
    return decode_map<ReplacementTarget>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, ReplacementEntry& out) {
    static constexpr Field<ReplacementEntry> kFields[] = {
        {"path", text_field<&ReplacementEntry::path>},
        {"source", [](const Decoder& d, const Node& n, ReplacementEntry& o) { return decode(d, n, o.replacement.source.emplace()); }},
        {"sourceValue", [](const Decoder& d, const Node& n, ReplacementEntry& o) { return d.text(n, o.replacement.source_value.emplace()); }},
        {"targets",
         [](const Decoder& d, const Node& n, ReplacementEntry& o) {
             return decode_list(n, o.replacement.targets, [&](const Node& item, ReplacementTarget& t) { return decode(d, item, t); });
         }},
    };
    out.where = out.replacement.where = node.where();
    return decode_map<ReplacementEntry>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, GeneratorOptions& out) {
    static constexpr Field<GeneratorOptions> kFields[] = {
        {"labels", map_field<&GeneratorOptions::labels>},
        {"annotations", map_field<&GeneratorOptions::annotations>},
        {"disableNameSuffixHash", bool_field<&GeneratorOptions::disable_name_suffix_hash>},
        {"immutable", bool_field<&GeneratorOptions::immutable>},
    };
    return decode_map<GeneratorOptions>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, GeneratorArgs& out) {
    static constexpr Field<GeneratorArgs> kFields[] = {
        {"namespace", text_field<&GeneratorArgs::ns>},
        {"name", text_field<&GeneratorArgs::name>},
        {"behavior", text_field<&GeneratorArgs::behavior>},
        {"literals", texts_field<&GeneratorArgs::literals>},
        {"files", texts_field<&GeneratorArgs::files>},
        {"envs", texts_field<&GeneratorArgs::envs>},
        {"env", text_field<&GeneratorArgs::env>},
        {"options", optional_field<&GeneratorArgs::options>},
        {"type", text_field<&GeneratorArgs::type>},
    };
    out.where = node.where();
    return decode_map<GeneratorArgs>(d, node, kFields, out);
}

static Result<void> decode(const Decoder& d, const Node& node, LegacySortOptions& out) {
    static constexpr Field<LegacySortOptions> kFields[] = {
        {"orderFirst", texts_field<&LegacySortOptions::order_first>},
        {"orderLast", texts_field<&LegacySortOptions::order_last>},
    };
    return decode_map<LegacySortOptions>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, SortOptions& out) {
    static constexpr Field<SortOptions> kFields[] = {
        {"order",
         [](const Decoder& d, const Node& n, SortOptions& o) -> Result<void> {
             TRY_VOID(d.text(n, o.order_text));
             o.order = o.order_text == "fifo"     ? SortOrder::fifo
                       : o.order_text == "legacy" ? SortOrder::legacy
                       : o.order_text.empty()     ? SortOrder::unspecified
                                                  : SortOrder::invalid;
             return {};
         }},
        {"legacySortOptions", optional_field<&SortOptions::legacy>},
    };
    out.where = node.where();
    return decode_map<SortOptions>(d, node, kFields, out);
}

namespace {

// `objref` of a var: apiVersion, or group and version.
struct VarTarget {
    std::string api_version, group, version, kind, name, ns;
};

} // namespace

static Result<void> decode(const Decoder& d, const Node& node, VarTarget& out) {
    static constexpr Field<VarTarget> kFields[] = {
        {"apiVersion", text_field<&VarTarget::api_version>}, {"group", text_field<&VarTarget::group>},
        {"version", text_field<&VarTarget::version>},        {"kind", text_field<&VarTarget::kind>},
        {"name", text_field<&VarTarget::name>},              {"namespace", text_field<&VarTarget::ns>},
    };
    return decode_map<VarTarget>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, Var& out) {
    static constexpr Field<std::string> kFieldRef[] = {
        {"fieldPath", [](const Decoder& d, const Node& n, std::string& o) { return d.text(n, o); }},
    };
    static constexpr Field<Var> kFields[] = {
        {"name", text_field<&Var::name>},
        {"objref",
         [](const Decoder& d, const Node& n, Var& o) -> Result<void> {
             VarTarget t;
             TRY_VOID(decode(d, n, t));
             if (!t.api_version.empty()) {
                 std::size_t slash = t.api_version.find('/');
                 t.version = slash == std::string::npos ? t.api_version : t.api_version.substr(slash + 1);
                 if (slash != std::string::npos) t.group = t.api_version.substr(0, slash);
             }
             o.group = t.group, o.version = t.version, o.kind = t.kind, o.obj_name = t.name, o.obj_ns = t.ns;
             return {};
         }},
        {"fieldref",
         [](const Decoder& d, const Node& n, Var& o) -> Result<void> {
             std::string path;
             TRY_VOID(decode_map<std::string>(d, n, kFieldRef, path));
             if (!path.empty()) o.field_path = path;
             return {};
         }},
    };
    out.where = node.where();
    return decode_map<Var>(d, node, kFields, out);
}

static Result<void> decode(const Decoder& d, const Node& node, NameBackReference& out) {
    static constexpr Field<NameBackReference> kFields[] = {
        {"group", [](const Decoder& d, const Node& n, NameBackReference& o) { return d.text(n, o.gvk.group); }},
        {"version", [](const Decoder& d, const Node& n, NameBackReference& o) { return d.text(n, o.gvk.version); }},
        {"kind", [](const Decoder& d, const Node& n, NameBackReference& o) { return d.text(n, o.gvk.kind); }},
        {"fieldSpecs", struct_field<&NameBackReference::referrers>},
    };
    return decode_map<NameBackReference>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, TransformerConfig& out) {
    static constexpr Field<TransformerConfig> kFields[] = {
        {"namePrefix", struct_field<&TransformerConfig::name_prefix>},
        {"nameSuffix", struct_field<&TransformerConfig::name_suffix>},
        {"namespace", struct_field<&TransformerConfig::name_space>},
        {"commonLabels", struct_field<&TransformerConfig::common_labels>},
        {"labels", struct_field<&TransformerConfig::labels>},
        {"templateLabels", struct_field<&TransformerConfig::template_labels>},
        {"volumeClaimTemplateLabels", struct_field<&TransformerConfig::volume_claim_template_labels>},
        {"commonAnnotations", struct_field<&TransformerConfig::common_annotations>},
        {"nameReference",
         [](const Decoder& d, const Node& n, TransformerConfig& o) {
             return decode_list(n, o.name_reference, [&](const Node& item, NameBackReference& b) { return decode(d, item, b); });
         }},
        {"varReference", struct_field<&TransformerConfig::var_reference>},
        {"images", struct_field<&TransformerConfig::images>},
        {"replicas", struct_field<&TransformerConfig::replicas>},
    };
    return decode_map<TransformerConfig>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, HelmChart& out) {
    static constexpr Field<HelmChart> kFields[] = {
        {"name", text_field<&HelmChart::name>},
        {"version", text_field<&HelmChart::version>},
        {"repo", text_field<&HelmChart::repo>},
        {"releaseName", text_field<&HelmChart::release_name>},
        {"namespace", text_field<&HelmChart::ns>},
        {"additionalValuesFiles", texts_field<&HelmChart::additional_values_files>},
        {"valuesFile", text_field<&HelmChart::values_file>},
        {"valuesInline", [](const Decoder&, const Node& n, HelmChart& o) -> Result<void> {
             if (!n.is_map()) return wrong_type("a map", n);
             o.values_inline = n;
             return {};
         }},
        {"valuesMerge", text_field<&HelmChart::values_merge>},
        {"includeCRDs", bool_field<&HelmChart::include_crds>},
        {"skipHooks", bool_field<&HelmChart::skip_hooks>},
        {"apiVersions", texts_field<&HelmChart::api_versions>},
        {"kubeVersion", text_field<&HelmChart::kube_version>},
        {"nameTemplate", text_field<&HelmChart::name_template>},
        {"skipTests", bool_field<&HelmChart::skip_tests>},
        {"debug", bool_field<&HelmChart::debug>},
        {"devel", bool_field<&HelmChart::devel>},
    };
    out.where = node.where();
    return decode_map<HelmChart>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, HelmGlobals& out) {
    static constexpr Field<HelmGlobals> kFields[] = {
        {"chartHome", text_field<&HelmGlobals::chart_home>},
        {"configHome", text_field<&HelmGlobals::config_home>},
    };
    return decode_map<HelmGlobals>(d, node, kFields, out);
}

} // namespace weber::kustomize
