// `create`: a GitRepository, a Kustomization, or a Secret for git over https, in the cluster or on stdout (cli.md 2.11).
#include <algorithm>
#include <array>
#include <filesystem>
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/requests.h"
#include "agent/flux/table.h"
#include "agent/flux/upsert.h"
#include "agent/post_build_flags.h"
#include "gitops/api/names.h"
#include "kube/base/ascii.h"
#include "kube/base/clock.h"
#include "kube/base/join.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

std::unexpected<Error> wrong(std::string message, std::string hint = {}) {
    return fail(Error{.code = ErrorCode::invalid, .message = std::move(message), .hint = std::move(hint)});
}

Node text(std::string value) { return Node::string(std::move(value)); }
Node duration(const Flags& f, std::string_view name) { return text(kube::format_go_duration(f.duration(name))); }
Node name_map(const std::string& name) { return Node::map({{"name", text(name)}}); }

// Sets the field when the flag was given.
void set_given(Node& map, std::string_view key, const std::string& value) {
    if (!value.empty()) map.set(key, text(value));
}

Result<Node> metadata_of(const Invocation& in, const std::string& ns) {
    if (in.args.empty()) return wrong("name is required");
    const std::string& name = in.args.front();
    const bool good = name.size() >= 2 && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
                      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
    if (!good)
        return wrong("name '" + name + "' is invalid, it should adhere to standard defined in RFC 1123, the name can only contain alphanumeric characters or '-'");
    Node metadata = Node::map({{"name", text(name)}, {"namespace", text(ns)}});
    Node labels = Node::map();
    for (const std::string& label : in.flags.list("label")) {
        const std::size_t at = label.find('=');
        if (at == std::string::npos || label.find('=', at + 1) != std::string::npos) return wrong("invalid label format '" + label + "', must be key=value");
        labels.set(label.substr(0, at), text(label.substr(at + 1)));
    }
    if (!labels.empty()) metadata.set("labels", std::move(labels));
    return metadata;
}

Result<std::string> scheme_of(const Flags& f) {
    const std::string url = f.text("url");
    if (url.empty()) return wrong("url is required");
    const std::size_t end = url.find("://");
    const std::string scheme = end == std::string::npos ? "" : url.substr(0, end);
    if (scheme != "ssh" && scheme != "http" && scheme != "https")
        return wrong("git URL scheme '" + scheme + "' not supported, can be: ssh, http and https",
                     scheme.empty() && url.find('@') != std::string::npos ? "write ssh://USER@HOST/PATH" : "");
    return scheme;
}

// ---- the Secret ---------------------------------------------------------------------------------------------------

// Of keys for git over ssh, which weber does not make: taken, since they mean nothing where a Secret is named or the address is https.
std::vector<Flag> ssh_key_flags() {
    return {{.name = "ssh-key-algorithm", .help = "accepted for compatibility: weber makes no keys", .default_text = "ecdsa", .hidden = true},
            {.name = "ssh-rsa-bits", .help = "accepted for compatibility", .default_text = "2048", .hidden = true},
            {.name = "ssh-ecdsa-curve", .help = "accepted for compatibility", .default_text = "p384", .hidden = true},
            {.name = "private-key-file", .help = "accepted for compatibility", .hidden = true}};
}

constexpr std::string_view kMakeKeyFirst =
    "make the key with ssh-keygen, then the Secret: kubectl create secret generic NAME --from-file=identity --from-file=identity.pub --from-file=known_hosts";

Object secret_of(Node metadata, Node data) {
    return Object(Node::map({{"apiVersion", text("v1")}, {"kind", text("Secret")}, {"metadata", std::move(metadata)}, {"stringData", std::move(data)}}));
}

Result<Node> https_credentials(const Flags& f) {
    const std::string user = f.text("username"), password = f.text("password"), token = f.knows("bearer-token") ? f.text("bearer-token") : "";
    const bool both = !user.empty() && !password.empty();
    if (!token.empty() && both) return wrong("user credentials and bearer token cannot be used together");
    if (token.empty() && !both) return wrong("for Git over HTTP/S the username and password, or a bearer token is required");
    Node data = Node::map();
    set_given(data, "bearerToken", token);
    set_given(data, "username", both ? user : "");
    set_given(data, "password", both ? password : "");
    return data;
}

Result<void> add_authority(Node& data, const std::string& file) {
    if (file.empty()) return {};
    auto ca = read_file(file);
    if (!ca) return wrong("unable to read TLS CA file: open " + file + ": no such file or directory");
    data.set("ca.crt", text(std::move(*ca)));
    return {};
}

// What the flags of `create source git` put into a Secret; an empty map: nothing.
Result<Node> source_credentials(const Invocation& in, const std::string& scheme) {
    Node data = Node::map();
    if (scheme == "http") in.io.warning("insecure configuration: credentials configured for an HTTP URL");
    if (!in.flags.text("username").empty() || !in.flags.text("password").empty()) {
        TRY(data, https_credentials(in.flags));
    }
    if (scheme == "https") TRY_VOID(add_authority(data, in.flags.text("ca-file")));
    return data;
}

Result<int> create_secret(const Invocation& in) {
    TRY(const std::string ns, namespace_of(in));
    TRY(Node metadata, metadata_of(in, ns));
    TRY(const std::string scheme, scheme_of(in.flags));
    if (scheme == "ssh")
        return fail(Error{.code = ErrorCode::unsupported, .message = "weber makes no keys for git over ssh", .hint = std::string(kMakeKeyFirst)});
    TRY(Node data, https_credentials(in.flags));
    TRY_VOID(add_authority(data, in.flags.text("ca-crt-file")));
    const Object secret = secret_of(std::move(metadata), std::move(data));
    if (in.flags.on("export")) {
        in.io.out << "---\n" << kube::write_yaml(secret.root()) << '\n';
        return kOk;
    }
    TRY(const Session s, open_session(in));
    TRY_VOID(upsert(s, secret, "stringData", false));
    in.io.action("git secret '" + in.args.front() + "' created in '" + ns + "' namespace");
    return kOk;
}

// ---- objects ------------------------------------------------------------------------------------------------------

Object object_of(std::string_view group, std::string_view kind, Node metadata, Node spec) {
    return Object(Node::map({{"apiVersion", text(std::string(group) + "/v1")}, {"kind", text(std::string(kind))}, {"metadata", std::move(metadata)}, {"spec", std::move(spec)}}));
}

// Words of the progress lines: what is generated and waited for.
Result<Object> write_and_wait(const Invocation& in, const Session& s, const Object& object, const std::string& what) {
    in.io.action("applying " + what);
    TRY(const bool made, upsert(s, object, "spec", true));
    in.io.success(what + (made ? " created" : " updated"));
    in.io.waiting("waiting for " + what + " reconciliation");
    return wait_reconciled(s, *flux_kind(object.kind()), s.ns, std::string(object.name()));
}

// By precedence, as flux: a commit (with its branch), then name, semver, tag, branch.
Result<Node> reference_of(const Flags& f) {
    Node ref = Node::map();
    if (f.given("commit")) {
        ref.set("commit", text(f.text("commit")));
        set_given(ref, "branch", f.text("branch"));
        return ref;
    }
    for (const auto& [flag, key] : {std::pair("ref-name", "name"), {"tag-semver", "semver"}, {"tag", "tag"}, {"branch", "branch"}})
        if (!f.text(flag).empty()) {
            ref.set(key, text(f.text(flag)));
            return ref;
        }
    return wrong("a Git ref is required, use one of the following: --branch, --tag, --commit, --ref-name or --tag-semver");
}

Result<Node> repository_spec(const Flags& f) {
    TRY(Node ref, reference_of(f));
    Node spec = Node::map({{"url", text(f.text("url"))}, {"interval", duration(f, "interval")}, {"ref", std::move(ref)}});
    if (const std::string provider = f.text("provider"); !provider.empty()) {
        if (provider != "generic" && provider != "github" && provider != "aws" && provider != "azure")
            return wrong("invalid argument \"" + provider + "\" for \"--provider\" flag: source Git provider '" + provider +
                         "' is not supported, must be one of: generic|github|aws|azure");
        spec.set("provider", text(provider));
    }
    if (f.given("fetch-timeout") && f.duration("fetch-timeout").count() > 0) spec.set("timeout", duration(f, "fetch-timeout"));
    if (f.on("recurse-submodules")) spec.set("recurseSubmodules", Node::boolean(true));
    if (const auto paths = f.list("ignore-paths"); !paths.empty()) spec.set("ignore", text(kube::join(paths, "\n")));
    if (const auto paths = f.list("sparse-checkout-paths"); !paths.empty()) {
        Node list = Node::list();
        for (const std::string& path : paths) list.push_back(text(path));
        spec.set("sparseCheckout", std::move(list));
    }
    if (!f.text("secret-ref").empty()) spec.set("secretRef", name_map(f.text("secret-ref")));
    if (!f.text("proxy-secret-ref").empty()) spec.set("proxySecretRef", name_map(f.text("proxy-secret-ref")));
    return spec;
}

Result<int> create_git(const Invocation& in) {
    TRY(const std::string ns, namespace_of(in));
    TRY(const Node metadata, metadata_of(in, ns));
    TRY(const std::string scheme, scheme_of(in.flags));
    TRY(Node spec, repository_spec(in.flags));
    if (scheme == "ssh" && !in.flags.text("ca-file").empty()) return wrong("specifying a CA file is not supported for Git over SSH");
    if (in.flags.on("export")) {
        in.io.out << "---\n" << kube::write_yaml(object_of(gitops::kSourceGroup, "GitRepository", metadata, std::move(spec)).root());
        return kOk;
    }
    in.io.generating("generating GitRepository source");
    const bool has_secret = !in.flags.text("secret-ref").empty();
    if (scheme == "ssh" && !has_secret)
        return fail(Error{.code = ErrorCode::unsupported, .message = "git over ssh needs --secret-ref: weber makes no keys", .hint = std::string(kMakeKeyFirst)});
    TRY(const Session s, open_session(in));
    TRY(Node data, has_secret ? Result<Node>(Node::map()) : source_credentials(in, scheme));
    if (!data.empty()) {
        in.io.action("applying secret with repository credentials");
        TRY_VOID(upsert(s, secret_of(Node::map({{"name", text(in.args.front())}, {"namespace", text(ns)}}), std::move(data)), "stringData", false));
        spec.set("secretRef", name_map(in.args.front()));
        in.io.success("authentication configured");
    }
    TRY(const Object done, write_and_wait(in, s, object_of(gitops::kSourceGroup, "GitRepository", metadata, std::move(spec)), "GitRepository source"));
    in.io.success("GitRepository source reconciliation completed");
    const std::string revision = revision_of(done);
    if (revision.empty()) return wrong("GitRepository source reconciliation completed but no artifact was found");
    in.io.success("fetched revision: " + revision);
    return kOk;
}

// "[Kind/]name[.namespace]"; what follows the last dot is the namespace.
Result<Node> source_reference(const std::string& said) {
    if (said.empty()) return wrong("source is required");
    const auto refuse = [&](const std::string& why) { return wrong("invalid argument \"" + said + "\" for \"--source\" flag: " + why); };
    const std::size_t slash = said.find('/');
    std::string kind = slash == std::string::npos ? "" : said.substr(0, slash), name = slash == std::string::npos ? said : said.substr(slash + 1), ns;
    if (const std::size_t dot = name.rfind('.'); dot != std::string::npos) {
        ns = name.substr(dot + 1);
        name.resize(dot);
    }
    if (name.empty()) return refuse("no name given for source of kind '" + kind + "'");
    constexpr std::array<std::string_view, 3> kKinds{"OCIRepository", "GitRepository", "Bucket"};
    if (kind.empty() && std::ranges::find(kKinds, name) != kKinds.end()) return refuse("no kind specified for source '" + name + "'");
    if (kind.empty()) kind = "GitRepository";
    const auto known = std::ranges::find_if(kKinds, [&](std::string_view k) { return kube::same_but_case(k, kind); });
    if (known == kKinds.end()) return refuse("source kind '" + kind + "' is not supported, must be one of: OCIRepository, GitRepository, Bucket");
    Node ref = Node::map({{"kind", text(std::string(*known))}, {"name", text(name)}});
    set_given(ref, "namespace", ns);
    return ref;
}

// "Kind/name.namespace"
Result<Node> health_check(const std::string& said) {
    const std::string format = "invalid health check '" + said + "' must be in the format 'kind/name.namespace'";
    const std::size_t slash = said.find('/'), dot = said.find('.', slash == std::string::npos ? 0 : slash);
    if (slash == std::string::npos || said.find('/', slash + 1) != std::string::npos) {
        std::string parts = said;
        std::ranges::replace(parts, '/', ' ');
        return wrong(format + " [" + parts + "]");
    }
    const std::string kind = said.substr(0, slash);
    if (kind != "HelmRelease" && kind != "Deployment" && kind != "DaemonSet" && kind != "StatefulSet")
        return wrong("invalid health check kind '" + kind + "' can be HelmRelease, Deployment, DaemonSet or StatefulSet");
    if (dot == std::string::npos || said.find('.', dot + 1) != std::string::npos) return wrong(format);
    Node out = Node::map({{"kind", text(kind)}, {"name", text(said.substr(slash + 1, dot - slash - 1))}, {"namespace", text(said.substr(dot + 1))}});
    if (kind == "HelmRelease") out.set("apiVersion", text("helm.toolkit.fluxcd.io/v2"));
    return out;
}

// Below the root of the source whatever it says: `..` stops there, as in the controller.
std::string relative_path(const std::string& path) {
    std::string out = std::filesystem::path("/" + path).lexically_normal().string();
    while (out.size() > 1 && out.ends_with('/')) out.pop_back();
    return "." + out;
}

Result<Node> kustomization_spec(const Flags& f) {
    TRY(Node source, source_reference(f.text("source")));
    Node spec = Node::map({{"interval", duration(f, "interval")}, {"path", text(relative_path(f.text("path")))}, {"prune", Node::boolean(f.on("prune"))},
                           {"sourceRef", std::move(source)}});
    Node needs = Node::list(), checks = Node::list();
    for (const std::string& one : f.list("depends-on")) {
        const std::size_t slash = one.find('/');
        Node d = name_map(slash == std::string::npos ? one : one.substr(slash + 1));
        if (slash != std::string::npos) d.set("namespace", text(one.substr(0, slash)));
        needs.push_back(std::move(d));
    }
    if (!needs.empty()) spec.set("dependsOn", std::move(needs));
    for (const std::string& one : f.list("health-check")) {
        TRY(Node check, health_check(one));
        checks.push_back(std::move(check));
    }
    if (f.on("wait")) spec.set("wait", Node::boolean(true));
    else if (!checks.empty()) spec.set("healthChecks", checks);
    if (f.on("wait") || !checks.empty()) spec.set("timeout", duration(f, "health-check-timeout"));
    set_given(spec, "serviceAccountName", f.text("service-account"));
    set_given(spec, "targetNamespace", f.text("target-namespace"));
    if (f.given("retry-interval")) spec.set("retryInterval", duration(f, "retry-interval"));
    if (!f.text("kubeconfig-secret-ref").empty()) spec.set("kubeConfig", Node::map({{"secretRef", name_map(f.text("kubeconfig-secret-ref"))}}));
    if (const std::string provider = f.text("decryption-provider"); !provider.empty()) {
        if (provider != "sops")
            return wrong("invalid argument \"" + provider + "\" for \"--decryption-provider\" flag: unsupported decryption provider '" + provider + "', must be one of: sops");
        Node decryption = Node::map({{"provider", text(provider)}});
        if (!f.text("decryption-secret").empty()) decryption.set("secretRef", name_map(f.text("decryption-secret")));
        spec.set("decryption", std::move(decryption));
    }
    return spec;
}

Result<int> create_kustomization(const Invocation& in) {
    if (in.flags.given("validation"))
        in.io.err << "Flag --validation has been deprecated, this arg is no longer used, all resources are validated using server-side apply dry-run\n";
    TRY(const std::string ns, namespace_of(in));
    TRY(Node metadata, metadata_of(in, ns));
    TRY(Node spec, kustomization_spec(in.flags));
    const Object object = object_of(gitops::kKustomizeGroup, "Kustomization", std::move(metadata), std::move(spec));
    if (in.flags.on("export")) {
        in.io.out << "---\n" << kube::write_yaml(object.root());
        return kOk;
    }
    in.io.generating("generating Kustomization");
    TRY(const Session s, open_session(in));
    TRY(const Object done, write_and_wait(in, s, object, "Kustomization"));
    in.io.success("Kustomization " + in.args.front() + " is ready");
    in.io.success(done_text(*flux_kind("Kustomization"), done));
    return kOk;
}

Command git_source() {
    return {.name = "git",
            .args = "NAME",
            .summary = "A GitRepository",
            .about = "Exactly one of --branch, --tag, --tag-semver, --ref-name and --commit (with or without --branch) says what is fetched.",
            .flags = {{.name = "url", .help = "address of the repository, http, https or ssh"},
                      {.name = "branch", .help = "branch"},
                      {.name = "tag", .help = "tag"},
                      {.name = "tag-semver", .help = "newest tag in this range", .value = "range"},
                      {.name = "ref-name", .help = "full name of a reference", .value = "name"},
                      {.name = "commit", .help = "commit", .value = "id"},
                      {.name = "secret-ref", .help = "Secret with credentials that exists", .value = "name"},
                      {.name = "proxy-secret-ref", .help = "Secret with address and credentials of a proxy", .value = "name"},
                      {.name = "username", .help = "for basic authentication: a Secret is made", .letter = 'u'},
                      {.name = "password", .help = "for basic authentication", .letter = 'p'},
                      {.name = "ca-file", .help = "certificates to trust, put into that Secret", .value = "file"},
                      {.name = "provider", .help = "generic, github, aws or azure", .value = "name"},
                      {.name = "fetch-timeout", .kind = FlagKind::duration, .help = "of one fetch"},
                      {.name = "recurse-submodules", .kind = FlagKind::boolean, .help = "take in submodules"},
                      {.name = "ignore-paths", .kind = FlagKind::comma_list, .help = "paths to leave out", .value = "pattern,..."},
                      {.name = "sparse-checkout-paths", .kind = FlagKind::comma_list, .help = "directories to take", .value = "dir,..."},
                      {.name = "silent", .kind = FlagKind::boolean, .help = "accepted for compatibility: nothing is asked", .letter = 's', .hidden = true}},
            .run = [](Invocation& in) { return create_git(in); }};
}

Command kustomization() {
    return {.name = "kustomization",
            .args = "NAME",
            .summary = "A Kustomization",
            .aliases = {"ks"},
            .flags = {{.name = "source", .help = "what it builds from; the kind is GitRepository unless given", .value = "[kind/]name[.namespace]"},
                      {.name = "path", .help = "directory in the source", .value = "dir", .default_text = "./"},
                      {.name = "prune", .kind = FlagKind::boolean, .help = "delete what is gone from the source"},
                      {.name = "wait", .kind = FlagKind::boolean, .help = "wait for everything that it applies"},
                      {.name = "health-check", .kind = FlagKind::comma_list, .help = "wait for this workload", .value = "kind/name.namespace"},
                      {.name = "health-check-timeout", .kind = FlagKind::duration, .help = "how long to wait", .default_text = "2m0s"},
                      {.name = "depends-on", .kind = FlagKind::comma_list, .help = "Kustomizations that must be ready first", .value = "[namespace/]name,..."},
                      {.name = "service-account", .help = "account to act as", .value = "name"},
                      {.name = "decryption-provider", .help = "sops", .value = "name"},
                      {.name = "decryption-secret", .help = "Secret with the keys", .value = "name"},
                      {.name = "target-namespace", .help = "namespace of all objects", .value = "name"},
                      {.name = "retry-interval", .kind = FlagKind::duration, .help = "time between tries after a failure"},
                      {.name = "kubeconfig-secret-ref", .help = "Secret with the kubeconfig of another cluster", .value = "name"},
                      {.name = "validation", .help = "takes any value and does nothing", .hidden = true}},
            .run = [](Invocation& in) { return create_kustomization(in); }};
}

Command git_secret() {
    return {.name = "git",
            .args = "NAME",
            .summary = "Credentials for git over http or https",
            .flags = {{.name = "url", .help = "address of the repository"},
                      {.name = "username", .help = "for basic authentication", .letter = 'u'},
                      {.name = "password", .help = "for basic authentication", .letter = 'p'},
                      {.name = "bearer-token", .help = "in their place", .value = "token"},
                      {.name = "ca-crt-file", .help = "certificates to trust", .value = "file"}},
            .run = [](Invocation& in) { return create_secret(in); }};
}

} // namespace

Command create_command() {
    Command c{.name = "create",
              .summary = "Make or update a GitRepository, a Kustomization or a Secret for git",
              .about = "With --export the object is printed as it could stand in git and no cluster is asked.",
              .inherited = session_flags()};
    c.inherited.push_back({.name = "export", .kind = FlagKind::boolean, .help = "print in place of applying"});
    c.inherited.push_back({.name = "interval", .kind = FlagKind::duration, .help = "time between two reconciles", .default_text = "1m0s"});
    c.inherited.push_back({.name = "label", .kind = FlagKind::comma_list, .help = "labels of the object", .value = "key=value,..."});
    Command source = git_source(), secret = git_secret();
    for (Command* one : {&source, &secret}) std::ranges::copy(ssh_key_flags(), std::back_inserter(one->flags));
    c.children.push_back({.name = "source", .summary = "Sources: git", .children = {std::move(source)}});
    c.children.push_back(kustomization());
    c.children.push_back({.name = "secret", .summary = "Secrets: git", .children = {std::move(secret)}});
    return c;
}

} // namespace weber::agent
