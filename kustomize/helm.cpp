#include "kustomize/helm.h"

#include <algorithm>
#include <cctype>

#include "kube/base/yaml.h"
#include "kustomize/path.h"
#include "kustomize/plugins.h"
#include "kustomize/resource_reader.h"
#include "kustomize/transform/strategic_merge.h"

namespace weber::kustomize {
namespace {

using Objects = std::vector<std::unique_ptr<Resource>>;

// The first "3.14.2" or "v3.14.2" in a text: its major version; "" when there is none.
std::string_view major_version(std::string_view text) {
    const auto digit = [&](std::size_t i) { return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0; };
    for (std::size_t begin = 0; begin < text.size(); ++begin) {
        std::size_t end = begin;
        while (digit(end)) ++end;
        if (end > begin && end < text.size() && text[end] == '.' && digit(end + 1)) return text.substr(begin, end - begin);
        begin = std::max(begin, end);
    }
    return {};
}

// What comes before the first document separator: helm may say something there.
std::string_view without_preamble(std::string_view text) {
    if (text.starts_with("---")) return text;
    const std::size_t separator = text.find("\n---");
    return separator == std::string_view::npos ? text : text.substr(separator + 1);
}

// A merge keeps the quotes of the value it replaces; in values a number stays a number all the same.
void drop_quotes(Node& values) {
    if (values.is_map()) {
        for (Node::Entry& e : values.entries_mut()) drop_quotes(e.value);
    } else if (values.is_list()) {
        for (Node& item : values.items_mut()) drop_quotes(item);
    } else if (values.is_string()) {
        values.set_style(NodeStyle::plain);
    }
}

class Inflation {
public:
    Inflation(HelmChart chart, const HelmGlobals& globals, const PluginContext& context, HelmRunner& runner)
        : chart_(std::move(chart)), globals_(globals), loader_(context.loader), runner_(runner) {}

    Result<Objects> run() {
        TRY_VOID(check());
        TRY(directory_, runner_.make_directory());
        if (globals_.config_home.empty()) globals_.config_home = join_path(directory_, "helm");
        TRY_VOID(check_version());
        TRY_VOID(pull_if_missing());
        TRY_VOID(write_values());
        TRY(const std::string output, helm(template_arguments(chart_, chart_home_)));
        return read(output);
    }

private:
    // Defaults and checks (kustomize: validateArgs).
    Result<void> check() {
        if (chart_.name.empty()) return fail(ErrorCode::invalid, "chart name cannot be empty", chart_.where);
        if (chart_.kube_version.empty()) chart_.kube_version = runner_.kube_version;
        if (chart_.api_versions.empty()) chart_.api_versions = runner_.api_versions;
        if (runner_.debug) chart_.debug = true;
        const std::string home = globals_.chart_home.empty() ? "charts" : globals_.chart_home;
        chart_home_ = is_absolute(home) ? home : join_path(loader_.root(), home);
        if (!chart_.version.empty() && !chart_.repo.empty()) chart_home_ = join_path(chart_home_, chart_.name + "-" + chart_.version);
        if (chart_.values_file.empty()) chart_.values_file = join_path(join_path(chart_home_, chart_.name), "values.yaml");
        for (std::string& file : chart_.additional_values_files) {
            if (auto loaded = loader_.load(file); !loaded) return fail(std::move(loaded.error()).with_prefix("could not load additionalValuesFile: "));
            file = join_path(loader_.root(), file);
        }
        if (chart_.values_merge.empty()) chart_.values_merge = "override";
        for (std::string_view known : {"merge", "override", "replace"})
            if (chart_.values_merge == known) return {};
        return fail(ErrorCode::invalid, "valuesMerge must be one of [merge override replace]", chart_.where);
    }

    Result<std::string> helm(const std::vector<std::string>& arguments) {
        return runner_.run(arguments, {"HELM_CONFIG_HOME=" + globals_.config_home, "HELM_CACHE_HOME=" + globals_.config_home + "/.cache",
                                       "HELM_DATA_HOME=" + globals_.config_home + "/.data"});
    }

    Result<void> check_version() {
        TRY(const std::string output, helm({"version", "--short"}));
        const std::string_view major = major_version(output);
        if (major.empty()) return fail(ErrorCode::invalid, "cannot find version string in " + output, chart_.where);
        if (major == "3" || major == "4") return {};
        return fail(ErrorCode::unsupported, "this plugin requires helm V3 or V4 but got v" + std::string(major), chart_.where);
    }

    Result<void> pull_if_missing() {
        const std::string place = join_path(chart_home_, chart_.name);
        if (loader_.files().is_dir(place)) return {};
        if (chart_.repo.empty()) return fail(ErrorCode::not_found, "no repo specified for pull, no chart found at '" + place + "'", chart_.where);
        std::vector<std::string> arguments = {"pull", "--untar", "--untardir", chart_home_};
        if (chart_.repo.starts_with("oci://")) {
            std::string_view repo = chart_.repo;
            if (repo.ends_with('/')) repo.remove_suffix(1);
            arguments.push_back(std::string(repo) + "/" + chart_.name);
        } else {
            arguments.insert(arguments.end(), {"--repo", chart_.repo, chart_.name});
        }
        if (!chart_.version.empty()) arguments.insert(arguments.end(), {"--version", chart_.version});
        if (chart_.devel) arguments.emplace_back("--devel");
        TRY(const std::string ignored, helm(arguments));
        return {};
    }

    // Values in a file of our own: the chart's, or the inline ones, or both merged.
    Result<void> write_values() {
        std::string text;
        if (chart_.values_inline.is_map() && !chart_.values_inline.empty()) {
            Node values = chart_.values_inline;
            if (chart_.values_merge != "replace") {
                TRY(const Documents documents, loader_.load_documents(chart_.values_file));
                Node theirs = documents->empty() ? Node::map() : documents->front();
                const bool inline_wins = chart_.values_merge == "override";
                Node under = inline_wins ? theirs : values, over = inline_wins ? values : theirs;
                if (under.is_null()) under = Node::map();
                drop_quotes(under);
                TRY_VOID(strategic_merge(under, std::move(over), MergeSchema::builtin()));
                values = std::move(under);
            }
            text = kube::write_yaml(values);
        } else {
            TRY(const auto loaded, loader_.load(chart_.values_file));
            text = *loaded;
        }
        chart_.values_file = join_path(directory_, chart_.name + "-kustomize-values.yaml");
        return runner_.write_file(chart_.values_file, text);
    }

    Result<Objects> read(std::string_view output) const {
        const std::string name = "output of helm for chart " + chart_.name;
        auto documents = kube::read_yaml(output, {.file = name});
        auto set = documents ? resources_of(std::move(*documents)) : Result<ResourceSet>(fail(std::move(documents.error())));
        if (!set) {
            TRY(documents, kube::read_yaml(without_preamble(output), {.file = name}));
            TRY(set, resources_of(std::move(*documents)));
        }
        Objects objects = set->take();
        for (auto& object : objects) {
            object->helm_generated = true;
            object->had_build_annotations = true;
        }
        return objects;
    }

    HelmChart chart_;
    HelmGlobals globals_;
    const Loader& loader_;
    HelmRunner& runner_;
    std::string chart_home_, directory_;
};

} // namespace

std::vector<std::string> template_arguments(const HelmChart& chart, std::string_view chart_home) {
    std::vector<std::string> arguments = {"template", chart.release_name.empty() ? "--generate-name" : chart.release_name};
    const auto option = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) arguments.insert(arguments.end(), {std::string(name), value});
    };
    const auto flag = [&](std::string_view name, bool set) {
        if (set) arguments.emplace_back(name);
    };
    if (!chart.name.empty()) arguments.push_back(join_path(chart_home, chart.name));
    option("--namespace", chart.ns);
    option("--name-template", chart.name_template);
    option("-f", chart.values_file);
    for (const std::string& file : chart.additional_values_files) option("-f", file);
    for (const std::string& version : chart.api_versions) option("--api-versions", version);
    option("--kube-version", chart.kube_version);
    flag("--include-crds", chart.include_crds);
    flag("--skip-tests", chart.skip_tests);
    flag("--no-hooks", chart.skip_hooks);
    flag("--debug", chart.debug);
    flag("--devel", chart.devel);
    return arguments;
}

Result<Objects> inflate_chart(HelmChart chart, const HelmGlobals& globals, const PluginContext& context) {
    const Where where = chart.where;
    if (context.helm == nullptr) {
        return fail(Error{.code = ErrorCode::unsupported, .message = "helmCharts are not inflated by this build: must specify --enable-helm", .where = where,
                          .hint = "`weber kustomize --enable-helm` inflates charts; for a Kustomization render the chart to plain manifests, or use a HelmRelease"});
    }
    auto made = Inflation(std::move(chart), globals, context, *context.helm).run();
    if (!made) return fail(std::move(made.error()).at(where));
    return made;
}

} // namespace weber::kustomize
