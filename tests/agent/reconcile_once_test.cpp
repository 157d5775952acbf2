// `weber reconcile --once` as a user meets it: the reference fleet, then what goes wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <test_paths.h>

#include <filesystem>
#include <set>

#include "agent/cluster.h"
#include "gitops/api/names.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "tests/agent/run_binary.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace stdfs = std::filesystem;

class ReconcileOnce : public testing::Test {
protected:
    void SetUp() override { stdfs::copy(WEBER_SOURCE_DIR "/deploy/fleet", dir / "fleet", stdfs::copy_options::recursive); }

    Ran run(std::vector<std::string> more = {}) {
        std::vector<std::string> words = {"reconcile", "--once", "--path", dir / "fleet", "--cluster", "home", "--state", dir / "state"};
        words.insert(words.end(), more.begin(), more.end());
        return weber(words);
    }
    void replace(const std::string& file, const std::string& from, const std::string& to) {
        std::string text = read_file(dir / ("fleet/" + file));
        const std::size_t at = text.find(from);
        ASSERT_NE(at, std::string::npos) << file;
        dir.write("fleet/" + file, text.replace(at, from.size(), to));
    }
    std::vector<std::string> subjects(const kube::GroupVersionKind& gvk) {
        kube::ServerOptions options;
        options.data_dir = dir / "state";
        auto cluster = agent::open_embedded(options);
        std::vector<std::string> out;
        if (!cluster) return out;
        const auto found = cluster->client->list(gvk);
        for (const Object& o : found.value().items) out.push_back(o.subject());
        return out;
    }
    TempDir dir;
};

TEST_F(ReconcileOnce, FleetBecomesReadyThenUnchanged) {
    const Ran first = run();
    ASSERT_EQ(first.status, 0) << first.err;
    EXPECT_THAT(first.out, HasSubstr("StatefulSet/apps/postgres created\n"));
    EXPECT_THAT(first.err, HasSubstr("flux-system/apps: waiting for flux-system/infrastructure\n"));
    EXPECT_THAT(first.err, HasSubstr("✔ 3 of 3 Kustomizations ready at "));
    EXPECT_THAT(first.out + first.err, Not(HasSubstr("\x1b["))); // no terminal, no escapes

    const Ran second = run({"-o", "json"});
    ASSERT_EQ(second.status, 0) << second.err;
    const Node report = kube::read_json(second.out).value();
    EXPECT_TRUE(report.find("ok")->as_bool());
    EXPECT_EQ(report.find_path({"summary", "created"})->as_int(), 0);
    EXPECT_EQ(report.find_path({"summary", "configured"})->as_int(), 0);
    EXPECT_GT(report.find_path({"summary", "unchanged"})->as_int(), 40);
    EXPECT_EQ(report.find_path({"requests", "writes"})->as_int(), 0);
}

TEST_F(ReconcileOnce, EditIsConfiguredRemovalIsPruned) {
    ASSERT_EQ(run().status, 0);
    replace("apps/redis/deployment.yaml", "replicas: 1", "replicas: 2");
    replace("apps/kustomization.yaml", "- nats\n", "");

    const Ran plan = run({"--dry-run"});
    EXPECT_EQ(plan.status, 0) << plan.err;
    EXPECT_THAT(plan.out, HasSubstr("Deployment/apps/redis configured (dry run)\n"));
    EXPECT_THAT(plan.out, HasSubstr("    - spec.replicas: 1\n    + spec.replicas: 2\n"));
    EXPECT_THAT(plan.out, HasSubstr("StatefulSet/apps/nats pruned (dry run)\nService/apps/nats pruned")); // what goes is on the cluster, to be looked at there
    EXPECT_THAT(plan.err, HasSubstr("nothing was changed"));

    const Ran real = run();
    EXPECT_EQ(real.status, 0) << real.err;
    EXPECT_THAT(real.out, HasSubstr("Deployment/apps/redis configured\n"));
    EXPECT_THAT(real.out, HasSubstr("StatefulSet/apps/nats pruned\n"));
    EXPECT_THAT(real.err, HasSubstr("0 created, 1 configured, "));
    EXPECT_THAT(real.err, HasSubstr(", 5 pruned\n"));
    EXPECT_EQ(subjects({"apps", "v1", "StatefulSet"}), (std::vector<std::string>{"StatefulSet/apps/etcd", "StatefulSet/apps/postgres"}));
}

TEST_F(ReconcileOnce, BrokenManifestLeavesTheLastGoodState) {
    ASSERT_EQ(run().status, 0);
    const auto before = subjects({"apps", "v1", "StatefulSet"});
    dir.write("fleet/apps/etcd/service.yaml", "apiVersion: v1\nkind: Service\nmetadata: [\n");
    const Ran r = run();
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, HasSubstr("✗ Kustomization flux-system/apps failed (BuildFailed)\n"));
    EXPECT_THAT(r.err, testing::ContainsRegex("fleet/apps/etcd/service.yaml:[34]:"));
    EXPECT_THAT(r.err, HasSubstr("✗ 2 of 3 Kustomizations ready"));
    EXPECT_EQ(subjects({"apps", "v1", "StatefulSet"}), before);
}

TEST_F(ReconcileOnce, FailedInfrastructureHoldsAppsBack) {
    replace("clusters/home/infrastructure.yaml", "timeout: 5m0s", "timeout: 1s");
    const Ran r = run({"--fail", "Deployment/onepassword-system/onepassword-connect-operator"});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, HasSubstr("✗ Kustomization flux-system/infrastructure failed (HealthCheckFailed)\n"));
    EXPECT_THAT(r.err, HasSubstr("\n    Deployment/onepassword-system/onepassword-connect-operator "));
    EXPECT_THAT(r.err, HasSubstr("\n  next step: look at these objects with kubectl describe"));
    EXPECT_THAT(r.err, HasSubstr("✗ Kustomization flux-system/apps did not run: it waits for flux-system/infrastructure\n"));
    EXPECT_THAT(r.out, Not(HasSubstr("StatefulSet/apps/postgres")));
}

TEST_F(ReconcileOnce, DryRunOnAFreshClusterLeavesNothingBehind) {
    const Ran r = run({"--dry-run"});
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_FALSE(stdfs::exists(dir / "state"));
    EXPECT_THAT(r.out, HasSubstr("Namespace/flux-system created (dry run)\n    + apiVersion: v1\n    + kind: Namespace\n    + metadata:\n    +   name: flux-system\n"));
    EXPECT_THAT(r.out, HasSubstr("CustomResourceDefinition/kustomizations.kustomize.toolkit.fluxcd.io created (dry run)\nNamespace/")); // no schemas
    EXPECT_THAT(r.out, HasSubstr("    + data.WEBUI_ADMIN_PASSWORD: ***\n"));
}

TEST_F(ReconcileOnce, StateHasAPlaceOfItsOwnForEachCluster) {
    const std::map<std::string, std::string> environment = {{"XDG_STATE_HOME", dir / "xdg"}};
    for (const char* cluster : {"home", "staging"})
        ASSERT_EQ(weber({"reconcile", "--once", "--path", dir / "fleet", "--cluster", cluster}, {.environment = environment}).status, 0);
    std::vector<std::string> names;
    for (const auto& entry : stdfs::directory_iterator(dir / "xdg/weber")) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    ASSERT_EQ(names.size(), 2u);
    EXPECT_THAT(names[0], testing::MatchesRegex("fleet-home-[0-9a-f]{8}"));
    EXPECT_THAT(names[1], testing::MatchesRegex("fleet-staging-[0-9a-f]{8}"));
}

TEST_F(ReconcileOnce, PlantedSecretsAppearNowhere) {
    dir.write("fleet/apps/redis/planted.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: planted}\nstringData: {password: planted-value-1}\n");
    replace("apps/redis/kustomization.yaml", "resources:\n", "resources:\n- planted.yaml\n");
    std::string seen;
    const auto note = [&](const Ran& r) { seen += r.out + r.err; };
    note(run({"--dry-run"}));
    note(run());
    replace("apps/redis/planted.yaml", "planted-value-1", "planted-value-2");
    note(run({"--dry-run"}));
    note(run({"--dry-run", "-o", "yaml"}));
    note(run({"-o", "json"}));
    EXPECT_THAT(seen, HasSubstr("Secret/apps/planted"));
    for (const char* planted : {"planted-value-1", "planted-value-2", "cGxhbnRlZC12YWx1ZS0x", "cGxhbnRlZC12YWx1ZS0y"})
        EXPECT_THAT(seen, Not(HasSubstr(planted)));
}

// What the three things after a build are for: variables of a ConfigMap and of an encrypted Secret whose key the bootstrap made, and a rule that waits for
// an operator. None of the values shows up anywhere.
TEST_F(ReconcileOnce, TheFleetUsesVariablesEncryptedFilesAndHealthExpressions) {
    const Ran made = weber({"bootstrap", "secrets", "-f", dir / "fleet/bootstrap/secrets.yaml", "--cluster", "home", "--state", dir / "state"},
                           {.environment = {{"OP_SERVICE_ACCOUNT_TOKEN", "planted-token"}}});
    ASSERT_EQ(made.status, 0) << made.err;
    const Ran plan = run({"--dry-run"}), real = run(), json = run({"-o", "json"});
    ASSERT_EQ(real.status, 0) << real.err;
    std::set<std::string> values;
    {
        kube::ServerOptions options;
        options.data_dir = dir / "state";
        const auto cluster = agent::open_embedded(options);
        ASSERT_TRUE(cluster);
        const auto data = [&](const std::string& ns, const std::string& name) {
            std::map<std::string, std::string> out;
            const auto secret = cluster->client->get({.gvk = {"", "v1", "Secret"}, .ns = ns, .name = name});
            if (!secret || secret->at({"data"}) == nullptr) return out;
            for (const auto& e : secret->at({"data"})->entries()) {
                out.emplace(std::string(e.key.view()), kube::base64_decode(e.value.text()).value());
                values.insert(std::string(e.value.text()));
                values.insert(out.at(std::string(e.key.view())));
            }
            return out;
        };
        const std::string password = data("flux-system", "cluster-secrets")["openwebui_admin_password"];
        EXPECT_THAT(password, testing::StartsWith("admin-"));
        auto admin = data("apps", "openwebui-admin");
        EXPECT_EQ(admin["WEBUI_ADMIN_PASSWORD"], password);
        EXPECT_EQ(admin["WEBUI_ADMIN_EMAIL"], "admin@home.example.org");
        values.erase("admin@home.example.org");
        (void)data("flux-system", "sops-age");
        (void)data("apps", "nats-credentials");
        const auto item = cluster->client->get({.gvk = {"onepassword.com", "v1", "OnePasswordItem"}, .ns = "apps", .name = "litellm-api-keys"});
        ASSERT_TRUE(item);
        EXPECT_EQ(item->at({"status", "conditions"})->items()[0].text_at("status"), "True");
    }
    EXPECT_GT(values.size(), 10u);
    for (const Ran& r : {made, plan, real, json})
        for (const std::string& value : values) EXPECT_THAT(r.out + r.err, Not(HasSubstr(value)));
}

TEST_F(ReconcileOnce, AnItemThatItsOperatorCannotMakeFailsTheRule) {
    const Ran r = run({"--fail", "OnePasswordItem/onepassword-system/onepassword-check"});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, HasSubstr("OnePasswordItem/onepassword-system/onepassword-check status: 'Failed'"));
    EXPECT_THAT(r.err, HasSubstr("✗ Kustomization flux-system/apps did not run: it waits for flux-system/infrastructure\n"));
}

TEST_F(ReconcileOnce, AnEncryptedFileWithoutItsKeySaysWhichSecretIsMissing) {
    ASSERT_EQ(weber({"bootstrap", "secrets", "-f", dir / "fleet/bootstrap/secrets.yaml", "--cluster", "home", "--state", dir / "other"},
                    {.environment = {{"OP_SERVICE_ACCOUNT_TOKEN", "x"}}}).status, 0);
    const Ran r = run();
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, HasSubstr("secrets \"sops-age\" not found"));
    EXPECT_THAT(r.err, HasSubstr("bin/bootstrap-cluster.sh"));
}

TEST_F(ReconcileOnce, ValuesOfAFileStandForTheClustersAndWhatIsMissingIsNamed) {
    replace("clusters/home/apps.yaml", "name: cluster-secrets\n      optional: true", "name: cluster-secrets");
    const std::string values = dir.write("values.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: cluster-secrets, namespace: flux-system}\n"
                                                        "stringData: {openwebui_admin_password: admin-planted-value}\n---\ncluster_domain: example.net\n");
    const Ran given = run({"--values", values});
    EXPECT_EQ(given.status, 0) << given.err;
    EXPECT_THAT(given.out + given.err, Not(HasSubstr("planted-value")));
    stdfs::remove(dir / "fleet/infrastructure/overlays/home/cluster-secrets.yaml");
    replace("infrastructure/overlays/home/kustomization.yaml", "- cluster-secrets.yaml\n", "");
    const Ran missing = run();
    EXPECT_EQ(missing.status, 1);
    EXPECT_THAT(missing.err, HasSubstr("substitute from 'Secret/cluster-secrets' error: secrets \"cluster-secrets\" not found"));
}

TEST_F(ReconcileOnce, NoDiffShowsAVariableFromASecretInWhateverObject) {
    dir.write("fleet/apps/redis/leak.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: leak}\ndata: {url: 'https://u:${openwebui_admin_password}@h', open: 'shown'}\n");
    replace("apps/redis/kustomization.yaml", "resources:\n", "resources:\n- leak.yaml\n");
    const auto with = [&](const std::string& password) {
        return dir.write("values-" + password + ".yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: cluster-secrets, namespace: flux-system}\nstringData: {openwebui_admin_password: " + password + "}\n");
    };
    const Ran fresh = run({"--values", with("planted-old"), "--dry-run"});
    ASSERT_EQ(run({"--values", with("planted-old")}).status, 0);
    const Ran changed = run({"--values", with("planted-new"), "--dry-run"});
    const Ran json = run({"--values", with("planted-new"), "--dry-run", "-o", "json"});
    for (const Ran& r : {fresh, changed, json}) {
        EXPECT_EQ(r.status, 0) << r.err;
        EXPECT_THAT(r.out, HasSubstr("leak"));
        EXPECT_THAT(r.out + r.err, Not(HasSubstr("planted")));
    }
    EXPECT_THAT(fresh.out, HasSubstr("open: shown"));
    EXPECT_THAT(changed.out, HasSubstr("+ data.url: '*** (after)'"));
}

TEST_F(ReconcileOnce, AVariableWithoutValueIsAnErrorAsInTheAgent) {
    dir.write("fleet/apps/redis/typo.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndata: {d: 'x${cluster_domian}'}\n");
    replace("apps/redis/kustomization.yaml", "resources:\n", "resources:\n- typo.yaml\n");
    const Ran strict = run();
    EXPECT_EQ(strict.status, 1);
    EXPECT_THAT(strict.err, HasSubstr("variable not set (strict mode): \"cluster_domian\""));
    EXPECT_EQ(run({"--strict-substitute=false"}).status, 0);
}

struct Wrong {
    std::vector<std::string> words;
    int status;
    std::string err;
};

TEST_F(ReconcileOnce, WrongInput) {
    const std::string fleet = dir / "fleet";
    const std::vector<Wrong> cases = {
        {{"reconcile"}, 2, "✗ say --once"},
        {{"reconcile", "--once", "--path", fleet, "--url", "x"}, 2, "✗ --path and --url exclude each other"},
        {{"reconcile", "--once", "--path", fleet, "--branch", "x"}, 2, "✗ --branch goes with --url"},
        {{"reconcile", "--once", "--context", "c", "--state", "s"}, 2, "✗ --kubeconfig and --context cannot be combined with"},
        {{"reconcile", "--once", "--path", fleet, "--cluster", "../home"}, 2, "✗ --cluster is the name of a folder below clusters/"},
        {{"reconcile", "--once", "--path", fleet, "--cluster", "home", "--state", dir / "state", "--timeout", "1ms", "--rollout-delay", "1h"}, 1,
         "the run's time limit of 1ms (--timeout) passed"},
        {{"reconcile", "--once", "-o", "xml"}, 2, "✗ --output must be table, json or yaml, not xml"},
        {{"reconcile", "--once", "--paht", fleet}, 2, "did you mean --path?"},
        {{"reconcile", "--once", "--timeout", "never"}, 2, "invalid duration"},
        {{"reconcile", "--once", "--path", "/nonexistent/fleet", "--cluster", "home"}, 1, "/nonexistent/fleet"},
        {{"reconcile", "--once", "--path", fleet}, 1, "✗ the source has several clusters: home, staging\n  choose one by --cluster NAME"},
        {{"reconcile", "--once", "--path", fleet, "--cluster", "nope"}, 1, "nope"},
        {{"reconcile", "--once", "--path", fleet, "--cluster", "home", "--kubeconfig", "/nonexistent/config"}, 1, "/nonexistent/config"},
        {{"reconcile", "--once", "--url", "file:///nonexistent/repo", "--branch", "main", "--cluster", "home"}, 1, "✗ "},
    };
    for (const Wrong& c : cases) {
        const Ran r = weber(c.words, {.environment = {{"XDG_STATE_HOME", dir / "xdg"}, {"XDG_CACHE_HOME", dir / "cache"}}});
        EXPECT_EQ(r.status, c.status) << c.words.back() << r.err;
        EXPECT_THAT(r.err, HasSubstr(c.err));
        EXPECT_EQ(r.out, "");
    }
}

TEST_F(ReconcileOnce, AKubeconfigThatLiesAroundIsNotUsed) {
    const std::string config = dir.write("config", "this would be an error if it were read");
    const Ran r = weber({"reconcile", "--once", "--path", dir / "fleet", "--cluster", "home", "--state", dir / "state"}, {.environment = {{"KUBECONFIG", config}}});
    EXPECT_EQ(r.status, 0) << r.err;
}

} // namespace
} // namespace weber::agent_test
