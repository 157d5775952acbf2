// Flux's own kustomize-controller on `weber apiserver`: the embedded server is a Kubernetes to it.
#include <gmock/gmock.h>
#include <test_paths.h>

#include <filesystem>
#include <thread>

#include "agent/endpoints.h"
#include "kube/base/digest.h"
#include "kube/base/yaml.h"
#include "kube/kubeconfig.h"
#include "tests/agent/peer_fleet.h"

namespace weber::agent_test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const kube::GroupVersionKind kKustomization{"kustomize.toolkit.fluxcd.io", "v1", "Kustomization"};
const kube::GroupVersionKind kGitRepository{"source.toolkit.fluxcd.io", "v1", "GitRepository"};

class ControllerOnApiserver : public ::testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        const auto controller = testing::peer("kustomize-controller");
        if (!controller) GTEST_SKIP() << "no kustomize-controller: tests/cluster/tools.sh kustomize-controller";
        const std::string kubeconfig = dir_.path() + "/kubeconfig", log = dir_.path() + "/apiserver.log";
        server_.start({WEBER_BINARY, "apiserver", "--listen", "127.0.0.1:0", "--authorization", GetParam(), "--kubeconfig-out", kubeconfig}, {}, log);
        const auto limit = std::chrono::steady_clock::now() + testing::kPatience;
        while (testing::read_file(log).find("listens on") == std::string::npos) {
            ASSERT_LT(std::chrono::steady_clock::now(), limit) << testing::read_file(log);
            std::this_thread::sleep_for(10ms);
        }
        auto config = kube::load_kubeconfig({.files = {kubeconfig}});
        ASSERT_TRUE(config) << config.error().to_string();
        auto client = kube::Client::connect(*config);
        ASSERT_TRUE(client) << client.error().to_string();
        client_ = *client;
        for (const std::string& text : flux_definitions()) testing::define(*client_, text);
        auto artifacts = agent::serve_artifacts("127.0.0.1:0", dir_.path() + "/artifacts");
        ASSERT_TRUE(artifacts) << artifacts.error().to_string();
        artifacts_ = std::move(*artifacts);
        controller_.start({*controller, "--watch-all-namespaces=false", "--enable-leader-election=false", "--health-addr=127.0.0.1:0", "--metrics-addr=127.0.0.1:0"},
                          {{"RUNTIME_NAMESPACE", "default"}, {"KUBECONFIG", kubeconfig}, {"TMPDIR", dir_.path()}, {"HOME", dir_.path()}},
                          dir_.path() + "/controller.log");
    }

    void TearDown() override {
        controller_.stop();
        if (!HasFailure()) return;
        for (const char* log : {"/controller.log", "/apiserver.log"}) ADD_FAILURE() << log << ":\n" << testing::read_file(dir_.path() + log);
    }

    void create(const kube::Object& o) {
        const auto made = client_->create(o);
        ASSERT_TRUE(made) << made.error().to_string();
    }

    kube::Object await(const kube::ObjectRef& ref, const std::function<bool(const kube::Object&)>& wanted) { return testing::await(*client_, ref, wanted); }
    void await_gone(const kube::ObjectRef& ref) { testing::await_gone(*client_, ref); }

    // Makes `app.yaml` the GitRepository's artifact, as source-controller would.
    void publish(const std::string& revision, const std::string& app) {
        dir_.write(revision + "/app.yaml", app);
        std::filesystem::create_directories(dir_.path() + "/artifacts");
        const std::string file = dir_.path() + "/artifacts/" + revision + ".tar.gz";
        ASSERT_EQ(testing::run("tar -C '" + dir_.path() + "/" + revision + "' -czf '" + file + "' .", dir_.path()).status, 0);
        const std::string artifact = "status: {artifact: {url: 'http://127.0.0.1:" + std::to_string(artifacts_->port()) + "/" + revision + ".tar.gz', digest: 'sha256:" +
                                     kube::sha256_hex(testing::read_file(file)) + "', revision: 'main@sha1:" + revision + "', path: x, lastUpdateTime: '2026-01-01T00:00:00Z'}}\n";
        const auto patched = client_->patch({.gvk = kGitRepository, .ns = "default", .name = "fleet"}, kube::PatchType::merge,
                                            testing::object_of(artifact).root(), {.subresource = "status"});
        ASSERT_TRUE(patched) << patched.error().to_string();
    }

    kube::Object reconciled(const std::string& revision) {
        return await(fleet_, [&](const kube::Object& o) {
            const Node* done = o.at({"status", "lastAppliedRevision"});
            return done != nullptr && done->text() == "main@sha1:" + revision && has_condition(o, "Ready", "True") && !has_condition(o, "Reconciling", "True");
        });
    }

    testing::TempDir dir_;
    Background server_, controller_;
    std::shared_ptr<kube::Client> client_;
    std::unique_ptr<kube::server::HttpFront> artifacts_;
    const kube::ObjectRef fleet_{.gvk = kKustomization, .ns = "default", .name = "fleet"};
};

const std::string kWorkload =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: app}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n"
    "  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}\n"
    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: app}\n"
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: app}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
    "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader, namespace: app}\nrules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]\n";

std::string settings(const std::string& name) { return "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: app}\ndata: {k: v}\n"; }

TEST_P(ControllerOnApiserver, ReconcilesUpdatesRepairsAndPrunes) {
    create(testing::object_of("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet, namespace: default}\n"
                              "spec: {interval: 1h, url: 'https://example.org/fleet.git'}\n"));
    publish("one", kWorkload + settings("first"));
    create(testing::object_of("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: fleet, namespace: default}\n"
                              "spec: {interval: 1h, retryInterval: 2s, timeout: 1m, prune: true, wait: true, path: ./, sourceRef: {kind: GitRepository, name: fleet}}\n"));
    const kube::Object first = reconciled("one");
    ASSERT_NE(first.at({"status", "inventory", "entries"}), nullptr);
    EXPECT_EQ(first.at({"status", "inventory", "entries"})->size(), 5U);
    const kube::ObjectRef web{.gvk = {"apps", "v1", "Deployment"}, .ns = "app", .name = "web"};
    const kube::ObjectRef service{.gvk = {"", "v1", "Service"}, .ns = "app", .name = "web"};
    const kube::ObjectRef settings_one{.gvk = {"", "v1", "ConfigMap"}, .ns = "app", .name = "first"};
    const auto deployed = client_->get(web);
    ASSERT_TRUE(deployed) << deployed.error().to_string();

    // Another revision changes nothing of what is as it was, makes the new and prunes the old.
    publish("two", kWorkload + settings("second"));
    reconciled("two");
    await_gone(settings_one);
    EXPECT_TRUE(client_->get({.gvk = {"", "v1", "ConfigMap"}, .ns = "app", .name = "second"}).has_value());
    const auto untouched = client_->get(web);
    ASSERT_TRUE(untouched) << untouched.error().to_string();
    EXPECT_EQ(untouched->resource_version(), deployed->resource_version());

    // What somebody deletes or edits comes back when a run is asked for.
    ASSERT_TRUE(client_->remove(service).value_or(false));
    ASSERT_TRUE(client_->patch(web, kube::PatchType::merge, testing::object_of("spec: {replicas: 7}\n").root()).has_value());
    const auto asked = client_->patch(fleet_, kube::PatchType::merge, testing::object_of("metadata: {annotations: {reconcile.fluxcd.io/requestedAt: now}}\n").root());
    ASSERT_TRUE(asked) << asked.error().to_string();
    await(service, [](const kube::Object&) { return true; });
    await(web, [](const kube::Object& o) { return o.at({"spec", "replicas"})->text() == "2"; });
    await(fleet_, [](const kube::Object& o) { return o.at({"status", "lastHandledReconcileAt"}) != nullptr && has_condition(o, "Ready", "True"); });

    const auto events = client_->list({"", "v1", "Event"}, {.ns = "default"});
    ASSERT_TRUE(events) << events.error().to_string();
    std::string told;
    for (const kube::Object& e : events->items) told += kube::write_yaml(e.root());
    EXPECT_THAT(told, HasSubstr("reason: ReconciliationSucceeded"));

    // Its finalizer takes all of it along.
    ASSERT_TRUE(client_->remove(fleet_).has_value());
    await_gone(fleet_);
    await_gone(web);
    await_gone({.gvk = {"", "v1", "Namespace"}, .name = "app"});
}

INSTANTIATE_TEST_SUITE_P(Authorization, ControllerOnApiserver, ::testing::Values("always-allow", "rbac"),
                         [](const auto& info) { return info.param == "rbac" ? "Rbac" : "AlwaysAllow"; });

} // namespace
} // namespace weber::agent_test
