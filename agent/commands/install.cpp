// `install`: puts the agent and its definitions into a cluster (cli.md 2.13).
#include <algorithm>
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/installation.h"
#include "agent/install/manifests.h"
#include "gitops/reconcile/apply.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

Result<InstallOptions> options_of(const Invocation& in) {
    const Flags& f = in.flags;
    InstallOptions o;
    TRY(o.ns, namespace_of(in));
    o.components = f.list("components");
    const std::vector<std::string> extra = f.list("components-extra");
    o.components.insert(o.components.end(), extra.begin(), extra.end());
    o.registry = f.text("registry");
    o.image = f.text("image");
    o.image_pull_secret = f.text("image-pull-secret");
    o.network_policy = f.on("network-policy");
    o.watch_all_namespaces = f.on("watch-all-namespaces");
    o.log_level = f.text("log-level");
    o.cluster_domain = f.text("cluster-domain");
    o.toleration_keys = f.list("toleration-keys");
    return o;
}

// What is wrong with the combination of flags; "" when it is right.
std::string objection(const Invocation& in) {
    const Flags& f = in.flags;
    if (!in.args.empty()) return "unknown command \"" + in.args.front() + "\" for \"" + in.program + " install\"";
    if (f.given("version") && f.text("version") != "v" WEBER_VERSION && f.text("version") != "latest")
        return "this program installs its own version, v" WEBER_VERSION ", not " + f.text("version") + ": use the program of that version";
    if (const std::string level = f.text("log-level"); level != "trace" && level != "debug" && level != "info" && level != "error")
        return "--log-level must be trace, debug, info or error, not " + level;
    const std::string credentials = f.text("registry-creds");
    if (credentials.empty()) return "";
    if (f.text("image-pull-secret").empty()) return "--registry-creds requires --image-pull-secret to be set";
    if (f.text("registry").empty()) return "--registry-creds requires --registry to be set";
    return std::ranges::count(credentials, ':') == 1 ? "" : "invalid --registry-creds format, expected 'user:password'";
}

Object pull_secret(const Invocation& in, const std::string& ns) {
    const std::string credentials = in.flags.text("registry-creds"), registry = in.flags.text("registry");
    const std::size_t colon = credentials.find(':');
    const Node login = Node::map({{"username", Node::string(credentials.substr(0, colon))},
                                  {"password", Node::string(credentials.substr(colon + 1))},
                                  {"auth", Node::string(kube::base64_encode(credentials))}});
    const Node config = Node::map({{"auths", Node::map({{registry.substr(0, registry.find('/')), login}})}});
    return Object(Node::map({{"apiVersion", Node::string("v1")},
                             {"kind", Node::string("Secret")},
                             {"metadata", Node::map({{"name", Node::string(in.flags.text("image-pull-secret"))}, {"namespace", Node::string(ns)}})},
                             {"type", Node::string("kubernetes.io/dockerconfigjson")},
                             {"stringData", Node::map({{".dockerconfigjson", Node::string(kube::write_json(config))}})}}));
}

// Two engines must not work on the same objects.
Result<void> check_nobody_else(const Invocation& in, const Session& s, const InstallOptions& o) {
    TRY(const Installation found, find_installation(s));
    if (found.bootstrapped)
        return fail(ErrorCode::already_exists, "this cluster has already been bootstrapped with Flux " + found.version + "! Please use 'flux bootstrap' to upgrade");
    if (in.flags.on("force")) return {};
    if (found.defined) {
        TRY(const std::string manager, other_manager(s));
        const std::string question = "Are you sure you want to override the " + manager + " installation?";
        if (!manager.empty()) in.io.err << "Flux " << found.version << " has been installed on this cluster with " << manager << "!\n";
        if (!manager.empty() && !in.io.confirm(question)) return fail(ErrorCode::cancelled, "installation cancelled");
    }
    TRY(const std::vector<Object> deployments, find_deployments(s));
    for (const Object& d : deployments) {
        const bool rival = std::ranges::find(o.components, d.name()) != o.components.end();
        const Node* replicas = d.at({"spec", "replicas"});
        if (!rival || (replicas && replicas->as_int() == 0)) continue;
        const std::string name(d.name());
        return fail(Error{.code = ErrorCode::conflict, .message = "Flux's " + name + " runs in this cluster: two engines must not work on the same objects",
                          .hint = "kubectl -n " + s.ns + " scale deployment " + name + " --replicas=0, then install again; or leave it to Flux by --components; or --force"});
    }
    return {};
}

void print(std::ostream& out, const std::vector<Object>& objects) {
    for (const Object& o : objects) out << "---\n" << kube::write_yaml(o.root());
}

Result<void> apply(const Invocation& in, const Session& s, std::vector<Object> objects) {
    const gitops::ChangeSet done = gitops::apply_staged(s.client(), std::move(objects), {});
    for (const gitops::Change& c : done.changes) in.io.out << c.key.subject() << ' ' << to_string(c.action) << '\n';
    in.io.out.flush();
    for (std::size_t i = 1; i < done.errors.size(); ++i) in.io.failure(done.errors[i]);
    if (done.errors.empty()) return {};
    return fail(Error(done.errors.front()).with_prefix("install failed: "));
}

Result<int> run(Invocation& in) {
    if (const std::string why = objection(in); !why.empty()) return in.usage(why);
    TRY(const InstallOptions options, options_of(in));
    const bool exports = in.flags.on("export");
    if (!exports) in.io.generating("generating manifests");
    TRY(std::vector<Object> objects, install_manifests(options));
    if (!in.flags.text("registry-creds").empty()) objects.push_back(pull_secret(in, options.ns));
    if (exports || in.flags.on("verbose")) print(in.io.out, objects);
    if (exports) return kOk;
    in.io.success("manifests build completed");

    TRY(const Session s, open_session(in));
    in.io.action("installing components in " + s.ns + " namespace");
    TRY_VOID(check_nobody_else(in, s, options));
    std::vector<Object> deployments;
    std::ranges::copy_if(objects, std::back_inserter(deployments), [](const Object& o) { return o.kind() == "Deployment"; });
    TRY_VOID(apply(in, s, std::move(objects)));
    in.io.waiting("verifying installation");
    TRY(const bool ready, wait_for_deployments(in, s, std::move(deployments)));
    if (!ready)
        return fail(Error{.code = ErrorCode::timeout, .message = "install failed",
                          .hint = "kubectl -n " + s.ns + " describe pods -l app.kubernetes.io/name=weber tells what the pods lack"});
    in.io.success("install finished");
    return kOk;
}

} // namespace

Command install_command() {
    Command c{.name = "install",
              .summary = "Install or upgrade the agent and its definitions in a cluster",
              .about = "Applies the manifests of deploy/install, which are part of this program, and waits until the agent runs.\n"
                       "The agent does the work of source-controller (GitRepositories) and kustomize-controller. The image must be where the cluster can pull it:\n"
                       "deploy/image builds it; name it by --registry or --image.",
              .flags = session_flags(),
              .run = run};
    const Flag own[] = {
        {.name = "export", .kind = FlagKind::boolean, .help = "print the manifests and exit; no cluster is asked"},
        {.name = "version", .help = "must be this program's", .letter = 'v', .value = "version"},
        {.name = "components", .kind = FlagKind::comma_list, .help = "whose work the agent does", .default_text = "source-controller,kustomize-controller"},
        {.name = "components-extra", .kind = FlagKind::comma_list, .help = "more of them: there are none, so any is refused"},
        {.name = "registry", .help = "registry of the image: REGISTRY/weber:v" WEBER_VERSION, .value = "host/path"},
        {.name = "image", .help = "whole name of the image, in place of --registry", .value = "name[:tag|@digest]"},
        {.name = "image-pull-secret", .help = "Secret for pulling the image", .value = "name"},
        {.name = "registry-creds", .help = "user:password of the registry: makes that Secret", .value = "user:password"},
        {.name = "network-policy", .kind = FlagKind::boolean, .help = "restrict who may connect to the agent", .default_text = "true"},
        {.name = "watch-all-namespaces", .kind = FlagKind::boolean, .help = "false: only objects in the agent's namespace", .default_text = "true"},
        {.name = "log-level", .help = "trace, debug, info or error", .default_text = "info"},
        {.name = "cluster-domain", .help = "the cluster's internal domain", .default_text = "cluster.local"},
        {.name = "toleration-keys", .kind = FlagKind::comma_list, .help = "taints that the agent's pod tolerates", .value = "keys"},
        {.name = "force", .kind = FlagKind::boolean, .help = "install although Flux's controllers run"},
    };
    c.flags.insert(c.flags.end(), std::begin(own), std::end(own));
    return c;
}

} // namespace weber::agent
