// `weber reconcile --once`: everything that a source says about a cluster, now, in this process.
#include <filesystem>
#include <ostream>

#include "agent/cluster.h"
#include "agent/commands/commands.h"
#include "agent/interrupt.h"
#include "agent/once_report.h"
#include "agent/once_view.h"
#include "agent/post_build_flags.h"
#include "agent/state_dir.h"
#include "gitops/reconcile/once.h"
#include "gitops/reconcile/post_build_hooks.h"
#include "kube/base/json.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

// What is wrong with the combination of flags; "" when it is right.
std::string objection(const Invocation& in) {
    const Flags& f = in.flags;
    if (!in.args.empty()) return "unknown command \"" + in.args.front() + "\" for \"" + in.program + " reconcile\"";
    if (!f.on("once")) return "say --once, or what to reconcile: `reconcile kustomization NAME`, `reconcile source git NAME`";
    if (f.given("path") && f.given("url")) return "--path and --url exclude each other";
    if (f.given("branch") && !f.given("url")) return "--branch goes with --url; for a local repository use --rev";
    if (f.given("rev") && f.given("url")) return "--rev goes with --path; for a remote repository use --branch, --tag, --semver or --commit";
    if (names_kubeconfig(f) && names_embedded(f)) return "--kubeconfig and --context cannot be combined with --embedded and --state";
    if (f.text("cluster").find('/') != std::string::npos) return "--cluster is the name of a folder below clusters/, not a path: " + f.text("cluster");
    if (const std::string o = f.text("output"); o != "table" && o != "json" && o != "yaml") return "--output must be table, json or yaml, not " + o;
    return "";
}

gitops::OnceOptions options_of(const Flags& f) {
    gitops::OnceOptions o;
    if (f.given("url")) {
        o.url = f.text("url");
        o.ref = {.branch = f.text("branch"), .tag = f.text("tag"), .semver = f.text("semver"), .name = {}, .commit = f.text("commit")};
    } else {
        o.path = f.text("path");
        o.rev = f.text("rev");
    }
    o.cluster = f.text("cluster");
    o.dry_run = f.on("dry-run");
    o.prune = f.on("prune");
    if (f.given("timeout")) o.timeout = f.duration("timeout");
    o.concurrency = static_cast<std::size_t>(std::max<std::int64_t>(1, f.integer("concurrent")));
    return o;
}

// Names the cluster when there is but one, so that its state has a place.
Result<void> settle_cluster(gitops::OnceOptions& options) {
    if (!options.cluster.empty()) return {};
    TRY(const gitops::Snapshot snapshot, gitops::open_source(options));
    TRY(const std::vector<std::string> names, gitops::clusters_of(snapshot));
    if (names.size() == 1) {
        options.cluster = names.front();
        return {};
    }
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    return fail(Error{.code = ErrorCode::invalid, .message = "the source has several clusters: " + all, .hint = "choose one by --cluster NAME"});
}

// A dry run creates no ConfigMap, so that variables may be in the source only.
Result<void> use_source(gitops::OnceOptions& options, gitops::HookSettings& hooks) {
    TRY_VOID(settle_cluster(options));
    TRY(gitops::Snapshot snapshot, gitops::open_source(options));
    const std::string dir = snapshot.fs->mount() + "/clusters/" + options.cluster;
    hooks.fallback = gitops::lookup_in(std::move(snapshot), dir);
    return {};
}

Result<Cluster> open(const Invocation& in, const gitops::OnceOptions& options) {
    if (names_kubeconfig(in.flags)) return open_kubeconfig(in.flags);
    kube::ServerOptions server;
    server.data_dir = in.flags.text("state");
    if (server.data_dir.empty()) server.data_dir = state_dir_of(options.path.empty() ? options.url : options.path, options.cluster);
    std::error_code error;
    if (options.dry_run && !std::filesystem::exists(server.data_dir, error)) server.data_dir.clear(); // a dry run leaves nothing behind
    if (!server.data_dir.empty()) std::filesystem::create_directories(std::filesystem::absolute(server.data_dir).parent_path(), error);
    if (error) return fail(ErrorCode::unavailable, "cannot make " + server.data_dir + ": " + error.message());
    server.fail = in.flags.list("fail");
    server.rollout_delay = std::chrono::duration_cast<std::chrono::milliseconds>(in.flags.duration("rollout-delay"));
    return open_embedded(std::move(server));
}

void print_document(std::ostream& out, const Node& document, const std::string& format) {
    if (format == "json") out << kube::write_json_pretty(document, 2);
    else out << kube::write_yaml(document, {.order = kube::YamlKeyOrder::as_is});
}

Result<int> reconcile(const Invocation& in, gitops::OnceOptions options) {
    Interrupt interrupt;
    TRY_VOID(settle_cluster(options));
    TRY(const Cluster cluster, open(in, options));
    in.io.action("reconciling " + (options.path.empty() ? options.url : options.path) + " to " + cluster.description);

    options.act_as = [&cluster](const std::string& user) -> Result<std::shared_ptr<kube::Client>> {
        kube::ClientConfig config = cluster.config;
        config.impersonate = {.user = user};
        return kube::Client::connect(std::move(config));
    };
    Result<gitops::OnceResult> result = fail(ErrorCode::internal, "not run");
    if (in.io.err_terminal && in.flags.text("output") == "table") {
        TreeView view(in.io.err);
        result = gitops::reconcile_once(*cluster.client, options, &view, interrupt.token());
    } else {
        LogView view(in.io.err);
        result = gitops::reconcile_once(*cluster.client, options, &view, interrupt.token());
    }
    if (!result) return fail(std::move(result.error()));

    const ReportOptions report{.dry_run = options.dry_run, .source_dir = options.rev.empty() ? options.path : ""};
    if (const std::string format = in.flags.text("output"); format != "table") print_document(in.io.out, report_node(*result, report), format);
    else print_report(in.io, *result, report);
    if (interrupt.requested()) in.io.failure("interrupted");
    return result->ok() && !interrupt.requested() ? kOk : kFailed;
}

Result<int> run(Invocation& in) {
    if (in.as_flux() && !in.flags.on("once")) return in.help(); // there it is but a group, which answers so to every other word
    if (const std::string why = objection(in); !why.empty()) return in.usage(why);
    gitops::OnceOptions options = options_of(in.flags);
    TRY(gitops::HookSettings hooks, hook_settings(in.flags));
    if (options.dry_run) TRY_VOID(use_source(options, hooks));
    options.post_build = gitops::post_build_hooks(std::move(hooks));
    return reconcile(in, std::move(options));
}

} // namespace

Command reconcile_command() {
    Command command = {.name = "reconcile",
            .summary = "Make a cluster what git says: once, from here, or by asking the agent in the cluster",
            .about = "`weber reconcile --once` reads a fleet repository (clusters/NAME and what its Kustomizations name), applies it in dependency\n"
                     "order, prunes, waits until everything is ready and says what it did. Without --kubeconfig or --context it works on an\n"
                     "embedded API server whose state lies in --state, by default ~/.local/state/weber/SOURCE-CLUSTER-HASH: no cluster is touched.",
            .flags = {{.name = "once", .kind = FlagKind::boolean, .help = "reconcile everything now, then exit"},
                      {.name = "path", .help = "directory of the fleet repository, uncommitted changes included", .value = "dir", .default_text = "."},
                      {.name = "rev", .help = "with --path: this commit, branch or tag in place of the working tree", .value = "revision"},
                      {.name = "url", .help = "fleet repository to fetch: https, ssh or file"},
                      {.name = "branch", .help = "with --url: branch; without any reference: master"},
                      {.name = "tag", .help = "with --url: tag"},
                      {.name = "semver", .help = "with --url: newest tag in this range", .value = "range"},
                      {.name = "commit", .help = "with --url: commit", .value = "id"},
                      {.name = "cluster", .help = "which of clusters/; may be left out when there is but one", .value = "name"},
                      {.name = "kubeconfig", .help = "reconcile the cluster of this kubeconfig", .value = "file"},
                      {.name = "context", .help = "context of the kubeconfig", .value = "name"},
                      {.name = "embedded", .kind = FlagKind::boolean, .help = "reconcile an embedded API server (the default)"},
                      {.name = "state", .help = "directory of the embedded API server's state", .value = "dir"},
                      {.name = "dry-run", .kind = FlagKind::boolean, .help = "change nothing, show what would change (secret values are masked)"},
                      {.name = "prune", .kind = FlagKind::boolean, .help = "delete what is gone from the source", .default_text = "true"},
                      {.name = "timeout", .kind = FlagKind::duration, .help = "of the whole run; without it each Kustomization has its own"},
                      {.name = "concurrent", .kind = FlagKind::integer, .help = "Kustomizations worked on at once", .default_text = "4"},
                      {.name = "output", .help = "table, json or yaml", .letter = 'o', .value = "format", .default_text = "table"},
                      {.name = "fail", .kind = FlagKind::list, .help = "a workload that the embedded API server never lets become ready", .hidden = true},
                      {.name = "rollout-delay", .kind = FlagKind::duration, .help = "of workloads in the embedded API server", .hidden = true}},
            .children = reconcile_kind_commands(),
            .run = run};
    for (const Flag& flag : post_build_flags()) command.flags.push_back(flag);
    return command;
}

} // namespace weber::agent
