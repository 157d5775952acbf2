#include "agent/flux/local_build.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "agent/post_build_flags.h"
#include "gitops/api/names.h"
#include "gitops/reconcile/pipeline.h"
#include "gitops/reconcile/post_build_hooks.h"
#include "gitops/reconcile/reference_reader.h"
#include "gitops/source/open.h"
#include "gitops/source/remote_bases.h"
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

struct Builder {
    const LocalBuildOptions& options;
    kube::Client* client;
    std::vector<LocalBuild> out = {};
    std::set<std::string> seen = {};
    gitops::RemoteBases remote = gitops::RemoteBases(gitops::RemoteBaseSettings());

    // `root`: what the Kustomization's path is relative to; `path`: below it.
    Result<void> add(Object object, std::optional<Object> live, const stdfs::path& root, const std::string& path) {
        TRY(gitops::Kustomization k, gitops::parse_kustomization(object));
        if (!seen.insert(k.name.to_string()).second) return {};
        k.spec.path = path;
        if (!options.keys) k.spec.decryption.reset(); // nothing is decrypted, only masked
        else if (k.spec.decryption) k.spec.decryption->secret_name.clear();
        std::string ignore;
        for (const std::string& pattern : options.ignore_paths) ignore += pattern + "\n";
        TRY(const gitops::Snapshot snapshot, gitops::open_working_tree(root.string(), ignore));
        gitops::HookSettings hooks;
        hooks.strict_substitution = options.strict_substitute;
        hooks.local_keys = options.keys;
        hooks.verify_mac = options.verify_mac;
        if (options.values) hooks.values = *options.values;
        if (!client && !options.values && k.spec.post_build) k.spec.post_build->substitute_from.clear(); // a dry run reads no cluster
        gitops::BuildSettings settings;
        settings.post_build = gitops::post_build_hooks(std::move(hooks));
        std::optional<gitops::ReferenceReader> cluster;
        if (client != nullptr) settings.cluster = &cluster.emplace(*client, k);
        settings.remote = &remote;
        TRY(gitops::Built built, gitops::build_objects(snapshot, k, settings));
        for (Object& o : built.objects) o = mask_sops(std::move(o));
        TRY(std::vector<Object> objects, gitops::desired_objects(std::move(built.objects), k, options.normalize));
        out.push_back({std::move(k), std::move(live), std::move(objects), std::move(built.secret_values)});
        return options.recursive ? add_children(out.size() - 1) : Result<void>{};
    }

    Result<void> add_children(std::size_t parent) {
        const std::vector<Object> objects = out[parent].objects; // cheap: shared; `out` grows below
        for (const Object& o : objects) {
            if (o.kind() != "Kustomization" || o.group() != gitops::kKustomizeGroup) continue;
            TRY(const gitops::Kustomization child, gitops::parse_kustomization(o));
            if (seen.contains(child.name.to_string())) continue;
            const std::string source = child.spec.source.to_string();
            const auto mapped = std::ranges::find_if(options.local_sources, [&](const std::string& s) { return s.starts_with(source + "="); });
            if (mapped == options.local_sources.end())
                return fail(ErrorCode::invalid, "cannot get local path for " + source + " of kustomization " + child.name.name);
            std::optional<Object> live;
            if (client) {
                TRY(live, client->find({.gvk = flux_kind("Kustomization")->gvk(), .ns = child.name.ns, .name = child.name.name}));
            }
            std::error_code error;
            const stdfs::path root = stdfs::canonical(mapped->substr(source.size() + 1), error);
            if (error) return fail(ErrorCode::not_found, "invalid resource path \"" + mapped->substr(source.size() + 1) + "\"");
            TRY_VOID(add(o, std::move(live), root, child.spec.path));
        }
        return {};
    }
};

void mask_values(Object& o, std::string_view field, bool encoded) {
    Node* values = o.root().find_mut(field);
    if (!values) return;
    for (Node::Entry& e : values->entries_mut()) {
        const std::string text = e.key.view() == ".dockerconfigjson" ? "{\"mask\":\"" + std::string(kMask) + "\"}" : std::string(kMask);
        e.value = Node::string(encoded ? kube::base64_encode(text) : text);
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

Result<std::vector<LocalBuild>> build_locally(const LocalBuildOptions& o, kube::Client* client) {
    std::optional<Object> live;
    if (client) {
        const kube::ObjectRef ref{.gvk = flux_kind("Kustomization")->gvk(), .ns = o.ns, .name = o.name};
        auto found = client->get(ref);
        if (found) live = std::move(*found);
        else if (found.error().code != ErrorCode::not_found || !o.ignore_not_found || o.file.empty()) {
            found.error().object.clear();
            return fail(std::move(found.error()).with_prefix(kCannotGet));
        }
    }
    Object object;
    if (!o.file.empty()) {
        auto read = from_file(o);
        if (!read) return fail(std::move(read.error()).with_prefix(kCannotGet));
        object = std::move(*read);
    } else {
        object = *live;
    }
    const stdfs::path dir = stdfs::canonical(o.path);
    const stdfs::path root = root_of(dir);
    Builder builder{.options = o, .client = client};
    TRY_VOID(builder.add(std::move(object), std::move(live), root, "./" + dir.lexically_relative(root).string()));
    return std::move(builder.out);
}

Object mask_sops(Object object) {
    if (object.kind() != "Secret" || !object.root().contains("sops")) return object;
    object.root().erase("sops");
    mask_values(object, "data", true);
    mask_values(object, "stringData", false);
    return object;
}

} // namespace weber::agent
