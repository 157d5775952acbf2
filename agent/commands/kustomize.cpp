// `weber kustomize DIR`: what `kustomize build DIR` prints, byte for byte.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <istream>
#include <optional>
#include <ostream>
#include <system_error>
#include <thread>
#include <vector>

#include "agent/commands/commands.h"
#include "agent/helm_runner.h"
#include "gitops/source/remote_bases.h"
#include "kustomize/build.h"

namespace weber::agent {

namespace {

Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
    errno = 0;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    if (file) return {};
    const std::string cause = errno == 0 ? std::string() : ": " + std::error_code(errno, std::generic_category()).message();
    return fail(Error{.code = ErrorCode::invalid, .message = "cannot write " + path.string() + cause,
                      .hint = errno == ENOENT || errno == EISDIR ? "--output names a file in a directory that is there, or such a directory" : ""});
}

// Each `-` among the directories stands for those that standard input names, one a line.
std::vector<std::string> with_listed(const std::vector<std::string>& dirs, std::istream& in) {
    std::vector<std::string> all;
    for (const std::string& dir : dirs) {
        if (dir != "-") {
            all.push_back(dir);
            continue;
        }
        for (std::string line; std::getline(in, line);) {
            if (line.ends_with('\r')) line.pop_back();
            if (!line.empty()) all.push_back(line);
        }
    }
    return all;
}

Result<void> write_each(const kustomize::ResourceSet& resources, const std::filesystem::path& dir) {
    TRY(const auto files, kustomize::to_files(resources));
    for (const auto& [name, text] : files) TRY_VOID(write_file(dir / name, text));
    return {};
}

using Builds = std::vector<std::optional<Result<kustomize::BuildOutput>>>;

// All directories, several at a time; they share the options' cache, so that a common base is parsed once.
void build_all(const kustomize::FileSystem& disk, const std::vector<std::string>& dirs, const kustomize::BuildOptions& options, Builds& builds) {
    builds.resize(dirs.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i; (i = next++) < dirs.size();) builds[i] = kustomize::build(disk, dirs[i], options);
    };
    std::vector<std::jthread> helpers;
    const std::size_t threads = std::min<std::size_t>(dirs.size(), std::max(1U, std::thread::hardware_concurrency()));
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
    work();
}

Result<int> run(Invocation& in) {
    const std::string restrictor = in.flags.text("load-restrictor");
    if (restrictor != "LoadRestrictionsRootOnly" && restrictor != "LoadRestrictionsNone")
        return in.usage("illegal flag value --load-restrictor " + restrictor + "; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]");
    const std::string reorder = in.flags.text("reorder");
    if (reorder != "legacy" && reorder != "none") return in.usage("illegal flag value --reorder " + reorder + "; legal values: [legacy none]");
    if (in.args.empty()) in.args.emplace_back(".");
    in.args = with_listed(in.args, in.io.in);
    if (in.args.empty()) return in.usage("standard input names no directory");
    const std::string output = in.flags.text("output");
    std::error_code ignored;
    const bool to_directory = !output.empty() && std::filesystem::is_directory(output, ignored);
    if (to_directory && in.args.size() > 1) return in.usage("--output may name a directory only when one DIR is given");

    const kustomize::DiskFileSystem disk;
    // Like what is built below, never freed: taking a large tree apart would be a quarter of the run.
    static kustomize::ParseCache& cache = *new kustomize::ParseCache;
    kustomize::BuildOptions options;
    options.reorder = reorder == "none" ? kustomize::Reorder::none : kustomize::Reorder::legacy;
    options.managed_by_label = in.flags.on("enable-managedby-label");
    if (in.args.size() > 1) options.cache = &cache; // one build remembers by itself what it reads twice
    options.as_files = to_directory;
    options.explain = in.flags.on("explain");
    if (options.explain && to_directory) return in.usage("--explain prints, or writes to one file: --output must not name a directory");
    gitops::RemoteBases remote;
    options.remote = &remote;
    ProcessHelmRunner helm(in.flags.text("helm-command"));
    helm.kube_version = in.flags.text("helm-kube-version");
    helm.api_versions = in.flags.list("helm-api-versions");
    helm.debug = in.flags.on("helm-debug");
    if (in.flags.on("enable-helm")) options.helm = &helm;
    if (restrictor == "LoadRestrictionsNone") options.load_restrictions = kustomize::LoadRestrictions::none;

    static Builds& builds = *new Builds;
    build_all(disk, in.args, options, builds);
    std::string text;
    const std::string here = options.explain ? std::filesystem::current_path(ignored).string() : "";
    for (const auto& build : builds) {
        if (!*build) return fail(Error(build->error()));
        const kustomize::BuildOutput& built = **build;
        std::string warnings; // one write: a tree of overlays may have one for each
        for (const std::string& warning : built.warnings) warnings += warning + '\n';
        in.io.err << warnings;
        if (to_directory) {
            TRY_VOID(write_each(built.resources, output));
            continue;
        }
        if (!text.empty()) text += "---\n";
        text += built.explanation ? kustomize::to_explained_yaml(built, here) : kustomize::to_yaml(built.resources);
    }
    if (to_directory) return kOk;
    if (output.empty()) in.io.out << text;
    else TRY_VOID(write_file(output, text));
    return kOk;
}

} // namespace

Command kustomize_command() {
    return {.name = "kustomize",
            .args = "[DIR... | -]",
            .summary = "Build kustomization directories, as `kustomize build` does",
            .about = "Prints the objects of each DIR (default: the current directory), several separated by ---, built at the same time; - stands for the\n"
                     "directories that standard input names, one a line. A DIR may be the URL of a git repository,\n"
                     "as in kustomizations: https://HOST/ORG/REPO//DIR?ref=v1&timeout=60&submodules=false, git@HOST:ORG/REPO//DIR, file:///PATH//DIR.\n"
                     "Functions (exec, containers, Starlark) and Go plugins are never run: a kustomization that names one is an error, whatever the flags.\n"
                     "With --explain the output is the same YAML with comments, the last setter of a field first; no transformer: the line of a manifest.\n"
                     "  name: prod-web # prod/kustomization.yaml:3 PrefixTransformer < base/web.yaml:4",
            .flags = {{.name = "output", .help = "write to this file, or into this directory one file an object", .letter = 'o', .value = "path"},
                      {.name = "explain", .kind = FlagKind::boolean, .help = "say in a comment beside each field which file, line and transformer set it"},
                      {.name = "load-restrictor",
                       .help = "LoadRestrictionsNone lets kustomizations load files from outside their directory",
                       .default_text = "LoadRestrictionsRootOnly"},
                      {.name = "enable-helm", .kind = FlagKind::boolean, .help = "inflate helmCharts by the helm command"},
                      {.name = "helm-command", .help = "the helm command", .value = "path", .default_text = "helm"},
                      {.name = "helm-kube-version", .help = "Kubernetes version that charts see", .value = "version"},
                      {.name = "helm-api-versions", .kind = FlagKind::list, .help = "API version that charts see (repeatable)", .value = "version"},
                      {.name = "helm-debug", .kind = FlagKind::boolean, .help = "pass --debug to helm"},
                      {.name = "reorder", .help = "legacy or none; sortOptions of the kustomization wins", .value = "order", .default_text = "legacy", .hidden = true},
                      {.name = "enable-managedby-label", .kind = FlagKind::boolean, .help = "add the label app.kubernetes.io/managed-by", .hidden = true},
                      {.name = "env", .kind = FlagKind::list, .help = "for functions, which are not run: accepted without effect", .letter = 'e', .value = "NAME=VALUE"},
                      {.name = "as-current-user", .kind = FlagKind::boolean, .help = "as --env"},
                      {.name = "mount", .kind = FlagKind::list, .help = "as --env", .value = "options"},
                      {.name = "network", .kind = FlagKind::boolean, .help = "as --env"},
                      {.name = "network-name", .help = "as --env", .value = "name", .default_text = "bridge"},
                      {.name = "enable-exec", .kind = FlagKind::boolean, .help = "as --env"},
                      {.name = "enable-alpha-plugins", .kind = FlagKind::boolean, .help = "as --env"},
                      {.name = "stack-trace", .kind = FlagKind::boolean, .help = "accepted without effect", .hidden = true}},
            .run = run};
}

} // namespace weber::agent
