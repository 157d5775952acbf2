// spec.serviceAccountName, spec.ignore and what a one-shot run refuses, in whole runs against both API servers (kustomization.md 6.6, apply.md 40).
#include "tests/gitops/reconcile/fleet.h"

namespace weber::gitops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using weber::testing::ClusterKind;

class OnceIdentity : public weber::testing::FleetTest {
protected:
    void SetUp() override {
        FleetTest::SetUp();
        if (IsSkipped()) return;
        options.act_as = [this](const std::string& user) {
            kube::ClientConfig config = cluster.config();
            config.impersonate = {.user = user};
            return kube::Client::connect(config);
        };
    }
    [[nodiscard]] kube::ServerOptions server_options() const override {
        kube::ServerOptions rbac;
        rbac.authorization = kube::ServerOptions::Authorization::rbac;
        return rbac;
    }

    void apply(const std::string& yaml) {
        const auto done = cluster.client().apply(weber::testing::object_of(yaml), {.field_manager = "test"});
        ASSERT_TRUE(done) << done.error().to_string();
    }
    // A service account that may do everything in the test's namespace.
    void allow(const std::string& account) {
        apply("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: " + account + ", namespace: " + ns + "}\n");
        apply("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: " + account + ", namespace: " + ns +
              "}\nrules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n");
        apply("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: " + account + ", namespace: " + ns +
              "}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: " + account + "}\nsubjects: [{kind: ServiceAccount, name: " + account +
              ", namespace: " + ns + "}]\n");
    }
};
INSTANTIATE_TEST_SUITE_P(Servers, OnceIdentity, ::testing::ValuesIn(weber::testing::kBothClusters), weber::testing::cluster_name);

TEST_P(OnceIdentity, ObjectsAreAppliedAndPrunedAsTheServiceAccount) {
    allow("tenant");
    declare("good", "  serviceAccountName: tenant\n");
    declare("bad", "  serviceAccountName: nobody\n");
    config_map("good", "a");
    config_map("bad", "b");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "good").state, KustomizationState::ready) << of(r, "good").message;
    EXPECT_EQ(of(r, "bad").state, KustomizationState::failed);
    EXPECT_THAT(of(r, "bad").message, HasSubstr("User \"system:serviceaccount:" + ns + ":nobody\" cannot "));
    EXPECT_TRUE(find("ConfigMap", "a"));
    EXPECT_FALSE(find("ConfigMap", "b"));

    remove("good/a.yaml");
    config_map("good", "c");
    EXPECT_THAT(changed(of(once(), "good")), ElementsAre("ConfigMap/c created", "ConfigMap/a deleted"));
}

TEST_P(OnceIdentity, WithoutItsAccountARemovedKustomizationLetsGoOfItsObjects) {
    allow("tenant");
    declare("good", "  serviceAccountName: tenant\n");
    config_map("good", "a");
    ASSERT_TRUE(once().ok());
    remove("clusters/test/good.yaml");
    ASSERT_TRUE(cluster.client().remove({{"", "v1", "ServiceAccount"}, ns, "tenant"}));
    const OnceResult r = once();
    EXPECT_EQ(of(r, "good").state, KustomizationState::failed);
    EXPECT_THAT(of(r, "good").message, HasSubstr("unable to prune objects: ServiceAccount " + ns + "/tenant is gone"));
    EXPECT_TRUE(find("ConfigMap", "a"));
    EXPECT_FALSE(find("Kustomization", "good", std::string(kKustomizeGroup)));
}

TEST_P(OnceIdentity, IgnoredFieldsKeepWhatOthersWrote) {
    declare("app", "  ignore: [{paths: [/data/k], target: {kind: ConfigMap}}]\n");
    config_map("app", "a", "1");
    ASSERT_TRUE(once().ok());
    ASSERT_TRUE(cluster.client().patch({{"", "v1", "ConfigMap"}, ns, "a"}, kube::PatchType::merge,
                                       kube::Node::map({{"data", kube::Node::map({{"k", kube::Node::string("theirs")}})}}), {.field_manager = "other"}));
    const OnceResult r = once();
    EXPECT_TRUE(r.ok()) << of(r, "app").message;
    EXPECT_THAT(changed(of(r, "app")), ElementsAre());
    EXPECT_EQ(find("ConfigMap", "a")->at({"data", "k"})->text(), "theirs");
}

TEST_P(OnceIdentity, WhatIsRefusedIsNamedWithFieldFileAndLine) {
    declare("remote", "  kubeConfig: {secretRef: {name: elsewhere}}\n");
    const KustomizationResult remote = of(once(), "remote");
    EXPECT_EQ(remote.state, KustomizationState::failed);
    ASSERT_TRUE(remote.error);
    EXPECT_THAT(remote.error->message, HasSubstr("spec.kubeConfig"));
    EXPECT_EQ(remote.error->where.file, dir.path() + "/clusters/test/remote.yaml");
    EXPECT_EQ(remote.error->where.line, 9u);
    EXPECT_EQ(remote.error->object, "Kustomization/" + ns + "/remote");
}

TEST_P(OnceIdentity, SourcesOfOtherKindsAreRefusedWithFileAndLine) {
    dir.write("clusters/test/other.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: other, namespace: " + ns +
                                              "}\nspec:\n  interval: 1m\n  prune: true\n  sourceRef:\n    kind: OCIRepository\n    name: images\n");
    const KustomizationResult other = of(once(), "other");
    ASSERT_TRUE(other.error);
    EXPECT_THAT(other.error->message, HasSubstr("spec.sourceRef.kind"));
    EXPECT_THAT(other.error->message, HasSubstr("OCIRepository"));
    EXPECT_EQ(other.error->where.file, dir.path() + "/clusters/test/other.yaml");
    EXPECT_EQ(other.error->where.line, 8u);
    EXPECT_EQ(other.error->object, "Kustomization/" + ns + "/other");
    EXPECT_FALSE(other.error->hint.empty());
}

} // namespace
} // namespace weber::gitops
