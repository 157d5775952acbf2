#include "agent/flux/local_build.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "agent/post_build_flags.h"
#include "gitops/api/names.h"
#include "gitops/reconcile/pipeline.h"
#include "gitops/reconcile/post_build_hooks.h"
#include "gitops/reconcile/reference_reader.h"
#include "gitops/source/open.h"
#include "kube/base/digest.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace stdfs = std::filesystem;

namespace {

constexpr std::string_view kCannotGet = "failed to get kustomization object: ";
constexpr std::string_view kMask = "**SOPS**";

Result<std::string> read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return fail(ErrorCode::not_found, "cannot read " + path);
    return text.str();
}

// The root of the repository that holds `dir`, so that bases beside it are found; else `dir` itself.
stdfs::path root_of(const stdfs::path& dir) {
    std::error_code ignored;
    for (stdfs::path p = dir;; p = p.parent_path()) {
        if (stdfs::exists(p / ".git", ignored)) return p;
        if (p == p.parent_path()) return dir;
    }
}

Result<Object> from_file(const LocalBuildOptions& o) {
    TRY(const std::string text, read_text(o.file));
    TRY(const std::vector<Node> documents, kube::read_yaml(text, {.file = o.file, .schema = kube::YamlSchema::yaml_1_1}));
    for (const Node& document : documents) {
        Object object(document);
        if (object.kind() != "Kustomization" || object.group() != gitops::kKustomizeGroup || object.name() != o.name) continue;
        if (!object.ns().empty() && object.ns() != o.ns) continue;
        if (object.ns().empty()) object.set_ns(o.ns);
        return object;
    }
    return fail(ErrorCode::not_found, "failed find kustomization with name '" + o.name + "' and namespace '" + o.ns + "' in file '" + o.file + "'");
}

bool is_kustomization(const Object& o) { return o.kind() == "Kustomization" && o.group() == gitops::kKustomizeGroup; }

// The controller says `post build failed for 'ConfigMap.v1.[noGrp]/NAME': …`, the command `var substitution failed for 'NAME': …`.
Error in_the_commands_words(Error error) {
    constexpr std::string_view kControllers = "post build failed for '";
    if (!error.message.starts_with(kControllers)) return error;
    const std::size_t end = error.message.find("': ", kControllers.size()), slash = error.message.rfind('/', end);
    if (end == std::string::npos || slash == std::string::npos || slash < kControllers.size()) return error;
    error.message = "var substitution failed for '" + error.message.substr(slash + 1);
    return error;
}

Result<void> add_children(LocalBuilder& builder, std::set<std::string>& seen, std::vector<LocalBuild>& out) {
    const std::vector<Object> objects = out.back().objects; // cheap: shared; `out` grows below
    const gitops::Kustomization parent = out.back().kustomization;
    for (const Object& o : objects) {
        if (!is_child(o, parent) || !seen.insert(o.key().subject()).second) continue;
        TRY(LocalBuild child, builder.child(o));
        out.push_back(std::move(child));
        TRY_VOID(add_children(builder, seen, out));
    }
    return {};
}

// A file that SOPS encrypted, whatever its form.
bool is_encrypted(std::string_view text) { return text.find("sops") != std::string_view::npos && text.find("ENC[") != std::string_view::npos; }

std::string encoded_mask() { return kube::base64_encode(std::string(kMask)); }

// All values, or those that are encrypted files.
void mask_values(Object& o, std::string_view field, bool all) {
    Node* values = o.root().find_mut(field);
    if (!values || !values->is_map()) return;
    const bool encoded = field == "data", docker = all && o.root().text_at("type") == "kubernetes.io/dockerconfigjson";
    const std::string plain = docker ? "{\"mask\":\"" + std::string(kMask) + "\"}" : std::string(kMask);
    for (Node::Entry& e : values->entries_mut()) {
        const auto decoded = encoded ? kube::base64_decode(e.value.text()) : std::string(e.value.text());
        if (all) e.value = Node::string(encoded ? kube::base64_encode(plain) : plain);
        else if (decoded && is_encrypted(*decoded)) e.value = Node::string(encoded_mask()); // encoded in stringData, too, as in Flux
    }
}

} // namespace

std::vector<Flag> local_build_flags() {
    return {{.name = "path", .help = "directory of the manifests", .value = "dir"},
            {.name = "kustomization-file", .help = "file with the Kustomization, in place of the cluster's", .value = "file"},
            {.name = "strict-substitute", .kind = FlagKind::boolean, .help = "a variable without value and default is an error"},
            {.name = "ignore-paths", .kind = FlagKind::comma_list, .help = "paths to leave out, as in .gitignore", .value = "patterns"},
            {.name = "recursive", .kind = FlagKind::boolean, .help = "build child Kustomizations, too", .letter = 'r'},
            {.name = "local-sources", .kind = FlagKind::comma_list, .help = "where the sources of children lie: Kind/namespace/name=path", .value = "mapping"},
            {.name = "values", .help = "variables (a map) or ConfigMaps and Secrets that stand for the cluster's", .value = "file"},
            {.name = "age-key-file", .kind = FlagKind::list, .help = "age keys: encrypted objects are decrypted, not masked", .value = "file"},
            {.name = "pgp-key-file", .kind = FlagKind::list, .help = "OpenPGP keys, armoured, without passphrase", .value = "file"},
            ignore_mac_flag(),
            {.name = "in-memory-build", .kind = FlagKind::boolean, .help = "accepted for compatibility: nothing is written in any case", .hidden = true}};
}

std::string wrong_sources(const Flags& flags) {
    for (const std::string& source : flags.list("local-sources"))
        if (source.find('=') == std::string::npos)
            return "invalid argument \"" + flags.text("local-sources") + "\" for \"--local-sources\" flag: " + source + " must be formatted as key=value";
    return "";
}

Result<LocalBuildOptions> local_build_options(const Invocation& in, std::string ns) {
    const Flags& f = in.flags;
    LocalBuildOptions out{.name = in.args.empty() ? "" : in.args.front(),
            .ns = std::move(ns),
            .path = f.text("path"),
            .file = f.text("kustomization-file"),
            .dry_run = f.knows("dry-run") && f.on("dry-run"),
            .strict_substitute = f.on("strict-substitute"),
            .verify_mac = !f.on("sops-ignore-mac"),
            .ignore_paths = f.list("ignore-paths"),
            .recursive = f.on("recursive"),
            .local_sources = f.list("local-sources"),
            .ignore_not_found = f.knows("ignore-not-found") && f.on("ignore-not-found")};
    if (const std::string file = f.text("values"); !file.empty()) {
        TRY(const std::string text, read_file(file));
        TRY(out.values, gitops::parse_values(text, file));
    }
    if (!f.list("age-key-file").empty() || !f.list("pgp-key-file").empty()) {
        TRY(out.keys, local_keys(f));
    }
    return out;
}

Result<void> check(const LocalBuildOptions& o) {
    if (o.name.empty()) return fail(name_required("kustomization"));
    std::error_code ignored;
    if (o.path.empty() || !stdfs::is_directory(o.path, ignored))
        return fail(ErrorCode::invalid, "invalid resource path \"" + o.path + "\"");
    if (o.dry_run && o.file.empty()) return fail(ErrorCode::invalid, "dry-run mode requires a kustomization file");
    if (!o.file.empty() && !stdfs::is_regular_file(o.file, ignored))
        return fail(ErrorCode::invalid, "invalid kustomization file \"" + o.file + "\"");
    return {};
}

Result<LocalBuild> LocalBuilder::root() {
    std::optional<Object> live;
    if (client_) {
        const kube::ObjectRef ref{.gvk = flux_kind("Kustomization")->gvk(), .ns = options_.ns, .name = options_.name};
        auto found = client_->get(ref);
        if (found) live = std::move(*found);
        else if (found.error().code != ErrorCode::not_found || !options_.ignore_not_found || options_.file.empty()) {
            found.error().object.clear();
            return fail(std::move(found.error()).with_prefix(kCannotGet));
        }
    }
    Object object;
    if (!options_.file.empty()) {
        auto read = from_file(options_);
        if (!read) return fail(std::move(read.error()).with_prefix(kCannotGet));
        object = std::move(*read);
    } else {
        object = *live;
    }
    const stdfs::path dir = stdfs::canonical(options_.path), root = root_of(dir);
    return build(object, std::move(live), root.string(), "./" + dir.lexically_relative(root).string());
}

Result<LocalBuild> LocalBuilder::child(const Object& kustomization) {
    TRY(const gitops::Kustomization child, gitops::parse_kustomization(kustomization));
    const std::string source = child.spec.source.to_string();
    const auto mapped = std::ranges::find_if(options_.local_sources, [&](const std::string& s) { return s.starts_with(source + "="); });
    if (mapped == options_.local_sources.end())
        return fail(ErrorCode::invalid, "cannot get local path for " + source + " of kustomization " + child.name.name);
    std::optional<Object> live;
    if (client_) {
        TRY(live, client_->find({.gvk = flux_kind("Kustomization")->gvk(), .ns = child.name.ns, .name = child.name.name}));
    }
    std::error_code error;
    const stdfs::path root = stdfs::canonical(mapped->substr(source.size() + 1), error);
    if (error) return fail(ErrorCode::not_found, "invalid resource path \"" + mapped->substr(source.size() + 1) + "\"");
    return build(kustomization, std::move(live), root.string(), child.spec.path);
}

// `root`: what the Kustomization's path is relative to; `path`: below it.
Result<LocalBuild> LocalBuilder::build(const Object& object, std::optional<Object> live, const std::string& root, const std::string& path) {
    TRY(gitops::Kustomization k, gitops::parse_kustomization(object));
    k.spec.path = path;
    if (!options_.keys) k.spec.decryption.reset(); // nothing is decrypted, only masked
    else if (k.spec.decryption) k.spec.decryption->secret_name.clear();
    std::string ignore;
    for (const std::string& pattern : options_.ignore_paths) ignore += pattern + "\n";
    TRY(const gitops::Snapshot snapshot, gitops::open_working_tree(root, ignore));
    gitops::HookSettings hooks;
    hooks.strict_substitution = options_.strict_substitute;
    hooks.local_keys = options_.keys;
    hooks.verify_mac = options_.verify_mac;
    if (options_.values) hooks.values = *options_.values;
    if (!client_ && !options_.values && k.spec.post_build) k.spec.post_build->substitute_from.clear(); // a dry run reads no cluster
    gitops::BuildSettings settings;
    settings.post_build = gitops::post_build_hooks(std::move(hooks));
    std::optional<gitops::ReferenceReader> cluster;
    if (client_ != nullptr) settings.cluster = &cluster.emplace(*client_, k);
    settings.remote = &remote_;
    auto made = gitops::build_objects(snapshot, k, settings);
    if (!made) return fail(in_the_commands_words(std::move(made.error())));
    gitops::Built built = std::move(*made);
    for (Object& o : built.objects) o = mask_sops(std::move(o));
    TRY(std::vector<Object> objects, gitops::desired_objects(std::move(built.objects), k, options_.normalize));
    return LocalBuild{std::move(k), std::move(live), std::move(objects), std::move(built.secret_values)};
}

bool is_child(const Object& object, const gitops::Kustomization& parent) {
    return is_kustomization(object) && (object.name() != parent.name.name || object.ns() != parent.name.ns);
}

Result<std::vector<LocalBuild>> build_locally(const LocalBuildOptions& o, kube::Client* client) {
    LocalBuilder builder(o, client);
    std::vector<LocalBuild> out;
    TRY(LocalBuild root, builder.root());
    out.push_back(std::move(root));
    std::set<std::string> seen;
    if (o.recursive) TRY_VOID(add_children(builder, seen, out));
    return out;
}

Object mask_sops(Object object) {
    if (object.kind() != "Secret") return object;
    const bool whole = object.root().contains("sops");
    object.root().erase("sops");
    mask_values(object, "data", whole);
    mask_values(object, "stringData", whole);
    return object;
}

bool is_masked(const Object& object) {
    const Node* data = object.kind() == "Secret" ? object.at({"data"}) : nullptr;
    if (data == nullptr) return false;
    return std::ranges::any_of(data->entries(), [](const Node::Entry& e) {
        const auto text = kube::base64_decode(e.value.text());
        return text && text->find(kMask) != std::string::npos;
    });
}

} // namespace weber::agent
