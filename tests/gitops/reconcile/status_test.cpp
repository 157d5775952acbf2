// Conditions, reasons, messages, revisions, history and events of a run: kustomization.md 2 to 4.
#include "gitops/reconcile/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

using namespace std::chrono_literals;
using kube::SystemTime;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using weber::testing::object_of;

const SystemTime kNow = *kube::parse_rfc3339("2026-11-25T02:00:00Z");

Kustomization kustomization(std::string_view extra = "", std::string_view metadata = "") {
    const auto k = parse_kustomization(object_of("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: app\n  namespace: ns\n"
                                                 "  generation: 3\n" + std::string(metadata) +
                                                 "spec:\n  interval: 10m\n  retryInterval: 30s\n  prune: true\n  sourceRef: {kind: GitRepository, name: src}\n" + std::string(extra)));
    EXPECT_TRUE(k) << k.error().to_string();
    return *k;
}

RunContext context(std::string_view metadata = "") {
    RunContext run = run_context(kustomization("", metadata));
    run.revision = "main@sha1:abc";
    run.digest = "sha256:d1";
    run.started = kNow - 2s;
    return run;
}

// "Type=Status/Reason: message" in stored order.
std::vector<std::string> shown(const KustomizationStatus& s) {
    std::vector<std::string> out;
    for (const Condition& c : s.conditions) out.push_back(c.type + "=" + c.status + "/" + c.reason + ": " + c.message);
    return out;
}

std::vector<std::string> shown(const std::vector<Event>& events) {
    std::vector<std::string> out;
    for (const Event& e : events) out.push_back(std::string(e.warning ? "error" : "info") + " " + e.reason + ": " + e.message);
    return out;
}

KustomizationStatus after_success() {
    KustomizationStatus s;
    const RunContext run = context();
    mark_step(s, run, StatusStep::fetching, kNow);
    mark_step(s, run, StatusStep::building, kNow);
    return conclude(s, run, Succeeded{}, kNow, 2s).status;
}

TEST(Status, ARunInProgressNamesStepRevisionAndTimeout) {
    KustomizationStatus s;
    const RunContext run = context();
    mark_step(s, run, StatusStep::fetching, kNow);
    EXPECT_THAT(shown(s), ElementsAre("Reconciling=True/Progressing: Fetching manifests for revision main@sha1:abc with a timeout of 9m30s",
                                      "Ready=Unknown/Progressing: Reconciliation in progress"));
    EXPECT_EQ(s.last_attempted_revision, "");
    mark_step(s, run, StatusStep::building, kNow);
    EXPECT_EQ(s.last_attempted_revision, "main@sha1:abc");
    mark_step(s, run, StatusStep::health_checks, kNow);
    EXPECT_THAT(shown(s), ElementsAre("Reconciling=True/Progressing: Running health checks for revision main@sha1:abc with a timeout of 9m30s",
                                      "Ready=Unknown/Progressing: Reconciliation in progress",
                                      "Healthy=Unknown/Progressing: Running health checks for revision main@sha1:abc with a timeout of 9m30s"));
}

TEST(Status, ASuccessIsReadyWithRevisionsGenerationHistoryAndOneEvent) {
    KustomizationStatus s;
    const RunContext run = context();
    mark_step(s, run, StatusStep::building, kNow);
    const Conclusion end = conclude(s, run, Succeeded{}, kNow, 2345678901ns);
    EXPECT_THAT(shown(end.status), ElementsAre("Ready=True/ReconciliationSucceeded: Applied revision: main@sha1:abc"));
    EXPECT_EQ(end.status.observed_generation, 3);
    EXPECT_EQ(end.status.last_applied_revision, "main@sha1:abc");
    EXPECT_EQ(end.next, NextRun::interval);
    ASSERT_EQ(end.status.history.size(), 1u);
    EXPECT_EQ(end.status.history[0].last_status, "ReconciliationSucceeded");
    EXPECT_EQ(end.status.history[0].last_duration, "2s");
    EXPECT_EQ(end.status.history[0].total, 1);
    EXPECT_THAT(end.status.history[0].metadata, ElementsAre(Pair("revision", "main@sha1:abc")));
    EXPECT_THAT(shown(end.events), ElementsAre("info ReconciliationSucceeded: Reconciliation finished in 2.345678901s, next run in 10m0s"));
    EXPECT_THAT(end.events[0].metadata, UnorderedElementsAre(Pair("kustomize.toolkit.fluxcd.io/revision", "main@sha1:abc"),
                                                             Pair("kustomize.toolkit.fluxcd.io/commit_status", "update")));
}

TEST(Status, AFailureKeepsTheStepsMessageAndTheOldGeneration) {
    KustomizationStatus s = after_success();
    RunContext run = context("  annotations: {reconcile.fluxcd.io/requestedAt: t1}\n");
    run.generation = 4;
    run.digest = "";
    mark_step(s, run, StatusStep::fetching, kNow);
    mark_step(s, run, StatusStep::building, kNow);
    const Conclusion end = conclude(s, run, FailedRun{"BuildFailed", "kustomize build failed: no", {}}, kNow, 1s);
    EXPECT_THAT(shown(end.status),
                ElementsAre("Reconciling=True/ProgressingWithRetry: Building manifests for revision main@sha1:abc with a timeout of 9m30s",
                            "Ready=False/BuildFailed: kustomize build failed: no"));
    EXPECT_EQ(end.status.observed_generation, 3);
    EXPECT_EQ(end.status.last_handled_reconcile_at, "t1");
    EXPECT_EQ(end.status.history.size(), 1u) << "no digest, no entry";
    EXPECT_EQ(end.next, NextRun::retry);
    EXPECT_THAT(shown(end.events), ElementsAre("error BuildFailed: kustomize build failed: no"));
}

TEST(Status, TerminalErrorsStallAndEndTheRetrying) {
    KustomizationStatus s = after_success();
    RunContext run = context();
    run.generation = 5;
    mark_step(s, run, StatusStep::fetching, kNow);
    const Conclusion cel = conclude(s, run, Terminal{"InvalidCELExpression", "no such variable", true}, kNow, 1s);
    EXPECT_THAT(shown(cel.status),
                ElementsAre("Stalled=True/InvalidCELExpression: Reconciliation failed terminally due to configuration error: no such variable",
                            "Ready=False/InvalidCELExpression: Reconciliation failed terminally due to configuration error: no such variable"));
    EXPECT_EQ(cel.status.observed_generation, 5);
    EXPECT_EQ(cel.next, NextRun::terminal);
    EXPECT_EQ(cel.events.at(0).metadata.count("kustomize.toolkit.fluxcd.io/revision"), 1u);

    const Conclusion gate = conclude(s, run, Terminal{"FeatureGateDisabled", "please enable it", false}, kNow, 1s);
    EXPECT_EQ(gate.status.observed_generation, 3);
    EXPECT_EQ(gate.next, NextRun::none);
    EXPECT_THAT(gate.events.at(0).metadata, IsEmpty());

    const Conclusion access = conclude(s, run, Terminal{"AccessDenied", "can't access 'GitRepository/a/b', cross-namespace references have been blocked", false}, kNow, 1s);
    EXPECT_THAT(shown(access.status), ElementsAre("Stalled=True/AccessDenied: can't access 'GitRepository/a/b', cross-namespace references have been blocked",
                                                  "Ready=False/AccessDenied: can't access 'GitRepository/a/b', cross-namespace references have been blocked")); // no Reconciling
    EXPECT_EQ(access.status.observed_generation, 3);
    EXPECT_EQ(access.next, NextRun::terminal);
}

TEST(Status, OutcomesBeforeTheStart) {
    const KustomizationStatus old = after_success();
    const RunContext run = context();
    const Conclusion missing = conclude(old, run, SourceNotFound{"gitrepositories.source.toolkit.fluxcd.io \"src\" not found"}, kNow, 1s);
    EXPECT_THAT(shown(missing.status), ElementsAre("Ready=False/ArtifactFailed: gitrepositories.source.toolkit.fluxcd.io \"src\" not found"));
    EXPECT_THAT(missing.events, IsEmpty());
    EXPECT_EQ(missing.next, NextRun::retry);

    const Conclusion none = conclude(old, run, NoArtifact{}, kNow, 1s);
    EXPECT_THAT(shown(none.status), ElementsAre("Ready=False/ArtifactFailed: Source artifact not found, retrying in 30s"));
    EXPECT_EQ(none.next, NextRun::dependency);

    const Conclusion dependency = conclude(old, run, DependencyNotReady{"dependency 'ns/x' is not ready"}, kNow, 1s);
    EXPECT_THAT(shown(dependency.status), ElementsAre("Ready=False/DependencyNotReady: dependency 'ns/x' is not ready"));
    EXPECT_THAT(shown(dependency.events), ElementsAre("info DependencyNotReady: Dependencies do not meet ready condition, retrying in 30s"));

    const Conclusion gone = conclude(old, run, ArtifactGone{}, kNow, 1s);
    EXPECT_THAT(shown(gone.status), ElementsAre("Ready=False/ArtifactFailed: Source is not ready, artifact not found, retrying in 30s"));
    EXPECT_THAT(gone.events, IsEmpty());
}

TEST(Status, ASuspendedObjectKeepsItsConditionsAndFollowsGenerationAndAnnotation) {
    const KustomizationStatus old = after_success();
    RunContext run = context("  annotations: {reconcile.fluxcd.io/requestedAt: t2}\n");
    run.suspended = true;
    run.generation = 9;
    const Conclusion end = conclude(old, run, SuspendedRun{}, kNow + 60s, 1s);
    EXPECT_EQ(end.status.conditions, old.conditions);
    EXPECT_EQ(end.status.observed_generation, 9);
    EXPECT_EQ(end.status.last_handled_reconcile_at, "t2");
    EXPECT_THAT(end.events, IsEmpty());
    EXPECT_EQ(end.next, NextRun::none);
}

TEST(Status, ACancelledWaitLeavesHealthyUnknownAndNoHistory) {
    KustomizationStatus s;
    const RunContext run = context();
    mark_step(s, run, StatusStep::health_checks, kNow);
    const Conclusion end = conclude(s, run, Cancelled{"GitRepository/ns/src"}, kNow, 1s);
    EXPECT_EQ(end.status.find("Ready")->message, "New reconciliation triggered by GitRepository/ns/src");
    EXPECT_EQ(end.status.find("Healthy")->status, "Unknown");
    EXPECT_THAT(end.status.history, IsEmpty());
    EXPECT_EQ(end.next, NextRun::now);
    EXPECT_THAT(shown(end.events), ElementsAre("info HealthCheckCanceled: Health checks canceled due to new reconciliation triggered by GitRepository/ns/src"));
}

TEST(Status, HealthPassedIsAnEventOnlyWhenItIsNews) {
    KustomizationStatus s = after_success();
    RunContext run = context();
    EXPECT_TRUE(mark_healthy(s, run, 512300us, false, false, kNow)) << "was not healthy before";
    EXPECT_EQ(s.find("Healthy")->message, "Health check passed in 512.3ms");
    EXPECT_FALSE(mark_healthy(s, run, 1s, true, true, kNow)) << "same revision";
    run.revision = "main@sha1:new";
    EXPECT_FALSE(mark_healthy(s, run, 1s, true, false, kNow)) << "nothing drifted";
    EXPECT_TRUE(mark_healthy(s, run, 1s, true, true, kNow));
}

TEST(Status, HistoryKeepsFiveAndReturnsAKnownResultToTheFront) {
    KustomizationStatus s;
    RunContext run = context();
    for (int i = 1; i <= 6; ++i) {
        run.digest = "sha256:d" + std::to_string(i);
        s = conclude(s, run, Succeeded{}, kNow + std::chrono::seconds(i), 1s).status;
    }
    ASSERT_EQ(s.history.size(), 5u);
    EXPECT_EQ(s.history.front().digest, "sha256:d6");
    EXPECT_EQ(s.history.back().digest, "sha256:d2");
    run.digest = "sha256:d3";
    s = conclude(s, run, FailedRun{"HealthCheckFailed", "x", {}}, kNow + 10s, 1s).status;
    EXPECT_EQ(s.history.front().last_status, "HealthCheckFailed");
    EXPECT_EQ(s.history.size(), 5u);
    s = conclude(s, run, Succeeded{}, kNow + 11s, 1s).status;
    EXPECT_EQ(s.history.front().digest, "sha256:d3");
    EXPECT_EQ(s.history.front().total, 2);
    EXPECT_EQ(s.history.front().first_reconciled, "2026-11-25T02:00:03Z");
    EXPECT_EQ(s.history.front().last_reconciled, "2026-11-25T02:00:11Z");
}

TEST(Status, TransitionTimeMovesWithStatusReasonOrMessageOnly) {
    KustomizationStatus s;
    set_condition(s, {"Ready", "True", "A", "m", 1, ""}, kNow);
    set_condition(s, {"Ready", "True", "A", "m", 2, ""}, kNow + 5s);
    EXPECT_EQ(s.find("Ready")->last_transition, "2026-11-25T02:00:00Z");
    EXPECT_EQ(s.find("Ready")->observed_generation, 2);
    set_condition(s, {"Ready", "True", "A", "other", 2, ""}, kNow + 5s);
    EXPECT_EQ(s.find("Ready")->last_transition, "2026-11-25T02:00:05Z");
}

TEST(Status, ReconcilingAndStalledExcludeEachOtherAndOrderIsFixed) {
    KustomizationStatus s;
    for (const char* type : {"Healthy", "Ready", "Another", "Reconciling"}) set_condition(s, {type, "True", "R", "", 1, ""}, kNow);
    EXPECT_THAT(shown(s), ElementsAre("Reconciling=True/R: ", "Ready=True/R: ", "Another=True/R: ", "Healthy=True/R: "));
    set_condition(s, {"Stalled", "True", "R", "", 1, ""}, kNow);
    EXPECT_EQ(s.find("Reconciling"), nullptr);
    EXPECT_EQ(s.conditions.front().type, "Stalled");
}

TEST(Status, MessagesAreCutAt32768Bytes) {
    EXPECT_EQ(limit_message(std::string(32768, 'x')).size(), 32768u);
    const std::string cut = limit_message(std::string(32769, 'x'));
    EXPECT_EQ(cut.size(), 32768u);
    EXPECT_TRUE(cut.ends_with("x..."));
}

TEST(Status, SurvivesAWayThroughTheApiAndBack) {
    KustomizationStatus s = after_success();
    s.inventory = Inventory{{{"apps", "Deployment", "ns", "a"}, "v1"}};
    Object o = object_of("{apiVersion: v1, kind: K, metadata: {name: a}}");
    o.root().set("status", write_status(s));
    const auto again = read_status(o);
    ASSERT_TRUE(again);
    EXPECT_EQ(write_status(*again), write_status(s));
    EXPECT_TRUE(says_the_same(s, *again));
}

TEST(Status, AnEntryOfTheInventoryThatIsNoneTakesNothingElseAway) {
    const auto read = read_status(testing::object_of("status: {inventory: {entries: [{id: nonsense, v: v1}, {id: ns_a__ConfigMap, v: v1}]}, lastAppliedRevision: r, history: [{digest: d, lastReconciledStatus: s}]}"));
    ASSERT_TRUE(read.has_value());
    ASSERT_EQ(read->inventory->size(), 1u);
    EXPECT_EQ(read->inventory->front().key.name, "a");
    EXPECT_EQ(read->unreadable, std::vector<std::string>{"nonsense"});
    EXPECT_EQ(read->history.size(), 1u);
    EXPECT_EQ(read->last_applied_revision, "r");
}

TEST(Status, AnEmptyInventoryIsWrittenAsAnEmptyList) {
    KustomizationStatus s;
    s.inventory.emplace();
    const Node n = write_status(s);
    ASSERT_NE(n.find_path({"inventory", "entries"}), nullptr);
    EXPECT_TRUE(n.find_path({"inventory", "entries"})->is_list());
    EXPECT_EQ(write_status({}).find("inventory"), nullptr);
}

TEST(Status, ARunThatChangedNothingSaysTheSame) {
    KustomizationStatus s = after_success();
    const RunContext run = context();
    mark_healthy(s, run, 1s, false, false, kNow);
    KustomizationStatus next = s;
    mark_step(next, run, StatusStep::fetching, kNow + 60s);
    mark_step(next, run, StatusStep::health_checks, kNow + 60s);
    mark_healthy(next, run, 3s, true, false, kNow + 61s);
    next = conclude(next, run, Succeeded{}, kNow + 61s, 1s).status;
    EXPECT_TRUE(says_the_same(s, next));
    RunContext other = run;
    other.revision = "main@sha1:def";
    EXPECT_FALSE(says_the_same(s, conclude(s, other, Succeeded{}, kNow, 1s).status));
    next.inventory = Inventory{{{"", "ConfigMap", "ns", "a"}, "v1"}};
    EXPECT_FALSE(says_the_same(s, next));
}

TEST(Status, EventsCarryTheAnnotationsOfTheObjectAndTheyWin) {
    RunContext run = context("  annotations: {event.toolkit.fluxcd.io/env: prod, other: x}\n");
    run.origin_revision = "o1";
    const Event e = make_event({}, run, true, "text");
    EXPECT_EQ(e.reason, "error") << "no Ready condition: the severity's word";
    EXPECT_THAT(e.metadata, UnorderedElementsAre(Pair("event.toolkit.fluxcd.io/env", "prod"), Pair("kustomize.toolkit.fluxcd.io/revision", "main@sha1:abc"),
                                                 Pair("kustomize.toolkit.fluxcd.io/originRevision", "o1")));
}

struct Timeout {
    const char* spec;
    std::chrono::nanoseconds effective;
};
TEST(Status, EffectiveTimeout) {
    for (const Timeout& t : {Timeout{"interval: 5m", 4min + 30s}, Timeout{"interval: 20s", 30s}, Timeout{"interval: 1h\n  timeout: 5s", 30s},
                             Timeout{"interval: 1h\n  timeout: 2m", 2min}}) {
        const auto k = parse_kustomization(object_of("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a, namespace: b}\n"
                                                     "spec:\n  prune: true\n  sourceRef: {kind: GitRepository, name: s}\n  " + std::string(t.spec)));
        ASSERT_TRUE(k) << k.error().to_string();
        EXPECT_EQ(run_context(*k).timeout, t.effective) << t.spec;
    }
}

} // namespace
} // namespace weber::gitops
