// What a refusal of the API server advises, against both API servers.
#include "tests/gitops/reconcile/fleet.h"

namespace weber::gitops {
namespace {

using ::testing::HasSubstr;

using NextStep = weber::testing::FleetTest;
INSTANTIATE_TEST_SUITE_P(Servers, NextStep, ::testing::ValuesIn(weber::testing::kBothClusters), weber::testing::cluster_name);

TEST_P(NextStep, OfARefusedObject) {
    struct Case {
        std::string name, manifest, hint;
    };
    const std::string meta = "metadata: {name: x, namespace: " + ns + "}\n";
    const std::vector<Case> cases{
        {"unknown-field", "apiVersion: v1\nkind: Service\n" + meta + "spec: {prots: []}\n", "correct the field; `kubectl explain Service --recursive` lists those of the kind"},
        {"wrong-type", "apiVersion: v1\nkind: Service\n" + meta + "spec: {ports: [{port: http}]}\n", "correct the field"},
        {"bad-value", "apiVersion: v1\nkind: Service\n" + meta + "spec: {ports: [{port: 70000}]}\n", "correct the fields that it names"},
        {"no-kind", "apiVersion: nowhere.example.org/v1\nkind: Thing\n" + meta, "apply its CustomResourceDefinition first"},
        {"no-namespace", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: " + ns + "-none}\n", "add the Namespace to this Kustomization, or to one that it dependsOn"},
        {"nowhere", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", "give the object metadata.namespace, or set spec.targetNamespace"},
    };
    for (const Case& c : cases) {
        declare(c.name);
        dir.write(c.name + "/x.yaml", c.manifest);
    }
    const OnceResult r = once();
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const KustomizationResult& k = of(r, c.name);
        EXPECT_EQ(k.state, KustomizationState::failed);
        ASSERT_TRUE(k.error);
        EXPECT_THAT(k.error->hint, HasSubstr(c.hint)) << k.error->message;
        EXPECT_THAT(ready(c.name), ::testing::Not(HasSubstr(c.hint))); // conditions have Flux's words
    }
}

TEST_P(NextStep, OfAnImmutableField) {
    declare("app");
    const std::string head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: " + ns + "}\nimmutable: true\ndata: {k: ";
    dir.write("app/x.yaml", head + "a}\n");
    EXPECT_EQ(of(once(), "app").state, KustomizationState::ready);
    dir.write("app/x.yaml", head + "b}\n");
    const OnceResult r = once();
    ASSERT_TRUE(of(r, "app").error);
    EXPECT_THAT(of(r, "app").error->hint, HasSubstr("put the old value back, or let the object be deleted and made anew: spec.force")) << of(r, "app").error->message;
}

} // namespace
} // namespace weber::gitops
