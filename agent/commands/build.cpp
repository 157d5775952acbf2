// `build kustomization` (cli.md 2.4).
#include <filesystem>
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/local_build.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

Result<int> run(Invocation& in) {
    if (const std::string why = wrong_sources(in.flags); !why.empty()) return in.usage(why);
    TRY(std::string ns, namespace_of(in));
    TRY(LocalBuildOptions options, local_build_options(in, std::move(ns)));
    options.normalize = false;
    if (!options.path.empty()) options.path = std::filesystem::absolute(options.path).lexically_normal().string(); // as flux's messages have it
    TRY_VOID(check(options));
    std::optional<Session> session;
    if (!options.dry_run) {
        TRY(session, open_session(in));
    }
    TRY(const std::vector<LocalBuild> builds, build_locally(options, session ? &session->client() : nullptr));
    std::string text;
    for (const LocalBuild& build : builds)
        for (const Object& o : build.objects) text += kube::write_yaml(o.root()) + "---\n";
    in.io.out << text;
    return kOk;
}

} // namespace

Command build_command() {
    Command ks{.name = "kustomization",
               .args = "NAME",
               .summary = "Print what a Kustomization would apply, built from a directory here",
               .aliases = {"ks"},
               .flags = local_build_flags(),
               .run = run};
    ks.flags.push_back({.name = "dry-run", .kind = FlagKind::boolean, .help = "without a cluster; needs --kustomization-file"});
    return {.name = "build", .summary = "Build a Kustomization from a directory here", .inherited = session_flags(), .children = {std::move(ks)}};
}

} // namespace weber::agent
