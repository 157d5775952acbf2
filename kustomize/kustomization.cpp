#include "kustomize/kustomization.h"

#include <algorithm>

#include "kustomize/decode.h"

namespace weber::kustomize {
namespace {

// What is read before deprecated fields are moved.
struct RawKustomization : Kustomization {
    std::vector<ListEntry> bases;
    std::vector<Image> image_tags;
    std::vector<HelmChart> old_charts;
    HelmGlobals old_globals;
};

using Raw = RawKustomization;

template <auto Member>
Result<void> text_field(const Decoder& d, const Node& node, Raw& out) {
    return d.text(node, out.*Member);
}

template <auto Member>
Result<void> map_field(const Decoder& d, const Node& node, Raw& out) {
    return d.text_map(node, out.*Member);
}

template <auto Member>
Result<void> entries_field(const Decoder& d, const Node& node, Raw& out) {
    return decode_list(node, out.*Member, [&](const Node& item, ListEntry& entry) {
        entry.where = item.where();
        entry.text_line = text_begins(item);
        return d.text(item, entry.text);
    });
}

template <auto Member>
Result<void> structs_field(const Decoder& d, const Node& node, Raw& out) {
    return decode_list(node, out.*Member, [&](const Node& item, auto& value) { return decode(d, item, value); });
}

template <auto Member>
Result<void> optional_field(const Decoder& d, const Node& node, Raw& out) {
    return decode(d, node, (out.*Member).emplace());
}

// An entry of the deprecated helmChartInflationGenerator.
Result<void> decode_old_chart(const Decoder& d, const Node& node, HelmChart& chart, HelmGlobals& globals) {
    struct Old {
        HelmChart chart;
        std::string chart_home, helm_home, unused;
    };
    static constexpr Field<Old> kFields[] = {
        {"chartName", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.chart.name); }},
        {"chartVersion", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.chart.version); }},
        {"chartRepoUrl", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.chart.repo); }},
        {"chartHome", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.chart_home); }},
        {"chartRepoName", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.unused); }},
        {"helmBin", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.unused); }},
        {"helmHome", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.helm_home); }},
        {"values", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.chart.values_file); }},
        {"valuesLocal", [](const Decoder&, const Node& n, Old& o) -> Result<void> { o.chart.values_inline = n; return {}; }},
        {"valuesMerge", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.chart.values_merge); }},
        {"releaseName", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.chart.release_name); }},
        {"releaseNamespace", [](const Decoder& d, const Node& n, Old& o) { return d.text(n, o.unused); }},
        {"extraArgs", [](const Decoder&, const Node&, Old&) -> Result<void> { return {}; }},
    };
    Old old;
    TRY_VOID(decode_map<Old>(d, node, kFields, old));
    chart = std::move(old.chart);
    chart.where = node.where();
    if (!old.chart_home.empty()) globals.chart_home = old.chart_home; // the last one wins
    if (!old.helm_home.empty()) globals.config_home = old.helm_home;
    return {};
}

Result<void> old_charts_field(const Decoder& d, const Node& node, Raw& out) {
    return decode_list(node, out.old_charts, [&](const Node& item, HelmChart& chart) { return decode_old_chart(d, item, chart, out.old_globals); });
}

// Of no effect, but nothing else may stand there.
struct ObjectMeta {
    std::string name, ns;
    StringMap labels, annotations;
};
constexpr Field<ObjectMeta> kMetaFields[] = {
    {"name", [](const Decoder& d, const Node& n, ObjectMeta& o) { return d.text(n, o.name); }},
    {"namespace", [](const Decoder& d, const Node& n, ObjectMeta& o) { return d.text(n, o.ns); }},
    {"labels", [](const Decoder& d, const Node& n, ObjectMeta& o) { return d.text_map(n, o.labels); }},
    {"annotations", [](const Decoder& d, const Node& n, ObjectMeta& o) { return d.text_map(n, o.annotations); }},
};
Result<void> metadata(const Decoder& d, const Node& node, Raw&) {
    ObjectMeta meta;
    return decode_map<ObjectMeta>(d, node, kMetaFields, meta);
}

constexpr Field<Raw> kFields[] = {
    {"apiVersion", text_field<&Raw::api_version>},
    {"kind", text_field<&Raw::kind>},
    {"metadata", metadata},
    {"resources", entries_field<&Raw::resources>},
    {"bases", entries_field<&Raw::bases>},
    {"components", entries_field<&Raw::components>},
    {"crds", entries_field<&Raw::crds>},
    {"configurations", entries_field<&Raw::configurations>},
    {"generators", entries_field<&Raw::generators>},
    {"transformers", entries_field<&Raw::transformers>},
    {"validators", entries_field<&Raw::validators>},
    {"openapi", map_field<&Raw::openapi>},
    {"namePrefix", text_field<&Raw::name_prefix>},
    {"nameSuffix", text_field<&Raw::name_suffix>},
    {"namespace", text_field<&Raw::ns>},
    {"commonLabels", map_field<&Raw::common_labels>},
    {"commonAnnotations", map_field<&Raw::common_annotations>},
    {"labels", structs_field<&Raw::labels>},
    {"patchesStrategicMerge", entries_field<&Raw::patches_strategic_merge>},
    {"patchesJson6902", structs_field<&Raw::patches_json6902>},
    {"patches", structs_field<&Raw::patches>},
    {"images", structs_field<&Raw::images>},
    {"imageTags", structs_field<&Raw::image_tags>},
    {"replacements", structs_field<&Raw::replacements>},
    {"replicas", structs_field<&Raw::replicas>},
    {"vars", structs_field<&Raw::vars>},
    {"sortOptions", optional_field<&Raw::sort_options>},
    {"configMapGenerator", structs_field<&Raw::config_map_generator>},
    {"secretGenerator", structs_field<&Raw::secret_generator>},
    {"generatorOptions", optional_field<&Raw::generator_options>},
    {"helmGlobals", [](const Decoder& d, const Node& n, Raw& o) { return decode(d, n, o.helm_globals); }},
    {"helmCharts", structs_field<&Raw::helm_charts>},
    {"helmChartInflationGenerator", old_charts_field},
    {"buildMetadata", [](const Decoder& d, const Node& n, Raw& o) { return d.texts(n, o.build_metadata); }},
};

// Does the document say anything besides its type? An empty list does, an empty string does not (as in Go).
bool has_content(const Node& document) {
    return std::ranges::any_of(document.entries(), [](const Node::Entry& e) {
        if (kube::same_but_case(e.key, "kind") || kube::same_but_case(e.key, "apiVersion") || e.value.is_null()) return false;
        return !(e.value.is_string() && e.value.text().empty());
    });
}

void add_warnings(const Node& document, Kustomization& k) {
    constexpr std::string_view kFix = " Run 'kustomize edit fix' to update your Kustomization automatically.";
    const auto warn = [&](std::string_view field, std::string_view successor, std::string_view mark = "") {
        const Node* value = document.find(field);
        if (!value || value->is_null()) return;
        std::string text = "# Warning: '" + std::string(field) + "' is deprecated. Please use '" + std::string(successor) + "' instead.";
        if (!mark.empty()) text.append(" ").append(mark);
        k.warnings.push_back(text.append(kFix));
    };
    warn("bases", "resources");
    warn("commonLabels", "labels");
    warn("imageTags", "images");
    warn("patchesJson6902", "patches");
    warn("patchesStrategicMerge", "patches");
    warn("vars", "replacements", "[EXPERIMENTAL]");
}

template <class T>
void append_all(std::vector<T>& to, std::vector<T>&& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

void move_deprecated_fields(Raw& raw) {
    if (raw.kind.empty()) raw.kind = "Kustomization";
    if (raw.api_version.empty()) raw.api_version = raw.kind == "Component" ? "kustomize.config.k8s.io/v1alpha1" : "kustomize.config.k8s.io/v1beta1";
    append_all(raw.resources, std::move(raw.bases));
    append_all(raw.images, std::move(raw.image_tags));
    append_all(raw.helm_charts, std::move(raw.old_charts));
    if (!raw.old_globals.chart_home.empty()) raw.helm_globals.chart_home = raw.old_globals.chart_home;
    if (!raw.old_globals.config_home.empty()) raw.helm_globals.config_home = raw.old_globals.config_home;
    for (auto* generators : {&raw.config_map_generator, &raw.secret_generator}) {
        for (GeneratorArgs& g : *generators) {
            if (!g.env.empty()) g.envs.push_back(std::exchange(g.env, {}));
        }
    }
}

Result<void> check_type(const Kustomization& k, std::string_view directory) {
    std::string problem;
    if (k.kind != "Kustomization" && k.kind != "Component") problem = "kind should be Kustomization or Component";
    std::string_view wanted = k.kind == "Component" ? "kustomize.config.k8s.io/v1alpha1" : "kustomize.config.k8s.io/v1beta1";
    if (k.api_version != wanted) {
        if (!problem.empty()) problem += "\n";
        problem += "apiVersion for " + k.kind + " should be " + std::string(wanted);
    }
    if (problem.empty()) return {};
    return fail(ErrorCode::invalid, "Failed to read kustomization file under " + std::string(directory) + ":\n" + problem, k.where);
}

} // namespace

Result<Kustomization> read_kustomization(const Node& document, std::string_view directory, Reading reading) {
    Raw raw;
    raw.where = document.where();
    raw.document = document;
    if (auto result = decode_map<Raw>(Decoder{.strict = reading == Reading::strict, .lax = reading == Reading::lenient}, document, kFields, raw); !result)
        return fail(std::move(result.error()).with_prefix("invalid Kustomization: "));
    add_warnings(document, raw);
    move_deprecated_fields(raw);
    if (!has_content(document)) return fail(ErrorCode::invalid, "kustomization.yaml is empty", raw.where);
    TRY_VOID(check_type(raw, directory));
    return static_cast<Kustomization&&>(raw);
}

} // namespace weber::kustomize
