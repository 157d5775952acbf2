// The real kubectl against the embedded server, over TLS with its kubeconfig: what people do by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "kube/process.h"
#include "tests/kube/server/kubectl.h"
#include "tests/kube/server/test_server.h"

namespace weber::testing {
namespace {

namespace fs = std::filesystem;

class Kubectl : public ::testing::Test {
protected:
    void SetUp() override {
        program_ = find_kubectl();
        if (program_.empty()) GTEST_SKIP() << "no kubectl: tests/cluster/tools.sh kubectl builds it, or set KUBECTL";
        kube::ServerOptions o;
        o.fail = {"Deployment/default/bad"};
        auto server = kube::Server::start(o);
        ASSERT_TRUE(server) << server.error().to_string();
        server_ = std::move(*server);
        write("kubeconfig", server_->kubeconfig());
        write("web.yaml", manifest(2, "nginx:1.27"));
    }

    void write(const std::string& name, const std::string& text) { std::ofstream(dir_.path() + "/" + name) << text; }
    [[nodiscard]] std::string file(const std::string& name) const { return dir_.path() + "/" + name; }

    static std::string manifest(int replicas, const std::string& image) {
        return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}}\nspec:\n  replicas: " + std::to_string(replicas) +
               "\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, image: \"" + image +
               "\", ports: [{containerPort: 80}]}]}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n";
    }

    // stdout and stderr of a run; `status` (when asked for) its exit status, else it must be 0.
    std::string run(std::vector<std::string> args, int* status = nullptr) {
        kube::ProcessOptions o{.program = program_, .args = std::move(args)};
        o.env = {{"KUBECONFIG", file("kubeconfig")}, {"HOME", dir_.path()}, {"KUBECTL_EXTERNAL_DIFF", "diff -u"}};
        const auto result = kube::run_process(o, {});
        EXPECT_TRUE(result) << result.error().to_string();
        if (!result) return {};
        if (status)
            *status = result->exit_code;
        else
            EXPECT_EQ(result->exit_code, 0) << result->out << result->err;
        return result->out + result->err;
    }

    static void expect_has(const std::string& text, const std::string& part) { EXPECT_NE(text.find(part), std::string::npos) << text << "\nlacks: " << part; }

    ScratchDir dir_;
    std::unique_ptr<kube::Server> server_;
    std::string program_;
};

TEST_F(Kubectl, AppliesFromTheClientAndFromTheServer) {
    EXPECT_EQ(run({"apply", "-f", file("web.yaml")}), "deployment.apps/web created\nservice/web created\n");
    EXPECT_EQ(run({"apply", "-f", file("web.yaml")}), "deployment.apps/web unchanged\nservice/web unchanged\n");
    write("web.yaml", manifest(3, "nginx:1.28"));
    EXPECT_EQ(run({"apply", "-f", file("web.yaml")}), "deployment.apps/web configured\nservice/web unchanged\n");
    EXPECT_EQ(run({"apply", "--server-side", "-f", file("web.yaml")}), "deployment.apps/web serverside-applied\nservice/web serverside-applied\n");
    EXPECT_EQ(run({"apply", "--server-side", "--dry-run=server", "-f", file("web.yaml")}),
              "deployment.apps/web serverside-applied (server dry run)\nservice/web serverside-applied (server dry run)\n");
    run({"scale", "deploy/web", "--replicas", "5"});
    int status = 0;
    expect_has(run({"apply", "--server-side", "--field-manager", "other", "-f", file("web.yaml")}, &status), "conflict with \"kubectl\"");
    EXPECT_EQ(status, 1);
}

TEST_F(Kubectl, WaitsAndFollowsRollOuts) {
    run({"apply", "-f", file("web.yaml")});
    expect_has(run({"rollout", "status", "deploy/web", "--timeout", "20s"}), "successfully rolled out");
    expect_has(run({"wait", "--for=condition=Available", "deploy/web", "--timeout", "20s"}), "condition met");
    run({"create", "deployment", "bad", "--image", "x"});
    int status = 0;
    expect_has(run({"rollout", "status", "deploy/bad", "--timeout", "20s"}, &status), "exceeded its progress deadline");
    EXPECT_EQ(status, 1);
    expect_has(run({"create", "job", "j", "--image", "busybox"}), "job.batch/j created");
    run({"wait", "--for=condition=complete", "job/j", "--timeout", "20s"});
    run({"delete", "deploy", "web", "--wait=false"});
    run({"wait", "--for=delete", "deploy/web", "--timeout", "20s"});
}

TEST_F(Kubectl, ShowsTablesAndDescriptions) {
    run({"apply", "-f", file("web.yaml")});
    run({"rollout", "status", "deploy/web", "--timeout", "20s"});
    expect_has(run({"get", "deploy"}), "NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    2/2     2            2           ");
    expect_has(run({"get", "svc", "-o", "wide"}), "SELECTOR");
    expect_has(run({"get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].imagePullPolicy}"}), "IfNotPresent");
    const std::string text = run({"describe", "deploy", "web"});
    expect_has(text, "RollingUpdateStrategy:  25% max unavailable, 25% max surge");
    expect_has(text, "2 desired | 2 updated | 2 total | 2 available");
    expect_has(run({"describe", "svc", "web"}), "Session Affinity:");
}

TEST_F(Kubectl, WatchesChanges) {
    std::jthread changes([&](const std::stop_token& stop) { // until the watch, whenever it begins, has seen one come and go
        while (!stop.stop_requested()) {
            run({"create", "configmap", "seen", "--from-literal", "a=b"});
            run({"delete", "configmap", "seen"});
        }
    });
    int status = 0;
    // The watch ends by its own request timeout; what it printed until then counts.
    const std::string text = run({"get", "configmap", "-w", "--output-watch-events", "--request-timeout", "4s"}, &status);
    changes.request_stop();
    changes.join();
    expect_has(text, "ADDED");
    expect_has(text, "DELETED");
}

TEST_F(Kubectl, EditsByPatch) {
    run({"apply", "-f", file("web.yaml")});
    expect_has(run({"patch", "deploy", "web", "-p", R"({"spec":{"template":{"spec":{"containers":[{"name":"c","image":"other"}]}}}})"}), "patched");
    expect_has(run({"patch", "deploy", "web", "--type", "json", "-p", R"([{"op":"replace","path":"/spec/replicas","value":7}])"}), "patched");
    expect_has(run({"patch", "deploy", "web", "--type", "merge", "-p", R"({"metadata":{"labels":{"z":"y"}}})"}), "patched");
    expect_has(run({"set", "image", "deploy/web", "c=third"}), "image updated");
    EXPECT_EQ(run({"get", "deploy", "web", "-o", "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image} {.metadata.labels.z}"}), "7 third y");
    expect_has(run({"annotate", "svc", "web", "a=b"}), "annotated");
    write("edit.sh", "#!/bin/sh\nsed -i 's/replicas: 7/replicas: 8/' \"$1\"\n");
    fs::permissions(file("edit.sh"), fs::perms::owner_all);
    ::setenv("KUBE_EDITOR", file("edit.sh").c_str(), 1);
    expect_has(run({"edit", "deploy", "web"}), "edited");
    ::unsetenv("KUBE_EDITOR");
    EXPECT_EQ(run({"get", "deploy", "web", "-o", "jsonpath={.spec.replicas}"}), "8");
}

TEST_F(Kubectl, ShowsDifferences) {
    run({"apply", "-f", file("web.yaml")});
    EXPECT_EQ(run({"diff", "-f", file("web.yaml")}), "");
    write("web.yaml", manifest(4, "nginx:1.27"));
    int status = 0;
    const std::string text = run({"diff", "-f", file("web.yaml")}, &status);
    EXPECT_EQ(status, 1);
    expect_has(text, "-  replicas: 2\n+  replicas: 4\n");
}

TEST_F(Kubectl, ExplainsAndListsResources) {
    expect_has(run({"explain", "deployment.spec.replicas"}), "FIELD: replicas <integer>");
    expect_has(run({"explain", "deployment.spec.strategy"}), "FIELD: strategy <DeploymentStrategy>");
    expect_has(run({"explain", "pod.spec.affinity"}), "nodeAffinity\t<NodeAffinity>");
    expect_has(run({"explain", "cronjob.spec.jobTemplate.spec.template.spec.containers"}), "image\t<string>");
    const std::string all = run({"api-resources"});
    expect_has(all, "deploy       apps/v1");
    expect_has(all, "CustomResourceDefinition");
    expect_has(run({"api-versions"}), "networking.k8s.io/v1\n");
    expect_has(run({"version"}), "Server Version: v1.36");
}

TEST_F(Kubectl, UsesDefinitionsOnceTheyAreEstablished) {
    write("crd.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: foos.x.io}\nspec:\n  group: x.io\n  scope: Namespaced\n"
                      "  names: {kind: Foo, plural: foos, shortNames: [fo]}\n  versions:\n  - {name: v1, served: true, storage: true, additionalPrinterColumns: [{name: Size, "
                      "type: integer, jsonPath: .spec.size}], schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: "
                      "integer, description: How big it is.}}}}}}}\n");
    run({"apply", "-f", file("crd.yaml")});
    run({"wait", "--for=condition=Established", "crd/foos.x.io", "--timeout", "20s"});
    write("foo.yaml", "apiVersion: x.io/v1\nkind: Foo\nmetadata: {name: f}\nspec: {size: 3}\n");
    expect_has(run({"apply", "-f", file("foo.yaml")}), "foo.x.io/f created");
    expect_has(run({"get", "fo"}), "f      3");
    expect_has(run({"explain", "foo.spec.size"}), "How big it is.");
    expect_has(run({"delete", "crd", "foos.x.io"}), "deleted");
}

TEST_F(Kubectl, AsksWhatItMayDo) {
    EXPECT_EQ(run({"auth", "can-i", "delete", "pods"}), "yes\n");
    expect_has(run({"auth", "whoami"}), "admin");
    run({"create", "serviceaccount", "bot"});
    const std::string token = run({"create", "token", "bot"});
    EXPECT_EQ(std::count(token.begin(), token.end(), '.'), 2) << "header, claims, signature";
}

TEST_F(Kubectl, IsToldThatThereAreNoContainers) {
    run({"run", "p", "--image", "nginx"});
    run({"wait", "--for=condition=Ready", "pod/p", "--timeout", "20s"});
    int status = 0;
    expect_has(run({"logs", "p"}, &status), "simulates pods and runs no containers");
    EXPECT_EQ(status, 1);
    for (const std::vector<std::string>& command : {std::vector<std::string>{"exec", "p", "--", "ls"}, {"attach", "p"}, {"cp", "p:/etc/hosts", file("hosts")}, {"port-forward", "p", ":80"}, {"debug", "p", "--image=busybox"}}) {
        expect_has(run(command, &status), "runs no containers");
        EXPECT_EQ(status, 1) << command[0];
    }
}

TEST_F(Kubectl, IsToldThatThereAreNoMetrics) {
    int status = 0;
    expect_has(run({"top", "pods"}, &status), "Metrics API not available");
    EXPECT_EQ(status, 1);
    expect_has(run({"top", "nodes"}, &status), "Metrics API not available");
    EXPECT_EQ(status, 1);
}

TEST_F(Kubectl, LabelsAnnotatesAndSetsFields) {
    run({"apply", "-f", file("web.yaml")});
    EXPECT_EQ(run({"label", "deploy", "web", "tier=front"}), "deployment.apps/web labeled\n");
    int status = 0;
    expect_has(run({"label", "deploy", "web", "tier=back"}, &status), "already has a value (front), and --overwrite is false");
    EXPECT_EQ(status, 1);
    EXPECT_EQ(run({"label", "deploy", "web", "tier-"}), "deployment.apps/web unlabeled\n");
    EXPECT_EQ(run({"annotate", "deploy", "web", "note=a b"}), "deployment.apps/web annotated\n");
    EXPECT_EQ(run({"get", "deploy", "web", "-o", "jsonpath={.metadata.labels.tier}{.metadata.annotations.note}"}), "a b");
    EXPECT_EQ(run({"set", "image", "deploy/web", "c=nginx:1.29"}), "deployment.apps/web image updated\n");
    EXPECT_EQ(run({"set", "env", "deploy/web", "A=b"}), "deployment.apps/web env updated\n");
    EXPECT_EQ(run({"rollout", "restart", "deploy/web"}), "deployment.apps/web restarted\n");
    EXPECT_EQ(run({"get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[0].value}"}), "nginx:1.29 b");
    expect_has(run({"rollout", "status", "deploy/web", "--timeout", "20s"}), "successfully rolled out");
    EXPECT_EQ(run({"expose", "deploy", "web", "--name", "again", "--port", "81"}), "service/again exposed\n");
    expect_has(run({"autoscale", "deploy", "web", "--max", "3"}), "autoscaled");
    EXPECT_EQ(run({"create", "role", "r", "--verb", "get", "--resource", "pods"}), "role.rbac.authorization.k8s.io/r created\n");
    expect_has(run({"get", "all"}), "service/again");
    EXPECT_EQ(run({"replace", "-f", file("web.yaml")}), "deployment.apps/web replaced\nservice/web replaced\n");
    EXPECT_EQ(run({"delete", "-f", file("web.yaml"), "--timeout", "20s"}), "deployment.apps \"web\" deleted from default namespace\nservice \"web\" deleted from default namespace\n");
}

TEST_F(Kubectl, DeletesNamespacesWithWhatIsInThem) {
    run({"create", "namespace", "team"});
    run({"create", "configmap", "c", "-n", "team", "--from-literal", "a=b"});
    expect_has(run({"delete", "namespace", "team", "--timeout", "20s"}), "namespace \"team\" deleted");
    int status = 0;
    expect_has(run({"get", "configmap", "c", "-n", "team"}, &status), "not found");
    EXPECT_EQ(status, 1);
}

} // namespace
} // namespace weber::testing
