// `weber bootstrap secrets`: what a cluster needs before its first reconcile and must not stand in git.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include "agent/cluster.h"
#include "agent/commands/commands.h"
#include "agent/post_build_flags.h"
#include "agent/secrets/ensure.h"
#include "agent/secrets/fleet_file.h"
#include "kube/base/clock.h"

namespace weber::agent {

namespace {

Result<Cluster> open(const Flags& flags) {
    if (names_kubeconfig(flags)) return open_kubeconfig(flags);
    if (!flags.given("state")) return open_state(flags);
    kube::ServerOptions server; // the first to use an embedded cluster makes it
    server.data_dir = flags.text("state");
    return open_embedded(std::move(server));
}

// The list is in a folder of the repository (bootstrap/secrets.yaml).
std::string repository_of(const Flags& flags) {
    if (flags.given("repository")) return flags.text("repository");
    std::error_code error;
    return std::filesystem::absolute(flags.text("filename"), error).lexically_normal().parent_path().parent_path().string();
}

std::string_view word(EnsureAction action) {
    switch (action) {
    case EnsureAction::created: return "created";
    case EnsureAction::unchanged: return "unchanged";
    case EnsureAction::failed: return "failed";
    }
    return "";
}

Result<int> run(Invocation& in) {
    if (!in.args.empty()) return in.usage("bootstrap secrets takes no arguments, but got \"" + in.args.front() + "\"");
    if (!names_kubeconfig(in.flags) && !names_embedded(in.flags))
        return in.usage("name the cluster: --kubeconfig FILE or --context NAME, or --state DIR for an embedded one");
    if (names_kubeconfig(in.flags) && names_embedded(in.flags)) return in.usage("--kubeconfig and --context cannot be combined with --embedded and --state");
    const std::string file = in.flags.text("filename");
    TRY(const std::string text, read_file(file));
    TRY(const SecretList list, parse_secret_list(text, file));
    if (const std::string name = in.flags.text("cluster"); name.find('/') != std::string::npos || name.starts_with('.'))
        return in.usage("--cluster is the name of a directory in clusters/");
    TRY(const Cluster cluster, open(in.flags));
    in.io.action("secrets of " + file + " in " + cluster.description);

    const EnsureSettings settings{.dry_run = in.flags.on("dry-run"),
                                  .environment = [](const std::string& name) { return environment(name.c_str()); },
                                  .repository = repository_of(in.flags),
                                  .cluster = in.flags.text("cluster"),
                                  .now = kube::format_rfc3339(kube::system_clock().now())};
    const bool skipped = settings.cluster.empty() && std::ranges::any_of(list.files, [](const EncryptedFileSpec& f) { return names_cluster(f.path); });
    if (skipped) in.io.warning("the encrypted files of " + file + " were left out: say which cluster of the repository this is, --cluster NAME");
    int status = kOk;
    for (const Ensured& one : ensure_secrets(*cluster.client, list, settings)) {
        if (one.error) {
            in.io.failure(*one.error);
            status = kFailed;
            continue;
        }
        in.io.out << one.subject << ' ' << word(one.action) << (settings.dry_run ? " (dry run)" : "") << '\n';
        in.io.out.flush();
        for (const std::string& key : one.lacks)
            in.io.warning(one.subject + " has no " + key + ", which the list wants; it was left as it is (delete it to have it made anew)");
    }
    return status;
}

// Not a guess at half of it: the steps that lead to the same cluster.
Command flux_bootstrap(std::string_view hoster) {
    return {.name = hoster,
            .summary = "Not done by weber: says what to do instead",
            .run = [](Invocation& in) -> Result<int> {
                return fail(Error{.code = ErrorCode::unsupported,
                                  .message = "weber writes to no git repository, so it does not do `" + in.program + " " + in.path + "`",
                                  .hint = "1. commit clusters/NAME/flux-system with a GitRepository and a Kustomization (`" + in.program +
                                          " create source git --export`, `" + in.program + " create kustomization --export`)\n  2. `weber install` in the cluster\n"
                                          "  3. `kubectl apply -f clusters/NAME/flux-system`"});
            },
            .hidden = true,
            .raw = true};
}

} // namespace

Command bootstrap_command() {
    return {.name = "bootstrap",
            .summary = "Prepare a cluster for its first reconcile",
            .children = {{.name = "secrets",
                          .summary = "Make the Secrets of a list that the cluster lacks",
                          .about = "Reads a list of Secrets (random passwords, bcrypt hashes, templates, values of the environment) and makes those that the\n"
                                   "cluster does not have, with their namespaces, and the encrypted Secrets of the repository (SOPS, for an age key of the list) that are not\n"
                                   "there yet. What exists is left as it is. Values are never printed, private keys never written to a file.",
                          .flags = {{.name = "filename", .help = "the list", .letter = 'f', .value = "file", .default_text = "bootstrap/secrets.yaml"},
                                    {.name = "cluster", .help = "{cluster} in the paths of encrypted files: a directory in clusters/", .value = "name"},
                                    {.name = "repository", .help = "directory of the fleet; the list lies in a folder of it otherwise", .value = "dir"},
                                    {.name = "kubeconfig", .help = "the cluster's kubeconfig", .value = "file"},
                                    {.name = "context", .help = "context of the kubeconfig", .value = "name"},
                                    {.name = "embedded", .kind = FlagKind::boolean, .help = "the embedded cluster of `weber reconcile --once`"},
                                    {.name = "state", .help = "directory of the embedded cluster, made when missing", .value = "dir"},
                                    {.name = "dry-run", .kind = FlagKind::boolean, .help = "only say what would be made"}},
                          .run = run},
                         flux_bootstrap("git"), flux_bootstrap("github"), flux_bootstrap("gitlab"), flux_bootstrap("gitea"), flux_bootstrap("bitbucket-server")}};
}

} // namespace weber::agent
