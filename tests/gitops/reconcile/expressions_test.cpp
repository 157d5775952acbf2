// CEL rules of a Kustomization: healthCheckExprs and readyExpr (readiness.md 6 and rows 38 to 42; kustomization.md items 25 to 28, 30, 32, 81, 82).
#include <gtest/gtest.h>

#include "gitops/reconcile/dependencies.h"
#include "gitops/reconcile/health_expressions.h"
#include "gitops/reconcile/ready_expression.h"
#include "kube/base/yaml.h"

namespace weber::gitops {
namespace {

Object object(std::string_view yaml) {
    auto node = kube::read_yaml_one(yaml);
    EXPECT_TRUE(node.has_value()) << yaml;
    return Object(node.value_or(Node::map()));
}

HealthExpressions rules(std::vector<HealthExpression> list) {
    auto out = HealthExpressions::compile(list);
    EXPECT_TRUE(out.has_value()) << (out ? "" : out.error().message);
    return out ? std::move(*out) : HealthExpressions();
}

std::string problem(std::vector<HealthExpression> list) {
    const auto out = HealthExpressions::compile(list);
    return out ? "" : out.error().message;
}

// "Current", "Failed" …, the error's text, or "-" when no rule knows the object.
std::string status(const HealthExpressions& rules, std::string_view yaml) {
    const auto out = rules.judge(object(yaml));
    if (!out) return "-";
    return *out ? std::string(kube::to_string((*out)->code)) : out->error().message;
}

constexpr std::string_view kFoo = "apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: a, namespace: ns, generation: 1}\n";
std::string foo(std::string_view rest) { return std::string(kFoo) + std::string(rest); }

TEST(HealthExpressions, FirstTrueOfInProgressFailedCurrentDecides) {
    const auto all = rules({{.api_version = "example.com/v1", .kind = "Foo", .current = "status.c == 1", .in_progress = "status.p == 1", .failed = "status.f == 1"}});
    EXPECT_EQ(status(all, foo("status: {c: 1, f: 1, p: 0}")), "Failed");
    EXPECT_EQ(status(all, foo("status: {c: 1, f: 1, p: 1}")), "InProgress");
    EXPECT_EQ(status(all, foo("status: {c: 1, f: 0, p: 0}")), "Current");
    EXPECT_EQ(status(all, foo("status: {c: 0, f: 0, p: 0}")), "InProgress");
}

TEST(HealthExpressions, MissingRootIsAnErrorMissingFieldIsNot) {
    const auto r = rules({{.api_version = "example.com/v1", .kind = "Foo", .current = "has(status.x)"}});
    EXPECT_EQ(status(r, kFoo), "failed to evaluate the CEL expression 'has(status.x)': no such attribute(s): status.x");
    EXPECT_EQ(status(r, foo("status: {}")), "InProgress");
    EXPECT_EQ(status(r, foo("status: {x: null}")), "Current");
}

TEST(HealthExpressions, AllOfNothingHolds) {
    const auto r = rules({{.api_version = "example.com/v1",
                           .kind = "Foo",
                           .current = "false",
                           .failed = "status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'False')"}});
    EXPECT_EQ(status(r, foo("status: {conditions: []}")), "Failed");
    EXPECT_EQ(status(r, foo("status: {conditions: [{type: Ready, status: 'True'}]}")), "InProgress");
}

TEST(HealthExpressions, LaggingGenerationIsInProgress) {
    const auto r = rules({{.api_version = "example.com/v1", .kind = "Foo", .current = "true"}});
    EXPECT_EQ(status(r, foo("status: {observedGeneration: 2}")), "InProgress");
    EXPECT_EQ(status(r, foo("status: {observedGeneration: 1}")), "Current");
    EXPECT_EQ(status(r, foo("status: {observedGeneration: '2'}")), "Current") << "no integer: the check is skipped";
}

TEST(HealthExpressions, NoLookAtDeletionOrConditions) {
    const auto r = rules({{.api_version = "example.com/v1", .kind = "Foo", .current = "metadata.name == 'a'"}});
    EXPECT_EQ(status(r, "apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: a, deletionTimestamp: '2026-01-01T00:00:00Z'}\n"
                        "status: {conditions: [{type: Stalled, status: 'True'}]}"),
              "Current");
}

TEST(HealthExpressions, MatchedByGroupAndKindThenByGroup) {
    const auto r = rules({{.api_version = "example.com/v1beta1", .kind = "", .current = "false", .failed = "true"},
                          {.api_version = "example.com/v2", .kind = "Foo", .current = "true"},
                          {.api_version = "v1", .kind = "ConfigMap", .current = "data.ready == 'yes'"}});
    EXPECT_EQ(status(r, kFoo), "Current") << "the version does not matter";
    EXPECT_EQ(status(r, "apiVersion: example.com/v1\nkind: Bar\nmetadata: {name: a}"), "Failed");
    EXPECT_EQ(status(r, "apiVersion: other.com/v1\nkind: Foo\nmetadata: {name: a}"), "-");
    EXPECT_EQ(status(r, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {ready: 'yes'}"), "Current") << "built-in kinds can be overridden";
}

TEST(HealthExpressions, NotBool) {
    const auto r = rules({{.api_version = "example.com/v1", .kind = "Foo", .current = "metadata.name"}});
    EXPECT_EQ(status(r, kFoo), "failed to evaluate CEL expression as boolean: 'metadata.name'");
}

TEST(HealthExpressions, ErrorsOfTheRules) {
    EXPECT_EQ(problem({{.api_version = "example.com/v1", .kind = "Foo", .current = ""}}),
              "failed to create custom status evaluator for healthchecks[0]: expression Current not specified");
    EXPECT_EQ(problem({{.api_version = "example.com/v1", .kind = "Foo", .current = "true", .in_progress = "foo."}}),
              "failed to create custom status evaluator for healthchecks[0]: failed to parse the expression InProgress: failed to parse the CEL expression 'foo.': "
              "ERROR: <input>:1:5: Syntax error: no viable alternative at input '.'\n | foo.\n | ....^");
    EXPECT_EQ(problem({{.api_version = "example.com/v1", .kind = "Foo", .current = "true"}, {.api_version = "example.com/v1", .kind = "Foo", .current = "true", .failed = "now()"}}),
              "duplicate custom health check for GroupKind Foo.example.com at healthchecks[1]");
    EXPECT_EQ(problem({{.api_version = "v1", .kind = "Pod", .current = "true"}, {.api_version = "v1", .kind = "Pod", .current = "true"}}),
              "duplicate custom health check for GroupKind Pod at healthchecks[1]");
    EXPECT_EQ(problem({{.api_version = "example.com/v1", .kind = "Foo", .current = "true", .failed = "now()"}}),
              "failed to create custom status evaluator for healthchecks[0]: failed to parse the expression Failed: failed to create CEL program: no such overload: now()");
}

TEST(HealthExpressions, ErrorPointsAtTheRule) {
    const std::vector<HealthExpression> list{{.api_version = "a/v1", .kind = "Foo", .current = "(", .where = {"fleet.yaml", 7, 0}}};
    const auto out = HealthExpressions::compile(list);
    ASSERT_FALSE(out.has_value());
    EXPECT_EQ(out.error().where.file, "fleet.yaml");
    EXPECT_EQ(out.error().where.line, 7u);
}

// kustomization.md 81 and 82: a wait names the failing kind, and shows the expression's error when the time is over.
TEST(HealthExpressions, DecideInAWait) {
    const std::vector<kube::ObjectKey> keys{object(kFoo).key(), object("apiVersion: example.com/v1\nkind: Bar\nmetadata: {name: b, namespace: ns}").key()};
    HealthSettings settings;
    settings.reader = health_reader(rules({{.api_version = "example.com/v1", .kind = "", .current = "kind == 'Bar'", .failed = "kind == 'Foo'"}}));
    const auto seen = [](std::string_view yaml) { return kube::Observation{kube::Observation::State::present, object(yaml), std::nullopt}; };
    HealthTracker tracker(keys, settings);
    tracker.observe(0, seen(kFoo));
    tracker.observe(1, seen("apiVersion: example.com/v1\nkind: Bar\nmetadata: {name: b, namespace: ns}"));
    EXPECT_TRUE(tracker.ended());
    EXPECT_EQ(tracker.conclude(false).message, "failed early due to stalled resources: [Foo/ns/a status: 'Failed']");

    settings.reader = health_reader(rules({{.api_version = "example.com/v1", .kind = "Foo", .current = "status.x == 1"}}));
    HealthTracker unknown(std::vector{keys[0]}, settings);
    unknown.observe(0, seen(kFoo));
    EXPECT_FALSE(unknown.ended());
    EXPECT_EQ(unknown.conclude(true).message,
              "timeout waiting for: [Foo/ns/a status: 'Unknown': failed to evaluate the CEL expression 'status.x == 1': no such attribute(s): status.x]");
}

// Flux asks such a rule only when it impersonates an account (docs/differences.md).
TEST(HealthExpressions, AlsoForJobs) {
    const Object job = object("apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, namespace: ns}\nstatus: {active: 1, ready: 1}\n");
    HealthSettings settings;
    settings.reader = health_reader(rules({{.api_version = "batch/v1", .kind = "Job", .current = "status.ready == 1"}}));
    HealthTracker tracker(std::vector{job.key()}, settings);
    tracker.observe(0, {kube::Observation::State::present, job, std::nullopt});
    EXPECT_TRUE(tracker.ended());
    EXPECT_TRUE(tracker.conclude(false).healthy);
}

TEST(HealthExpressions, NoRulesMeanNoReader) { EXPECT_FALSE(health_reader(HealthExpressions())); }

// ---- readyExpr -----------------------------------------------------------------------------------------------------

constexpr std::string_view kSelf = R"(
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system, labels: {tier: two}}
spec:
  interval: 5m
  prune: true
  sourceRef: {kind: GitRepository, name: fleet}
)";
constexpr std::string_view kSuspended = R"(
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: infra, namespace: flux-system, generation: 3, labels: {tier: two}}
spec: {suspend: true, interval: 5m, prune: true, sourceRef: {kind: GitRepository, name: fleet}}
status: {observedGeneration: -1}
)";

std::optional<DependencyProblem> ask(const std::string& expression, bool additive = false) {
    auto self = parse_kustomization(object(kSelf));
    EXPECT_TRUE(self.has_value()) << (self ? "" : self.error().message);
    return dependency_problem(*self, {.name = {"flux-system", "infra"}, .ready_expr = expression}, object(kSuspended), "main@sha1:abc", evaluate_ready_expression, additive);
}

TEST(ReadyExpression, ReplacesTheBuiltInCheckUnlessAdditive) {
    const std::string expression = "dep.spec.suspend == true && self.metadata.labels.tier == dep.metadata.labels.tier";
    EXPECT_FALSE(ask(expression).has_value());
    const auto problem = ask(expression, true);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->message, "dependency 'flux-system/infra' is not ready");
}

TEST(ReadyExpression, FalseIsNotReady) {
    const auto problem = ask("dep.status.observedGeneration == dep.metadata.generation");
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->message, "dependency 'flux-system/infra' is not ready according to readyExpr eval");
    EXPECT_FALSE(problem->terminal);
}

TEST(ReadyExpression, UnknownVariableIsTerminal) {
    const auto problem = ask("metadata.name == 'a'");
    ASSERT_TRUE(problem);
    EXPECT_TRUE(problem->terminal);
    EXPECT_EQ(problem->message,
              "terminal error: failed to evaluate dependency infra: failed to parse the CEL expression 'metadata.name == 'a'': "
              "ERROR: <input>:1:1: undeclared reference to 'metadata' (in container '')\n | metadata.name == 'a'\n | ^");
}

TEST(ReadyExpression, MustBeStaticallyBool) {
    const auto problem = ask("dep.status.ready");
    ASSERT_TRUE(problem);
    EXPECT_TRUE(problem->terminal);
    EXPECT_EQ(problem->message, "terminal error: failed to evaluate dependency infra: CEL expression output type mismatch: expected bool, got dyn");
}

TEST(ReadyExpression, FailingOnTheObjectsIsRetried) {
    const auto problem = ask("dep.status.missing == true");
    ASSERT_TRUE(problem);
    EXPECT_FALSE(problem->terminal);
    EXPECT_EQ(problem->message, "failed to evaluate the CEL expression 'dep.status.missing == true': no such key: missing");
}

} // namespace
} // namespace weber::gitops
