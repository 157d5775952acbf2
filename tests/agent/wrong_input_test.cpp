// Mistakes in a source, an address or an account, as the user of `weber reconcile --once` meets them: which object, where, why and what next.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "kube/base/yaml.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "kube/server/server.h"
#include "tests/agent/run_binary.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;
namespace stdfs = std::filesystem;

constexpr const char* kSync = R"(apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 1m
  url: https://example.org/fleet
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 10m
  path: ./clusters/a
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
)";
constexpr const char* kApp = R"(apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec:
  interval: 10m
  path: ./app
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
)";
constexpr const char* kConfigMap = R"(apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default}
data:
  a: b
)";

// The smallest fleet: cluster a, its Kustomization, and one below it with a base and a ConfigMap.
class WrongInput : public testing::Test {
protected:
    void SetUp() override { make(); }
    void make() {
        stdfs::remove_all(dir / "f");
        dir.write("f/clusters/a/flux-system/sync.yaml", kSync);
        dir.write("f/clusters/a/flux-system/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: flux-system}\n");
        dir.write("f/clusters/a/app.yaml", kApp);
        dir.write("f/app/kustomization.yaml", "resources:\n- ../base\n- settings.yaml\n");
        dir.write("f/app/settings.yaml", kConfigMap);
        dir.write("f/base/kustomization.yaml", "resources:\n- account.yaml\n");
        dir.write("f/base/account.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: account, namespace: default}\n");
    }
    Ran run(std::vector<std::string> more = {}) {
        stdfs::remove_all(dir / "state");
        std::vector<std::string> words = {"reconcile", "--once", "--path", dir / "f", "--cluster", "a"};
        if (more.empty()) more = {"--state", dir / "state"};
        words.insert(words.end(), more.begin(), more.end());
        return weber(words, {.environment = {{"XDG_CACHE_HOME", dir / "cache"}}});
    }
    TempDir dir;
};

std::string alias_bomb() {
    std::string out = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string n = std::to_string(i), below = "*a" + std::to_string(i - 1);
        out += "a" + n + ": &a" + n + " [" + below;
        for (int j = 1; j < 10; ++j) out += ", " + below;
        out += "]\n";
    }
    return out;
}

struct InSource {
    std::string name, file, text;           // what is written where, in place of what the fleet has
    std::vector<std::string> says;          // on stderr
};

TEST_F(WrongInput, InTheSource) {
    const std::string app = kApp, map = kConfigMap;
    const auto with = [](std::string text, const std::string& from, const std::string& to) { return text.replace(text.find(from), from.size(), to); };
    const std::string helm = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: charts, namespace: flux-system}\nspec: {url: 'https://x', interval: 1m}\n";
    const std::string flux = "✗ Kustomization flux-system/flux-system failed (ReconciliationFailed)\n";
    const std::string build = "✗ Kustomization flux-system/app failed (BuildFailed)\n";
    const std::vector<InSource> cases = {
        {"unknown field of a Kustomization", "clusters/a/app.yaml", app + "  prun: true\n",
         {flux, "f/clusters/a/app.yaml:9: Kustomization/flux-system/app dry-run failed: ", ".spec.prun: field not declared in schema\n"}},
        {"unknown field of the GitRepository", "clusters/a/flux-system/sync.yaml", with(kSync, "  url:", "  branch: main\n  url:"),
         {"f/clusters/a/flux-system/sync.yaml:6: GitRepository/flux-system/flux-system: spec.branch: unknown field\n"}},
        {"unknown field of a nested kustomization", "base/kustomization.yaml", "resources:\n- account.yaml\nresourcs: [x]\n",
         {build, "f/base/kustomization.yaml:3", "unknown field \"resourcs\""}},
        {"wrong value", "clusters/a/app.yaml", with(app, "10m", "5x"),
         {flux, "f/clusters/a/app.yaml:5: Kustomization/flux-system/app dry-run failed (Invalid): ", "spec.interval: Invalid value: \"5x\""}},
        {"cycle", "clusters/a/app.yaml", app + "  dependsOn:\n  - name: other\n---\n" + with(app, "name: app", "name: other") + "  dependsOn:\n  - name: app\n",
         {"✗ Kustomization flux-system/app did not run: it waits for flux-system/other\n  " + dir.path() +
              "/f/clusters/a/app.yaml:10: Kustomization/flux-system/app: circular dependency detected: flux-system/app -> flux-system/other -> flux-system/app\n",
          "✗ Kustomization flux-system/other did not run: it waits for flux-system/app\n  " + dir.path() +
              "/f/clusters/a/app.yaml:21: Kustomization/flux-system/other: circular dependency detected: flux-system/app -> flux-system/other -> flux-system/app\n",
          "  next step: take one of these dependencies out of spec.dependsOn\n"}},
        {"dependency that is not there", "clusters/a/app.yaml", app + "  dependsOn: [{name: nobody}]\n",
         {"✗ Kustomization flux-system/app did not run: it waits for flux-system/nobody\n", "f/clusters/a/app.yaml:9: ", "\"nobody\" not found\n", "\n  next step: "}},
        {"missing base", "app/kustomization.yaml", "resources:\n- settings.yaml\n- ../bass\n", {build, "f/app/kustomization.yaml:3: ", "f/bass: no such file or directory"}},
        {"missing file", "app/kustomization.yaml", "resources:\n- nothing.yaml\n", {build, "f/app/kustomization.yaml:2: ", "nothing.yaml: no such file or directory"}},
        {"directory outside", "app/kustomization.yaml", "resources:\n- ../../../../../etc\n",
         {build, "f/app/kustomization.yaml:2: ", "is not in or below", "\n  next step: a source can only use its own files\n"}},
        {"file outside", "app/kustomization.yaml", "resources:\n- ../../../../../../etc/hostname\n", {build, "f/app/kustomization.yaml:2: ", "is not in or below"}},
        {"path of a Kustomization", "clusters/a/app.yaml", with(app, "./app", "./ap"),
         {"✗ Kustomization flux-system/app failed (ArtifactFailed)\n", "f/clusters/a/app.yaml:6: Kustomization/flux-system/app: kustomization path not found: ", "\n  next step: "}},
        {"invalid YAML", "app/settings.yaml", "kind: ConfigMap\n data: [\n", {build, "f/app/settings.yaml:2:", "mapping values are not allowed in this context"}},
        {"key twice", "app/settings.yaml", map + "data: {}\n", {build, "f/app/settings.yaml:6: ", "mapping key \"data\" already defined"}},
        {"aliases of aliases", "app/settings.yaml", alias_bomb(), {build, "f/app/settings.yaml:", "document contains excessive aliasing"}},
        {"no kind", "app/settings.yaml", with(map, "kind: ConfigMap", "x: y"), {build, "f/app/settings.yaml:1: ", "missing kind in object settings\n"}},
        {"unknown field of an object", "app/settings.yaml", with(map, "\ndata:", "\ndato:"),
         {"f/app/settings.yaml:5: ConfigMap/default/settings dry-run failed: ", ".dato: field not declared in schema\n"}},
        {"type of a value", "app/settings.yaml", with(map, "a: b", "x: y\n  a: 1"), {"f/app/settings.yaml:6: ConfigMap/default/settings dry-run failed: ", ".data.a: expected string"}},
        {"namespace that is not there", "app/settings.yaml", with(map, "default", "nowhere"),
         {"f/app/settings.yaml:1: ConfigMap/nowhere/settings not found: namespaces \"nowhere\" not found\n"}},
        {"OCIRepository", "clusters/a/app.yaml", with(app, "kind: GitRepository", "kind: OCIRepository"),
         {"f/clusters/a/app.yaml:8: Kustomization/flux-system/app: spec.sourceRef.kind: a one-shot run reads no OCIRepository", "\n  next step: take a GitRepository"}},
        {"Bucket", "clusters/a/app.yaml", with(app, "kind: GitRepository", "kind: Bucket"), {"f/clusters/a/app.yaml:8: ", "a one-shot run reads no Bucket", "\n  next step: "}},
        {"source that is not there", "clusters/a/app.yaml", with(app, "GitRepository, name: flux-system", "GitRepository, name: other"),
         {"f/clusters/a/app.yaml:8: GitRepository/flux-system/other: ", "\"other\" not found\n", "\n  next step: correct the name in spec.sourceRef"}},
        {"HelmRepository", "clusters/a/charts.yaml", helm,
         {flux, "f/clusters/a/charts.yaml:1: HelmRepository/flux-system/charts dry-run failed: no matches for kind \"HelmRepository\"", "\n  next step: the cluster has no such kind"}},
        {"remote cluster", "clusters/a/app.yaml", app + "  kubeConfig: {secretRef: {name: x}}\n",
         {"✗ Kustomization flux-system/app failed (UnsupportedField)\n", "f/clusters/a/app.yaml:9: Kustomization/flux-system/app: spec.kubeConfig: "}},
    };
    for (const InSource& c : cases) {
        make();
        dir.write("f/" + c.file, c.text);
        const Ran r = run();
        EXPECT_EQ(r.status, 1) << c.name << '\n' << r.err;
        for (const std::string& text : c.says) EXPECT_THAT(r.err, HasSubstr(text)) << c.name;
    }
}

// As with Flux's controller, which reads this one file with less care than kustomize does.
TEST_F(WrongInput, AnIgnoredFieldIsAWarning) {
    dir.write("f/app/kustomization.yaml", "resources:\n- settings.yaml\nresourcs: [x]\n");
    const Ran r = run();
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_THAT(r.err, HasSubstr("⚠️ Kustomization flux-system/app: app/kustomization.yaml:3: unknown field \"resourcs\" is ignored"));
}

TEST_F(WrongInput, UnreachableApiServer) {
    const std::string config = dir.write("config", "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\nusers: [{name: u, user: {}}]\n"
                                                   "contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n");
    for (const Ran& r : {run({"--kubeconfig", config}), weber({"get", "kustomizations", "--kubeconfig", config})}) {
        EXPECT_EQ(r.status, 1);
        EXPECT_EQ(r.out, "");
        EXPECT_THAT(r.err, HasSubstr("127.0.0.1"));
        EXPECT_THAT(r.err, HasSubstr("Couldn't connect to server\n  is the API server running, and is its address right?\n"));
    }
}

TEST_F(WrongInput, UnreachableGit) {
    const Ran r = weber({"reconcile", "--once", "--url", "http://127.0.0.1:1/fleet.git", "--branch", "main", "--cluster", "a", "--state", dir / "state"},
                        {.environment = {{"XDG_CACHE_HOME", dir / "cache"}}});
    EXPECT_EQ(r.status, 1);
    EXPECT_EQ(r.out, "");
    EXPECT_THAT(r.err, HasSubstr("✗ cannot fetch http://127.0.0.1:1/fleet.git: Couldn't connect to server\n  check the URL and the network\n"));
}

// An account that may write Flux's objects but no ServiceAccount: the refusal is told with account, verb and file.
TEST_F(WrongInput, ForbiddenByRbac) {
    kube::ServerOptions options;
    options.authorization = kube::ServerOptions::Authorization::rbac;
    const auto server = kube::Server::start(options);
    ASSERT_TRUE(server) << server.error().to_string();
    const std::string admin = (*server)->kubeconfig(), config = dir.write("admin", admin);
    const auto client = kube::Client::connect(*kube::load_kubeconfig({.files = {config}}));
    ASSERT_TRUE(client);
    const std::string limited = dir.write("limited", admin + "    as: system:serviceaccount:default:limited\n");

    const Ran nothing = run({"--kubeconfig", limited});
    EXPECT_EQ(nothing.status, 1);
    EXPECT_THAT(nothing.err, HasSubstr("is forbidden: User \"system:serviceaccount:default:limited\" cannot get resource \"customresourcedefinitions\""));
    EXPECT_THAT(nothing.err, HasSubstr("\n  give the account a role that allows it"));

    const auto roles = kube::read_yaml("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: limited}\nrules:\n"
                                       "- {apiGroups: ['*'], resources: ['*'], verbs: [get, list, watch]}\n"
                                       "- {apiGroups: [kustomize.toolkit.fluxcd.io, source.toolkit.fluxcd.io, apiextensions.k8s.io], resources: ['*'], verbs: ['*']}\n"
                                       "- {apiGroups: [''], resources: [namespaces, configmaps], verbs: ['*']}\n---\n"
                                       "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: limited}\n"
                                       "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: limited}\n"
                                       "subjects: [{kind: ServiceAccount, namespace: default, name: limited}]\n");
    for (const Node& role : *roles) ASSERT_TRUE((*client)->apply(Object(role), {.field_manager = "test"}));
    const Ran r = run({"--kubeconfig", limited});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, HasSubstr("✗ Kustomization flux-system/app failed (ReconciliationFailed)\n"));
    EXPECT_THAT(r.err, HasSubstr("f/base/account.yaml:1: ServiceAccount/default/account dry-run failed (Forbidden): serviceaccounts \"account\" is forbidden: "
                                 "User \"system:serviceaccount:default:limited\" cannot patch resource \"serviceaccounts\""));
    EXPECT_THAT(r.err, HasSubstr("\n  next step: give the account a role that allows it"));
    EXPECT_THAT(r.err, HasSubstr("✗ 1 of 2 Kustomizations ready"));
}

} // namespace
} // namespace weber::agent_test
