// Kubeconfig files as kubectl reads them, what other people's may do, and the configuration inside a pod.
#include "kube/kubeconfig.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "kube/base/digest.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using weber::testing::TempDir;

namespace {

constexpr std::string_view kPem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

std::string b64(std::string_view text) { return base64_encode(text); }

std::string config(const std::string& cluster, const std::string& user, const std::string& context_extra = {}) {
    return "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: k\n  cluster: {" + cluster + "}\nusers:\n- name: u\n  user: {" + user +
           "}\ncontexts:\n- name: c\n  context: {cluster: k, user: u" + context_extra + "}\n";
}

std::string authorization(const ClientConfig& c) {
    if (!c.credentials) return "none";
    const auto got = c.credentials->get({});
    return got ? got->authorization.reveal() : "error: " + got.error().message;
}

std::string problem(const Result<ClientConfig>& c) { return c ? "none" : c.error().to_string(); }

TEST(Kubeconfig, ReadsAllOfIt) {
    TempDir dir;
    dir.write("pki/ca.crt", kPem);
    dir.write("pki/client.crt", "cert");
    dir.write("pki/client.key", "key");
    const std::string file = dir.write("config", config("server: \"https://k.example.org:6443/prefix/\", certificate-authority: pki/ca.crt, tls-server-name: api, "
                                                        "proxy-url: \"socks5://proxy:1080\", disable-compression: true",
                                                        "client-certificate: pki/client.crt, client-key: pki/client.key, as: jane, as-uid: '7', as-groups: [dev, "
                                                        "ops], as-user-extra: {reason: [one, two]}",
                                                        ", namespace: apps"));
    const auto c = load_kubeconfig({.files = {file}});
    ASSERT_TRUE(c) << c.error().to_string();
    EXPECT_EQ(c->server, "https://k.example.org:6443/prefix");
    EXPECT_EQ(c->tls.ca_file, dir.path() + "/pki/ca.crt");
    EXPECT_EQ(c->tls.server_name, "api");
    EXPECT_EQ(c->proxy_url, "socks5://proxy:1080");
    EXPECT_TRUE(c->disable_compression);
    EXPECT_EQ(c->ns, "apps");
    EXPECT_EQ(c->name, "c");
    const auto credential = c->credentials->get({});
    ASSERT_TRUE(credential);
    EXPECT_EQ(credential->certificate, "cert");
    EXPECT_EQ(credential->key.reveal(), "key");
    EXPECT_EQ(c->impersonate.user, "jane");
    EXPECT_EQ(c->impersonate.uid, "7");
    EXPECT_EQ(c->impersonate.groups, (std::vector<std::string>{"dev", "ops"}));
    ASSERT_EQ(c->impersonate.extra.size(), 1u);
    EXPECT_EQ(c->impersonate.extra[0].second, (std::vector<std::string>{"one", "two"}));
}

TEST(Kubeconfig, WaysToAuthenticate) {
    TempDir dir;
    const std::string token_file = dir.write("token", "from-file\n");
    const std::string exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/false, interactiveMode: Never}";
    const struct {
        std::string user, expected;
    } cases[] = {
        {"", "none"},
        {"token: abc", "Bearer abc"},
        {"username: u, password: p", "Basic " + b64("u:p")},
        {"tokenFile: " + token_file, "Bearer from-file"},
        {"tokenFile: " + token_file + ", token: abc", "Bearer from-file"},
        {"token: abc, " + exec, "Bearer abc"}, // what is given goes before the plugin
        {"tokenFile: " + token_file + ", " + exec, "Bearer from-file"},
        {exec, "error: exec plugin /bin/false: failed with exit code 1"},
    };
    for (const auto& c : cases) {
        const auto parsed = parse_kubeconfig(config("server: \"https://h\"", c.user), "test", {}, true);
        ASSERT_TRUE(parsed) << c.user << parsed.error().to_string();
        EXPECT_EQ(authorization(*parsed), c.expected) << c.user;
    }
    const auto both = parse_kubeconfig(config("server: \"https://h\"", "tokenFile: " + token_file + ", client-certificate-data: " + b64("cert") +
                                                                           ", client-key-data: " + b64("key")),
                                       "test", {}, true);
    ASSERT_TRUE(both);
    EXPECT_EQ(both->credentials->get({})->certificate, "cert");
    EXPECT_EQ(authorization(*both), "Bearer from-file");
}

// All that a kubeconfig says of a plugin, as client-go reads and refuses it (clientcmd's validation.go, rest's exec.go).
TEST(Kubeconfig, ExecPlugins) {
    TempDir dir;
    const std::string plugin = dir.write("bin/plugin", "#!/bin/sh\nprintf '{\"apiVersion\":\"client.authentication.k8s.io/%s\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"%s %s %s\"}}' "
                                                       "\"$V\" \"$1\" \"$A\" \"$(printf %s \"$KUBERNETES_EXEC_INFO\" | base64 -w0)\"\n");
    std::filesystem::permissions(plugin, std::filesystem::perms::owner_all);
    const std::string tail = ", command: bin/plugin, args: [first, second], env: [{name: A, value: a}, {name: V, value: ";
    const std::string file = dir.write("config", config("server: \"https://h\", tls-server-name: n, insecure-skip-tls-verify: true, proxy-url: \"http://p\", disable-compression: true, extensions: [{name: "
                                                        "client.authentication.k8s.io/exec, extension: {audience: x, n: 3}}, {name: other, extension: y}]",
                                                        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: IfAvailable, provideClusterInfo: true" + tail + "v1}]}"));
    const auto all = load_kubeconfig({.files = {file}});
    ASSERT_TRUE(all) << all.error().to_string();
    const std::string said = authorization(*all);
    ASSERT_TRUE(said.starts_with("Bearer first a ")) << said;
    EXPECT_EQ(base64_decode(said.substr(15)).value_or(""), R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false,"cluster":{"server":"https://h",)"
                                                           R"("tls-server-name":"n","insecure-skip-tls-verify":true,"proxy-url":"http://p","disable-compression":true,"config":{"audience":"x","n":3}}}})");
    const struct {
        std::string exec, expected;
    } refused[] = {
        {"apiVersion: client.authentication.k8s.io/v1, command: x", "interactiveMode must be specified to use exec authentication plugin"},
        {"apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Sometimes", "invalid interactiveMode: \"Sometimes\""},
        {"apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always", "exec plugin: interactiveMode Always cannot be met, there is no terminal"},
        {"apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never", "command must be specified to use exec authentication plugin"},
        {"apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Never, env: [{value: v}]", "env variable name must be specified to use exec authentication plugin"},
    };
    for (const auto& c : refused) EXPECT_EQ(problem(parse_kubeconfig(config("server: \"https://h\"", "exec: {" + c.exec + "}"), "test", {}, true)), "test:9: user \"u\": " + c.expected);
    // The older version may be silent about it, and has no other answer than its own.
    const std::string older = "exec: {apiVersion: client.authentication.k8s.io/v1beta1" + tail;
    EXPECT_TRUE(authorization(*load_kubeconfig({.files = {dir.write("older", config("server: \"https://h\"", older + "v1beta1}]}"))}})).starts_with("Bearer first a "));
    EXPECT_EQ(authorization(*load_kubeconfig({.files = {dir.write("other", config("server: \"https://h\"", older + "v1}]}"))}})),
              "error: exec plugin " + plugin + ": it is configured to use API version client.authentication.k8s.io/v1beta1, but it returned version client.authentication.k8s.io/v1");
}

// Files are merged name by name: an entry of a later file adds nothing to one of the same name (client-go's merge.go), and paths are those of
// the file that has the entry.
TEST(Kubeconfig, EntriesOfOneNameAreNotMixed) {
    TempDir dir;
    dir.write("one/ca.crt", kPem);
    const std::string a = dir.write("one/config", "clusters: [{name: k, cluster: {server: \"https://a\", certificate-authority: ca.crt}}]\nusers: [{name: u, user: {as: jane}}]\n");
    const std::string b = dir.write("two/config", "current-context: c\nclusters: [{name: k, cluster: {server: \"https://b\", tls-server-name: other}}]\nusers: [{name: u, user: {token: t}}]\n"
                                                  "contexts: [{name: c, context: {cluster: k, user: u, namespace: apps}}]\n");
    const auto c = load_kubeconfig({.files = {a, b}});
    ASSERT_TRUE(c) << c.error().to_string();
    EXPECT_EQ(c->server, "https://a");
    EXPECT_EQ(c->tls.ca_file, dir.path() + "/one/ca.crt");
    EXPECT_EQ(c->tls.server_name, "");
    EXPECT_EQ(c->impersonate.user, "jane");
    EXPECT_EQ(authorization(*c), "none");
    EXPECT_EQ(c->ns, "apps");
    EXPECT_EQ(load_kubeconfig({.files = {b, a}})->server, "https://b");
    EXPECT_TRUE(problem(load_kubeconfig({.files = {a}})).ends_with("no context is named and there is no current-context (name one with --context)"));
}

TEST(Kubeconfig, SeveralFilesTheFirstToNameAThingWins) {
    TempDir dir;
    const std::string a = dir.write("a", "current-context: one\nclusters: [{name: k, cluster: {server: \"https://a\"}}]\n");
    const std::string b = dir.write("b", "current-context: two\nclusters: [{name: k, cluster: {server: \"https://b\"}}, {name: l, cluster: {server: \"https://l\"}}]\n"
                                         "contexts: [{name: one, context: {cluster: k}}, {name: two, context: {cluster: l}}]\nusers: [{name: v, user: {token: t}}]\n");
    const std::vector<std::string> files{a, dir.path() + "/missing", b};
    EXPECT_EQ(load_kubeconfig({.files = files})->server, "https://a");
    EXPECT_EQ(load_kubeconfig({.files = files, .context = "two"})->server, "https://l");
    EXPECT_EQ(load_kubeconfig({.files = files, .cluster = "l"})->server, "https://l");
    EXPECT_EQ(authorization(*load_kubeconfig({.files = files, .user = "v"})), "Bearer t");
    EXPECT_EQ(problem(load_kubeconfig({.files = {dir.path() + "/missing"}})), "cannot read the kubeconfig " + dir.path() + "/missing: No such file or directory");
    EXPECT_EQ(problem(load_kubeconfig({.files = {dir.path(), dir.path() + "/missing"}})),
              "cannot read the kubeconfig " + dir.path() + ": Is a directory; " + dir.path() + "/missing: No such file or directory");
    EXPECT_EQ(problem(load_kubeconfig({.files = {dir.write("empty", "")}})), dir.path() + "/empty: no context is named and there is no current-context (name one with --context)");
}

TEST(Kubeconfig, ErrorsNameFileLineAndThing) {
    const struct {
        std::string text, expected;
    } cases[] = {
        {"a: [", "test:1:1: invalid YAML: end of sequence flow not found"},
        {"kind: Deployment\n", "test:1: not a kubeconfig: its kind is Deployment"},
        {"- x\n", "test:1: not a kubeconfig: a map was expected"},
        {"clusters: 3\n", "test:1: clusters must be a list"},
        {"clusters:\n- name: a\n- name: a\n", "test:3: duplicate name \"a\" in clusters"},
        {"clusters:\n- cluster: {}\n", "test:2: an entry of clusters has no name"},
        {"{}", "test: no context is named and there is no current-context (name one with --context)"},
        {"current-context: x\n", "test: context \"x\" does not exist"},
        {config("", ""), "test:6: cluster \"k\": no server given"},
        {config("server: \"https://h\", certificate-authority-data: '%', proxy-url: \"ftp://p\"", ""),
         "test:6: cluster \"k\": proxy-url must begin with http://, https:// or socks5://; certificate-authority-data is not base64"},
        {config("server: \"https://h\"", "token: secret-value, username: a"),
         "test:9: user \"u\": more than one authentication method found; found [token basicAuth], only one is allowed"},
        {config("server: \"https://h\"", "client-certificate-data: " + b64("x")),
         "test:9: user \"u\": client-certificate and client-key must both be given"},
        {config("server: \"https://h\"", "as-groups: [a]"),
         "test:9: user \"u\": requesting uid, groups or user-extra without impersonating a user is not allowed"},
        {config("server: \"https://h\"", "auth-provider: {name: gcp}"), "test:9: user \"u\": auth-provider is not supported, use an exec plugin"},
        {config("server: \"https://h\"", "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}"),
         "test:9: user \"u\": exec plugin: unsupported apiVersion \"client.authentication.k8s.io/v1alpha1\" (client.authentication.k8s.io/v1 and v1beta1 are "
         "spoken)"},
    };
    for (const auto& c : cases) {
        const std::string said = problem(parse_kubeconfig(c.text, "test", {}, true));
        EXPECT_TRUE(said.starts_with(c.expected)) << said << "\nnot: " << c.expected;
        EXPECT_EQ(said.find("secret-value"), std::string::npos);
    }
}

// What people's files look like, as kubectl takes or refuses it.
TEST(Kubeconfig, OddFiles) {
    const auto server_of = [](const std::string& text) {
        const auto c = parse_kubeconfig(text, "test", {}, true);
        return c ? c->server : c.error().to_string();
    };
    const std::string users = "users: [{name: u, user: {}}]\n", cluster = "clusters: [{name: k, cluster: {server: \"https://h\"}}]\n", context = "contexts: [{name: c, context: {cluster: k, user: u}}]\n";
    EXPECT_TRUE(server_of(cluster + context + users + "current-context: ''\n").ends_with("no context is named and there is no current-context (name one with --context)"));
    EXPECT_TRUE(server_of(cluster + context + users + "current-context: null\n").ends_with("(name one with --context)"));
    EXPECT_EQ(server_of("# a comment\n---\n" + cluster + context + users + "current-context: \"c\"\npreferences: {}\nextensions: [{name: x, extension: {a: [1]}}]\nfuture: {x: y}\n"), "https://h");
    EXPECT_EQ(server_of("{\"kind\":\"Config\",\"apiVersion\":\"v1\",\"current-context\":\"c\",\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":\"https://h\"}}],"
                        "\"users\":[{\"name\":\"u\",\"user\":{}}],\"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":\"k\",\"user\":\"u\"}}]}"),
              "https://h") << "JSON";
    EXPECT_TRUE(server_of(cluster + "contexts:\n- {name: c, context: {cluster: k, user: u}}\n- {name: c, context: {cluster: k, user: u}}\n" + users + "current-context: c\n")
                    .starts_with("test:4: duplicate name \"c\" in contexts"));
    EXPECT_TRUE(server_of(cluster + "contexts: [{name: c, context: {cluster: k, user: other}}]\n" + users + "current-context: c\n").ends_with("user \"other\" does not exist"));
    EXPECT_EQ(server_of("clusters: null\ncontexts: null\nusers: null\ncurrent-context: c\n").find("context \"c\" does not exist") != std::string::npos, true);

    std::string wrapped = b64(kPem); // as with "base64" without -w0
    for (std::size_t at = 20; at < wrapped.size(); at += 21) wrapped.insert(at, "\n");
    const auto lines = [&](const std::string& indent) {
        std::string out;
        for (std::size_t at = 0; at < wrapped.size();) {
            const std::size_t end = std::min(wrapped.find('\n', at), wrapped.size());
            out += indent + wrapped.substr(at, end - at) + "\n";
            at = end + 1;
        }
        return out;
    };
    for (const char* style : {"|", ">", "|-", ">-"}) {
        const auto c = parse_kubeconfig("current-context: c\n" + context + users + "clusters:\n- name: k\n  cluster:\n    server: https://h\n    certificate-authority-data: " + style + "\n" + lines("      "), "test", {}, true);
        // Folded lines have blanks between them, which base64 has not.
        EXPECT_EQ(c.has_value(), *style == '|') << style << problem(c);
        EXPECT_EQ(c ? c->tls.ca : kPem, kPem) << style;
    }
}

// Two of a kind are refused, not chosen from (client-go's validation.go).
TEST(Kubeconfig, WhatExcludesEachOther) {
    TempDir dir;
    const std::string file = dir.write("file", "pem");
    const struct {
        std::string cluster, user, expected;
    } cases[] = {
        {"server: \"https://h\", certificate-authority: " + file + ", certificate-authority-data: " + b64(kPem), "", "test:6: cluster \"k\": certificate-authority-data and certificate-authority are both specified"},
        {"server: \"https://h\", insecure-skip-tls-verify: true, certificate-authority-data: " + b64(kPem), "", "test:6: cluster \"k\": specifying a root certificates file with the insecure flag is not allowed"},
        {"server: \"https://h\", insecure-skip-tls-verify: true, tls-server-name: other", "", "none"},
        {"server: \"https://h\"", "client-certificate: " + file + ", client-certificate-data: " + b64("c") + ", client-key-data: " + b64("k"), "test:9: user \"u\": client-certificate-data and client-certificate are both specified"},
        {"server: \"https://h\"", "client-certificate-data: " + b64("c") + ", client-key-data: " + b64("k") + ", client-key: " + file, "test:9: user \"u\": client-key-data and client-key are both specified"},
    };
    for (const auto& c : cases) EXPECT_EQ(problem(parse_kubeconfig(config(c.cluster, c.user), "test", {}, true)), c.expected) << c.cluster << c.user;
}

TEST(Kubeconfig, UntrustedTextMayNotTouchThisMachine) {
    const auto refused = [](const std::string& cluster, const std::string& user) {
        const auto c = parse_kubeconfig(config(cluster, user), "test");
        return !c && c.error().code == ErrorCode::unsupported;
    };
    EXPECT_FALSE(refused("server: \"https://h\"", "token: t"));
    EXPECT_TRUE(refused("server: \"unix:///run/x\"", ""));
    EXPECT_TRUE(refused("server: \"https://h\", certificate-authority: /etc/passwd", ""));
    EXPECT_TRUE(refused("server: \"https://h\"", "tokenFile: /etc/passwd"));
    EXPECT_TRUE(refused("server: \"https://h\"", "exec: {apiVersion: client.authentication.k8s.io/v1, command: id}"));
}

// kustomization.md 6.6
TEST(Kubeconfig, ForeignOnesAreSanitized) {
    const std::string text = config("server: \"https://h:1/p\", tls-server-name: n, proxy-url: \"http://p\", insecure-skip-tls-verify: true, disable-compression: true",
                                    "tokenFile: /etc/passwd, token: t, client-certificate-data: " + b64("cert") + ", client-key-data: " + b64("key") +
                                        ", as: admin, as-groups: [\"system:masters\"]");
    const auto c = parse_foreign_kubeconfig(text, "Secret/ns/k");
    ASSERT_TRUE(c) << c.error().to_string();
    EXPECT_EQ(c->server, "https://h:1/p");
    EXPECT_EQ(c->tls.server_name, "n");
    EXPECT_EQ(c->proxy_url, "http://p");
    EXPECT_FALSE(c->tls.insecure);
    EXPECT_FALSE(c->disable_compression);
    EXPECT_TRUE(c->impersonate.empty());
    EXPECT_EQ(authorization(*c), "Bearer t");
    EXPECT_EQ(c->credentials->get({})->certificate, "cert");
    EXPECT_EQ(c->timeout, std::chrono::seconds(30));
    EXPECT_EQ(c->dropped, (std::vector<std::string>{"insecure-skip-tls-verify", "as", "tokenFile"}));
    EXPECT_TRUE(parse_foreign_kubeconfig(text, "x", {.insecure_tls = true})->tls.insecure);

    const auto ca = parse_foreign_kubeconfig(config("server: \"https://h\", certificate-authority: /etc/passwd", "username: a, password: b"), "x");
    EXPECT_TRUE(ca->tls.ca_file.empty());
    EXPECT_TRUE(ca->tls.ca.empty());
    EXPECT_EQ(authorization(*ca), "Basic " + b64("a:b"));
    EXPECT_EQ(parse_foreign_kubeconfig(config("server: \"https://h\", certificate-authority-data: " + b64(kPem), ""), "x")->tls.ca, kPem);

    const std::string exec = config("server: \"https://h\"", "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: /bin/false}");
    const auto no_exec = parse_foreign_kubeconfig(exec, "x");
    ASSERT_TRUE(no_exec);
    EXPECT_EQ(no_exec->credentials, nullptr);
    EXPECT_EQ(no_exec->dropped, std::vector<std::string>{"exec"});
    EXPECT_TRUE(authorization(*parse_foreign_kubeconfig(exec, "x", {.exec = true})).starts_with("error: exec plugin /bin/false"));
    EXPECT_FALSE(parse_foreign_kubeconfig(config("server: \"unix:///run/x\"", ""), "x"));
}

TEST(Kubeconfig, AliasesOfAliasesEnd) {
    std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c <= 'k'; ++c) {
        const std::string p(1, static_cast<char>(c - 1));
        bomb += std::string(1, c) + ": &" + c + " [*" + p + ",*" + p + ",*" + p + ",*" + p + ",*" + p + ",*" + p + ",*" + p + ",*" + p + ",*" + p + "]\n";
    }
    bomb += "current-context: c\nclusters: [{name: k, cluster: {server: \"https://h\", extensions: [{name: client.authentication.k8s.io/exec, extension: *k}]}}]\n"
            "contexts: [{name: c, context: {cluster: k}}]\n";
    const auto began = std::chrono::steady_clock::now();
    (void)parse_foreign_kubeconfig(bomb, "x");
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
}

TEST(InCluster, ReadsWhatAPodIsGiven) {
    TempDir dir;
    dir.write("token", "one");
    dir.write("ca.crt", kPem);
    dir.write("namespace", "flux-system");
    ::unsetenv("KUBERNETES_SERVICE_HOST");
    EXPECT_TRUE(problem(in_cluster_config(dir.path())).starts_with("not inside a pod"));
    ::setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    ::setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    const auto c = in_cluster_config(dir.path());
    const auto missing = in_cluster_config(dir.path() + "/missing");
    ::unsetenv("KUBERNETES_SERVICE_HOST");
    ::unsetenv("KUBERNETES_SERVICE_PORT");
    ASSERT_TRUE(c) << c.error().to_string();
    EXPECT_EQ(c->server, "https://[fd00::1]:443");
    EXPECT_EQ(c->tls.ca_file, dir.path() + "/ca.crt");
    EXPECT_EQ(c->ns, "flux-system");
    EXPECT_EQ(authorization(*c), "Bearer one");
    EXPECT_FALSE(missing);
}

} // namespace
