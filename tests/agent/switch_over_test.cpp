// A fleet changes hands between Flux's kustomize-controller and Weber, both ways, and no object changes: resourceVersions are equal.
#include <gmock/gmock.h>

#include "kube/base/yaml.h"
#include "tests/agent/peer_fleet.h"

namespace weber::agent_test {
namespace {

class SwitchOver : public PeerFleet {
protected:
    void SetUp() override {
        PeerFleet::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        group_ = ns_ + ".example.org";
        files_ = {
            {"app/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + ns_ + "-app}\n"},
            {"app/definition.yaml",
             "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: tables." + group_ + "}\n"
             "spec:\n  group: " + group_ + "\n  scope: Namespaced\n  names: {kind: Table, plural: tables}\n"
             "  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]\n"},
            {"app/custom.yaml", "apiVersion: " + group_ + "/v1\nkind: Table\nmetadata: {name: custom, namespace: " + ns_ + "}\nspec: {legs: 4}\n"},
            {"app/account.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: account, namespace: " + ns_ + "}\n"},
            {"app/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: secret, namespace: " + ns_ + "}\nstringData: {planted: value}\ndata: {other: dmFsdWU=}\n"},
            {"app/old.yaml", config_map("old", "1")},
            {"app/applied-by-kubectl.yaml", config_map("applied-by-kubectl", "1")},
            {"app/of-several.yaml", config_map("of-several", "1")},
            {"app/elsewhere.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: elsewhere, namespace: " + ns_ + "-app}\ndata: {k: v}\n"},
            {"app/deployment.yaml",
             "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: " + ns_ + "}\nspec:\n  replicas: 0\n  selector: {matchLabels: {app: web}}\n"
             "  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}], env: [{name: A, value: b}]}]}\n"},
            {"app/service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: " + ns_ + "}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"},
            {"app/role.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: " + ns_ +
                                  "}\nrules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]\n"},
            {"app/job.yaml",
             "apiVersion: batch/v1\nkind: Job\nmetadata: {name: job, namespace: " + ns_ + ", annotations: {kustomize.toolkit.fluxcd.io/force: enabled}}\n"
             "spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: one}]}}}\n"},
        };
        revision_ = commit(files_);
        serve_source();
    }

    std::string config_map(const std::string& name, const std::string& value) const {
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns_ + "}\ndata: {k: '" + value + "'}\n";
    }
    kube::ObjectRef config_map_ref(const std::string& name) const { return {.gvk = {"", "v1", "ConfigMap"}, .ns = ns_, .name = name}; }
    std::string change(const std::map<std::string, std::string>& files) {
        revision_ = commit(files);
        fetch();
        return revision_;
    }
    // What controllers of Kubernetes write by themselves after an apply has been written.
    void await_settled() {
        await({.gvk = {"apps", "v1", "Deployment"}, .ns = ns_, .name = "web"}, [](const kube::Object& o) {
            const Node* seen = o.at({"status", "observedGeneration"});
            const Node* conditions = o.at({"status", "conditions"});
            return seen != nullptr && seen->text() == std::to_string(o.generation()) && conditions != nullptr && conditions->items().size() >= 2;
        });
        await({.gvk = {"batch", "v1", "Job"}, .ns = ns_, .name = "job"}, [](const kube::Object& o) { return o.at({"status", "conditions"}) != nullptr; });
    }
    // The other engine takes over; every object must be as it was, to the byte, resourceVersion and managed fields included.
    kube::Object take_over(Engine engine) {
        const kube::Object before = live();
        await_settled();
        const auto objects = inventory(before);
        EXPECT_GE(objects.size(), 10u);
        stop();
        const std::string request = ask("app");
        run(engine);
        const kube::Object after = handled("app", request);
        const auto now = inventory(after);
        EXPECT_EQ(now.size(), objects.size());
        for (const auto& [id, object] : objects) {
            const auto found = now.find(id);
            if (found == now.end()) {
                ADD_FAILURE() << id << " is no longer in the inventory";
                continue;
            }
            if (object.kind() != "Secret") {
                EXPECT_EQ(kube::write_yaml(found->second.root()), kube::write_yaml(object.root())) << id;
            }
            EXPECT_EQ(found->second.resource_version(), object.resource_version()) << id;
            EXPECT_EQ(object.label("kustomize.toolkit.fluxcd.io/name"), "app") << id;
            EXPECT_EQ(object.label("kustomize.toolkit.fluxcd.io/namespace"), ns_) << id;
        }
        EXPECT_EQ(kube::write_yaml(*after.at({"status", "inventory"})), kube::write_yaml(*before.at({"status", "inventory"}))) << "order included";
        EXPECT_EQ(kube::write_yaml(*after.at({"metadata", "finalizers"})), kube::write_yaml(*before.at({"metadata", "finalizers"})));
        EXPECT_EQ(after.at({"status", "lastAppliedRevision"})->text(), revision_);
        return after;
    }
    kube::Object live() { return api().get({.gvk = {"kustomize.toolkit.fluxcd.io", "v1", "Kustomization"}, .ns = ns_, .name = "app"}).value(); }

    std::map<std::string, std::string> files_;
    std::string group_, revision_;
};

TEST_F(SwitchOver, FromFluxToWeberAndBack) {
    // Two objects that are there before: one by kubectl apply, one with fields of another manager.
    dir_.write("manual.yaml", config_map("applied-by-kubectl", "0") + "\n");
    const testing::Ran kubectl = command("kubectl", {"apply", "-f", dir_.path() + "/manual.yaml"});
    ASSERT_EQ(kubectl.status, 0) << kubectl.err;
    ASSERT_TRUE(api().apply(testing::object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: of-several, namespace: " + ns_ + "}\ndata: {theirs: x}\n"),
                            {.field_manager = "somebody"}).has_value());

    kustomization("app", "./app", "healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: web, namespace: " + ns_ + "}]");
    run(Engine::flux);
    applied("app", revision_);
    take_over(Engine::weber);

    // What Flux applied and git no longer has is pruned by Weber; what changed is applied, by deleting the Job and making it anew.
    const std::string job_uid(api().get({.gvk = {"batch", "v1", "Job"}, .ns = ns_, .name = "job"}).value().uid());
    std::string job = files_["app/job.yaml"];
    job.replace(job.find("image: one"), 10, "image: two");
    change({{"app/old.yaml", ""}, {"app/job.yaml", job}, {"app/new.yaml", config_map("new", "1")}, {"app/of-several.yaml", config_map("of-several", "2")}});
    applied("app", revision_);
    await_gone(config_map_ref("old"));
    EXPECT_NE(api().get({.gvk = {"batch", "v1", "Job"}, .ns = ns_, .name = "job"}).value().uid(), job_uid);
    EXPECT_EQ(api().get(config_map_ref("of-several")).value().at({"data", "theirs"})->text(), "x");

    take_over(Engine::flux);

    // And the reverse: what Weber applied is pruned by Flux.
    change({{"app/new.yaml", ""}});
    applied("app", revision_);
    await_gone(config_map_ref("new"));
    take_over(Engine::weber);

    // Weber finalizes what Flux began.
    ASSERT_TRUE(api().remove({.gvk = {"kustomize.toolkit.fluxcd.io", "v1", "Kustomization"}, .ns = ns_, .name = "app"}).has_value());
    await_gone({.gvk = {"kustomize.toolkit.fluxcd.io", "v1", "Kustomization"}, .ns = ns_, .name = "app"});
    await_gone(config_map_ref("of-several"));
}

TEST_F(SwitchOver, FromWeberToFlux) {
    kustomization("app", "./app");
    run(Engine::weber);
    applied("app", revision_);
    take_over(Engine::flux);
}

} // namespace
} // namespace weber::agent_test
