// healthCheckExprs and readyExpr in whole runs, against both API servers (kustomization.md 26 to 28, 30, 32, 81, 82).
#include "tests/gitops/reconcile/fleet.h"

namespace weber::gitops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using OnceExpressions = weber::testing::FleetTest;
INSTANTIATE_TEST_SUITE_P(Servers, OnceExpressions, ::testing::ValuesIn(weber::testing::kBothClusters), weber::testing::cluster_name);

constexpr std::string_view kPrefix = "Reconciliation failed terminally due to configuration error: ";

std::string rule(std::string_view fields) { return "  wait: true\n  timeout: 30s\n  healthCheckExprs:\n  - {apiVersion: v1, kind: ConfigMap, " + std::string(fields) + "}\n"; }

TEST_P(OnceExpressions, HealthRulesDecideAWait) {
    declare("good", rule("current: \"data.k == '1'\""));
    declare("bad", rule("current: \"false\", failed: \"data.k == '1'\""));
    config_map("good", "a");
    config_map("bad", "b");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "good").state, KustomizationState::ready);
    EXPECT_EQ(of(r, "bad").state, KustomizationState::failed);
    EXPECT_THAT(ready("bad"), HasSubstr("failed early due to stalled resources: [ConfigMap/" + ns + "/b status: 'Failed']"));
    EXPECT_TRUE(status("good").is_true("Healthy"));
}

TEST_P(OnceExpressions, MalformedRuleIsTerminal) {
    declare("app", rule("current: \"true\", inProgress: \"data.\""));
    config_map("app", "a");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "app").state, KustomizationState::failed);
    EXPECT_THAT(ready("app"), StartsWith("False/InvalidCELExpression: " + std::string(kPrefix) +
                                         "failed to create custom status evaluator for healthchecks[0]: failed to parse the expression InProgress: "));
    EXPECT_TRUE(status("app").is_true("Stalled"));
    EXPECT_EQ(status("app").observed_generation, live("app").generation());
    EXPECT_FALSE(find("ConfigMap", "a"));
}

TEST_P(OnceExpressions, DuplicateRuleIsTerminal) {
    declare("app", rule("current: \"true\"") + "  - {apiVersion: v1, kind: ConfigMap, current: \"false\"}\n");
    const OnceResult r = once();
    EXPECT_EQ(ready("app"), "False/InvalidCELExpression: " + std::string(kPrefix) + "duplicate custom health check for GroupKind ConfigMap at healthchecks[1]");
}

TEST_P(OnceExpressions, ReadyExpressionReadsBothObjects) {
    declare("base", "  suspend: true\n");
    declare("app", "  dependsOn: [{name: base, readyExpr: \"dep.spec.suspend == true && self.metadata.namespace == dep.metadata.namespace\"}]\n");
    config_map("app", "a");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "app").state, KustomizationState::ready) << of(r, "app").message << ready("app");
}

TEST_P(OnceExpressions, FalseOrFailingOrBrokenReadyExpression) {
    declare("base");
    config_map("base", "b");
    declare("no", "  dependsOn: [{name: base, readyExpr: \"dep.metadata.name == 'other'\"}]\n");
    declare("failing", "  dependsOn: [{name: base, readyExpr: \"dep.metadata.missing == true\"}]\n");
    declare("broken", "  dependsOn: [{name: base, readyExpr: \"metadata.name == 'a'\"}]\n");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "base").state, KustomizationState::ready);
    EXPECT_EQ(of(r, "no").message, "dependency '" + ns + "/base' is not ready according to readyExpr eval");
    EXPECT_EQ(of(r, "failing").message, "failed to evaluate the CEL expression 'dep.metadata.missing == true': no such key: missing");
    EXPECT_THAT(ready("broken"), StartsWith("False/InvalidCELExpression: " + std::string(kPrefix) + "terminal error: failed to evaluate dependency base: failed to parse"));
    EXPECT_TRUE(status("broken").is_true("Stalled"));
    EXPECT_EQ(status("broken").observed_generation, live("broken").generation());
    EXPECT_FALSE(status("no").is_true("Stalled"));
    EXPECT_THAT(of(r, "broken").message, HasSubstr("undeclared reference to 'metadata' (in container '')"));
}

} // namespace
} // namespace weber::gitops
