#include "kustomize/accumulate.h"

#include <algorithm>

#include "kube/base/yaml.h"
#include "kustomize/generators.h"
#include "kustomize/path.h"
#include "kustomize/plugins.h"
#include "kustomize/resource_reader.h"
#include "kustomize/transform/vars.h"

namespace weber::kustomize {
namespace {

constexpr std::size_t kMaxDepth = 200; // bases of bases of bases…

std::string quoted(std::string_view s) { return "'" + std::string(s) + "'"; }

// Go's %q of an error: kustomize prints errors inside components so.
std::string go_quoted(std::string_view s) {
    std::string out = "\"";
    for (char c : s) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') out += "\\n";
        else out += c;
    }
    return out + "\"";
}

std::unexpected<Error> in_quotes(Error error, std::string_view prefix) {
    error.message = std::string(prefix) + go_quoted(error.message);
    return fail(std::move(error));
}

// The kustomization file of a directory: exactly one of the three names.
Result<std::string> find_kustomization_file(const Loader& loader) {
    std::string found;
    for (std::string_view name : {"kustomization.yaml", "kustomization.yml", "Kustomization"}) {
        if (!loader.files().is_file(join_path(loader.root(), name)) || !loader.locate(name)) continue;
        if (!found.empty())
            return fail(Error{.code = ErrorCode::invalid,
                              .message = "Found multiple kustomization files under: " + loader.display(loader.root()),
                              .where = {loader.display(join_path(loader.root(), name)), 0, 0},
                              .hint = "keep one of " + found + " and " + std::string(name)});
        found = name;
    }
    if (found.empty())
        return fail(Error{.code = ErrorCode::not_found,
                          .message = "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory " + quoted(loader.display(loader.root())),
                          .hint = "add a kustomization.yaml that lists the directory's manifests"});
    return found;
}

Result<std::shared_ptr<const Kustomization>> read_from_directory(Session& session, const Loader& loader) {
    TRY(std::string name, find_kustomization_file(loader));
    TRY(std::string place, loader.locate(name));
    auto& slot = session.kustomizations[loader.display(place)];
    if (slot) return slot;
    auto documents = loader.load_documents(name, YamlKind::kustomization);
    if (!documents) return fail(std::move(documents.error()).with_prefix("invalid Kustomization: "));
    const Node document = (*documents)->empty() ? Node() : (*documents)->front(); // kustomize reads the first one only
    auto read = read_kustomization(document, loader.root());
    if (!read) return fail(std::move(read.error()).at({loader.display(place), 0, 0}));
    read->file = name;
    session.warnings.insert(session.warnings.end(), read->warnings.begin(), read->warnings.end());
    slot = std::make_shared<const Kustomization>(std::move(*read));
    return slot;
}

// Keeps the recursion's depth right on every way out.
class DepthGuard {
public:
    explicit DepthGuard(std::size_t& depth) : depth_(depth) { ++depth_; }
    DepthGuard(const DepthGuard&) = delete;
    DepthGuard& operator=(const DepthGuard&) = delete;
    ~DepthGuard() { --depth_; }

private:
    std::size_t& depth_;
};

Where own_line(std::string_view, const Node*, const Node& now) { return now.where(); }

// Where what a step changed was written.
Explanation::Locate written_by(const Step& step) {
    return [&step](std::string_view, const Node*, const Node& now) -> Where {
        return step.own_lines && now.line() != 0 ? now.where() : step.where;
    };
}

} // namespace

Result<SharedConfig> ConfigMerges::merged(const SharedConfig& a, const SharedConfig& b) {
    auto& slot = known_[{a, b}];
    if (slot || (!a && !b)) return slot;
    TRY(SharedConfig made, merge_configs(a, b));
    for (const SharedConfig* given : {&a, &b})
        if (*given && made != *given && *made == **given) made = *given;
    slot = std::move(made);
    return slot;
}

Result<Target> Target::load(Session& session, Loader loader, Origin origin, const Node* document) {
    std::shared_ptr<const Kustomization> kustomization;
    if (document) {
        TRY(Kustomization read, read_kustomization(*document, loader.root(), Reading::lenient));
        read.file = "kustomization.yaml";
        session.warnings.insert(session.warnings.end(), read.warnings.begin(), read.warnings.end());
        kustomization = std::make_shared<const Kustomization>(std::move(read));
    } else {
        TRY(kustomization, read_from_directory(session, loader));
    }
    return Target(session, std::move(loader), std::move(origin), std::move(kustomization));
}

// `openapi`: the first kustomization that names a schema, from the root down, decides for the whole build. It takes the place of the
// built-in one, unless that was needed before: by a merge, or to learn whether some kind has a namespace (kyaml openapi.go: initSchema).
Result<void> Target::use_schema() const {
    const StringMap& openapi = kustomization_->openapi;
    if (openapi.empty() || session_->schema || session_->schema_version_set) return {};
    const Node* field = kustomization_->document.find("openapi");
    const Where where = field != nullptr ? field->where() : kustomization_->where;
    auto path = openapi.find("path");
    auto version = openapi.find("version");
    if (path == openapi.end()) {
        if (version == openapi.end() || version->second.empty()) return {};
        if (version->second != "v1.21.2") return fail(ErrorCode::unsupported, "the specified OpenAPI version is not built in", where);
        session_->schema_version_set = true;
        return {};
    }
    if (version != openapi.end()) return fail(ErrorCode::invalid, "builtin version and custom schema provided, cannot use both", where);
    auto documents = loader_.load_documents(path->second, YamlKind::kustomization);
    if (!documents) return fail(std::move(documents.error()).at(where));
    auto schema = MergeSchema::from_openapi((*documents)->empty() ? Node() : (*documents)->front(), session_->builtin_schema_used);
    if (!schema) return fail(std::move(schema.error()).at(where));
    session_->schema = std::make_unique<const MergeSchema>(std::move(*schema));
    return {};
}

// The order of these passes is behaviour (kustomize: KustTarget.accumulateTarget).
Result<void> Target::accumulate(Accumulator& acc) const {
    if (auto r = accumulate_resources(acc, kustomization_->resources); !r)
        return fail(std::move(r.error()).with_prefix("accumulating resources: "));
    TRY_VOID(merge_configurations(acc));
    TRY_VOID(run_generators(acc));
    if (auto r = accumulate_components(acc); !r) return fail(std::move(r.error()).with_prefix("accumulating components: "));
    TRY_VOID(run_transformers(acc));
    TRY_VOID(run_validators(acc));
    return merge_vars(acc);
}

// ---- resources --------------------------------------------------------------------------------------------------

Result<void> Target::accumulate_resources(Accumulator& acc, const std::vector<ListEntry>& entries) const {
    for (const ListEntry& entry : entries) {
        if (auto r = accumulate_entry(acc, entry); !r) return fail(std::move(r.error()).at(entry.where));
    }
    return {};
}

// kustomize tries the entry as a file, then as a directory; its messages tell of both.
Result<void> Target::accumulate_entry(Accumulator& acc, const ListEntry& entry) const {
    const std::string& path = entry.text;
    if (looks_remote(path)) return accumulate_remote(acc, path);
    if (loader_.is_dir(path)) {
        TRY(Loader below, loader_.descend(path));
        return accumulate_directory(acc, std::move(below), path, /*component=*/false);
    }
    auto as_file = accumulate_file(acc, path);
    if (as_file) return {};
    Error& error = as_file.error();
    bool is_about_content = error.where.line != 0 || error.code == ErrorCode::already_exists || error.code == ErrorCode::too_large;
    if (is_about_content) return as_file;
    auto as_directory = loader_.descend(path);
    if (as_directory) return as_file;
    error.message = "accumulation err='" + error.message + "': " + as_directory.error().message;
    return as_file;
}

// An http URL is tried as a file first; what is none, or what answers with a web page, may still be a git repository.
Result<void> Target::accumulate_remote(Accumulator& acc, const std::string& path) const {
    Result<void> as_file;
    if (is_http_url(path)) {
        as_file = accumulate_file(acc, path);
        if (as_file || loader_.context().remote == nullptr || !parse_repo_url(path)) return as_file;
        if (as_file.error().code == ErrorCode::already_exists || as_file.error().code == ErrorCode::too_large) return as_file;
    }
    auto below = loader_.descend(path);
    if (!below && !as_file) return fail(std::move(below.error()).with_prefix("accumulation err='" + as_file.error().message + "': "));
    if (!below) return fail(std::move(below.error()));
    return accumulate_directory(acc, std::move(*below), path, /*component=*/false);
}

Result<void> Target::accumulate_file(Accumulator& acc, const std::string& path) const {
    const std::string shown = is_http_url(path) ? shown_url(path) : path;
    const std::string reading = "accumulating resources from " + quoted(shown) + ": ";
    auto documents = loader_.take_documents(path);
    if (!documents) {
        bool malformed = documents.error().code == ErrorCode::invalid && !documents.error().where.file.empty();
        return fail(std::move(documents.error()).with_prefix(reading + (malformed ? "MalformedYAMLError: " : "")));
    }
    auto resources = resources_of(std::move(*documents));
    if (!resources) return fail(std::move(resources.error()).with_prefix(reading));
    if (!session_->builtin_schema_used)
        session_->builtin_schema_used = std::ranges::any_of(resources->all(), [](const auto& r) { return !r->gvk().scope_known(); });
    if (session_->tracks_origin()) {
        const Origin origin = origin_.appended(path);
        for (const auto& r : resources->all()) set_origin(*r, origin);
    }
    if (acc.resources.size() + resources->size() > session_->options.max_objects)
        return fail(ErrorCode::too_large, "the build has more than " + std::to_string(session_->options.max_objects) + " objects");
    if (session_->explanation) session_->explanation->begin(*resources, "", own_line);
    auto merged = acc.resources.append_all(std::move(*resources));
    if (!merged) return fail(std::move(merged.error()).with_prefix("merging resources from " + quoted(shown) + ": "));
    return {};
}

Result<void> Target::accumulate_directory(Accumulator& acc, Loader loader, const std::string& path, bool component) const {
    const std::string root = loader.display(loader.root());
    if (session_->depth >= kMaxDepth) return fail(ErrorCode::too_large, "bases are nested more than " + std::to_string(kMaxDepth) + " deep at " + quoted(root));
    if (++session_->directories > session_->options.max_directories)
        return fail(ErrorCode::too_large, "the build visits more than " + std::to_string(session_->options.max_directories) + " directories");
    DepthGuard guard(session_->depth);

    auto loaded = Target::load(*session_, std::move(loader), session_->tracks_origin() ? origin_.appended(path) : Origin{});
    if (!loaded) return fail(std::move(loaded.error()).with_prefix("couldn't make target for path " + quoted(root) + ": "));
    Target& target = *loaded;
    target.inherited_namespace_ = kustomization_->ns.empty() ? inherited_namespace_ : kustomization_->ns;
    const std::string& kind = target.kustomization().kind;
    if (component && kind != "Component")
        return fail(ErrorCode::invalid, "expected kind 'Component' for path " + quoted(root) + " but got " + quoted(kind));
    if (!component && kind == "Component")
        return fail(Error{.code = ErrorCode::invalid, .message = "expected kind != 'Component' for path " + quoted(root), .hint = "list it under components"});

    TRY_VOID(target.use_schema());

    const std::string recursing = "recursed accumulation of path " + quoted(root) + ": ";
    const std::string merging = "recursed merging from path " + quoted(root) + ": ";
    if (component) { // works on the resources of its parent
        if (auto r = target.accumulate(acc); !r) return fail(std::move(r.error()).with_prefix(recursing));
        if (auto r = acc.resources.check_unique(); !r) return fail(std::move(r.error()).with_prefix(merging));
        return {};
    }
    Accumulator own;
    if (auto r = target.accumulate(own); !r) return fail(std::move(r.error()).with_prefix(recursing));
    auto merge = [&]() -> Result<void> {
        TRY_VOID(acc.resources.append_all(std::move(own.resources)));
        TRY(acc.config, session_->configs.merged(acc.config, own.config));
        for (auto& [name, var] : own.vars) {
            if (!acc.vars.emplace(name, std::move(var)).second)
                return fail(ErrorCode::already_exists, "var " + quoted(name) + " already encountered", var.where);
        }
        return {};
    };
    if (auto r = merge(); !r) return fail(std::move(r.error()).with_prefix(merging));
    return {};
}

Result<void> Target::accumulate_components(Accumulator& acc) const {
    for (const ListEntry& entry : kustomization_->components) {
        auto loader = loader_.descend(entry.text);
        if (!loader) return in_quotes(std::move(loader.error()).at(entry.where), "loader.New ");
        auto r = accumulate_directory(acc, std::move(*loader), entry.text, /*component=*/true);
        if (!r) return in_quotes(std::move(r.error()).at(entry.where), "accumulateDirectory: ");
    }
    return {};
}

// ---- rules ------------------------------------------------------------------------------------------------------

Result<void> Target::merge_configurations(Accumulator& acc) const {
    const auto merge = [&](const SharedConfig& own, const std::vector<ListEntry>& files) -> Result<void> {
        auto merged = session_->configs.merged(acc.config, own);
        if (!merged)
            return fail(std::move(merged.error()).at(files.empty() ? kustomization_->where : files.front().where).advise("a base has the field with another `create`"));
        acc.config = std::move(*merged);
        return {};
    };
    TRY(auto config, load_configurations(loader_, kustomization_->configurations));
    TRY_VOID(merge(config, kustomization_->configurations));
    if (kustomization_->crds.empty()) return {};
    TRY(auto declared, load_crds(loader_, kustomization_->crds));
    return merge(declared, kustomization_->crds);
}

Result<void> Target::merge_vars(Accumulator& acc) const {
    if (auto r = mark_var_sources(acc.resources, kustomization_->vars); !r)
        return fail(std::move(r.error()).with_prefix("merging vars: "));
    for (const Var& var : kustomization_->vars) {
        if (!acc.vars.emplace(var.name, var).second)
            return fail(ErrorCode::already_exists, "merging vars: var " + quoted(var.name) + " already encountered", var.where);
    }
    return {};
}

// ---- generators, transformers, validators -----------------------------------------------------------------------

PluginContext Target::plugin_context() const {
    const MergeSchema& schema = session_->schema ? *session_->schema : MergeSchema::builtin();
    return {loader_, schema, session_->tracks_origin(), session_->explanation != nullptr, session_->options.helm};
}

// A chart without namespace goes to that of its kustomization, or of the nearest one above that has one.
HelmChart Target::chart_in_namespace(HelmChart chart) const {
    if (chart.ns.empty()) chart.ns = kustomization_->ns.empty() ? inherited_namespace_ : kustomization_->ns;
    return chart;
}

Origin Target::builtin_origin(std::string_view kind) const {
    Origin origin;
    origin.repo = origin_.repo;
    origin.ref = origin_.ref;
    origin.configured_in = join_path(origin_.path, kustomization_->file);
    origin.by_api_version = "builtin";
    origin.by_kind = kind;
    return origin;
}

void Target::explain_generated(const ResourceSet& made, std::string_view kind, const Where& where, const GeneratorArgs* args) const {
    std::map<std::string, Where, std::less<>> files; // by key of data
    for (const std::string& source : args ? args->files : std::vector<std::string>()) {
        const std::size_t equals = source.find('=');
        const std::string path = equals == std::string::npos ? source : source.substr(equals + 1);
        if (const auto place = loader_.locate(path))
            files.emplace(equals == std::string::npos ? base_of(path) : source.substr(0, equals), Where{loader_.display(*place), 1, 0});
    }
    for (const std::string& path : args ? args->envs : std::vector<std::string>()) {
        const auto text = loader_.load(path);
        const auto place = loader_.locate(path);
        if (!text || !place) continue;
        std::uint32_t line = 0;
        for (std::string_view rest = **text; !rest.empty();) {
            const std::string_view whole = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(whole.size() + 1, rest.size()));
            ++line;
            std::string_view key = whole.substr(0, whole.find('='));
            while (key.starts_with(' ')) key.remove_prefix(1);
            files.emplace(key, Where{loader_.display(*place), line, 0});
        }
    }
    session_->explanation->begin(made, kind, [&](std::string_view key, const Node*, const Node& now) {
        if (const auto it = files.find(key); it != files.end()) return it->second;
        return !args && now.line() != 0 ? now.where() : where;
    });
}

Result<void> Target::run_generators(Accumulator& acc) const {
    const Kustomization& k = *kustomization_;
    const auto absorb = [&](std::unique_ptr<Resource> resource, const Origin& origin, const Where& where, const GeneratorArgs* args = nullptr) -> Result<void> {
        const std::string name(resource->name());
        const Resource& made = *resource;
        ResourceSet one;
        one.append_unchecked(std::move(resource));
        if (session_->tracks_origin()) add_origin(one, origin);
        std::vector<Resource*> replaced;
        if (session_->explanation) {
            explain_generated(one, origin.by_kind, where, args);
            replaced = acc.resources.matching_any(made.cur_id());
        }
        auto r = acc.resources.absorb_all(std::move(one));
        if (r && replaced.size() == 1) session_->explanation->inherit(made, *replaced.front());
        if (!r) return fail(std::move(r.error()).with_prefix("merging from generator " + quoted(name) + ": ").at(where));
        return {};
    };
    for (GeneratorArgs args : k.config_map_generator) {
        args.options = merge_generator_options(std::move(args.options), k.generator_options);
        TRY(auto resource, make_config_map(loader_, args));
        TRY_VOID(absorb(std::move(resource), builtin_origin("ConfigMapGenerator"), args.where, &args));
    }
    for (GeneratorArgs args : k.secret_generator) {
        args.options = merge_generator_options(std::move(args.options), k.generator_options);
        TRY(auto resource, make_secret(loader_, args));
        TRY_VOID(absorb(std::move(resource), builtin_origin("SecretGenerator"), args.where, &args));
    }
    for (const HelmChart& chart : k.helm_charts) {
        auto inflated = inflate_chart(chart_in_namespace(chart), k.helm_globals, plugin_context());
        if (!inflated) return fail(std::move(inflated.error()).at(chart.where));
        for (auto& resource : *inflated) TRY_VOID(absorb(std::move(resource), builtin_origin("HelmChartInflationGenerator"), chart.where));
    }
    auto configs = plugin_configs(k.generators);
    if (!configs) return fail(std::move(configs.error()).with_prefix("loading generator plugins: "));
    for (const auto& config : configs->all()) {
        TRY(auto generated, run_generator_plugin(*config, plugin_context()));
        for (auto& resource : generated) TRY_VOID(absorb(std::move(resource), origin_of_plugin(*config), config->where()));
    }
    return {};
}

Result<void> Target::run_transformers(Accumulator& acc) const {
    TRY(std::vector<Step> steps, builtin_steps(*kustomization_, acc.config, plugin_context()));
    for (Step& step : steps)
        if (session_->tracks_origin()) step.origin = builtin_origin(step.kind);
    TRY(ResourceSet configs, plugin_configs(kustomization_->transformers));
    for (const auto& config : configs.all()) {
        TRY(Step step, plugin_step(*config, plugin_context()));
        if (session_->tracks_origin()) step.origin = origin_of_plugin(*config);
        if (session_->explanation) step.where = config->where();
        steps.push_back(std::move(step));
    }
    for (const Step& step : steps) {
        session_->builtin_schema_used = session_->builtin_schema_used || step.merges;
        TRY_VOID(step.run(acc.resources));
        if (session_->explanation) session_->explanation->note(acc.resources, step.kind, written_by(step));
        if (step.origin) add_transformation(acc.resources, *step.origin);
        acc.resources.drop_empties();
    }
    return {};
}

// A validator is a transformer that must change nothing.
Result<void> Target::run_validators(Accumulator& acc) const {
    TRY(ResourceSet configs, plugin_configs(kustomization_->validators));
    for (const auto& config : configs.all()) {
        TRY(Step step, plugin_step(*config, plugin_context()));
        std::vector<Node> before;
        before.reserve(acc.resources.size());
        for (const auto& r : acc.resources.all()) before.push_back(r->node());
        TRY_VOID(step.run(acc.resources));
        bool same = std::ranges::equal(acc.resources.all(), before, [](const auto& r, const Node& node) { return r->node() == node; });
        if (!same) return fail(ErrorCode::invalid, "validator shouldn't modify the resource map", config->where());
    }
    return {};
}

Result<ResourceSet> Target::plugin_configs(const std::vector<ListEntry>& entries) const {
    Accumulator acc;
    std::vector<ListEntry> paths;
    for (const ListEntry& entry : entries) {
        auto documents = entry.text.find(':') == std::string::npos
                             ? Result<std::vector<Node>>(fail(ErrorCode::invalid, "not inline"))
                             : kube::read_yaml(entry.text, {.file = entry.where.file, .first_line = entry.text_line});
        auto inlined = documents ? resources_of(std::move(*documents)) : Result<ResourceSet>(fail(std::move(documents.error())));
        if (!inlined && entry.text.find('\n') != std::string::npos) // no name of a file, whatever kustomize takes it for
            return fail(std::move(inlined.error()).with_prefix("configuring external plugin: ").at(entry.where));
        if (!inlined) { // not a configuration: a path
            paths.push_back(entry);
            continue;
        }
        session_->builtin_schema_used = true; // kinds of plugins are in no table
        if (session_->tracks_origin()) {
            for (const auto& r : inlined->all()) set_origin(*r, origin_.appended(kustomization_->file));
        }
        auto r = acc.resources.append_all(std::move(*inlined));
        if (!r) return fail(std::move(r.error()).with_prefix("configuring external plugin: ").at(entry.where));
    }
    TRY_VOID(accumulate_resources(acc, paths));
    return std::move(acc.resources);
}

} // namespace weber::kustomize
