// Health in the agent: kustomization.md section 9, items 3 to 8 and 77 to 84, as far as a running process shows them.
#include "tests/agent/kustomization_fixture.h"

namespace weber::agent {
namespace {

class KustomizationHealth : public KustomizationRuns {
protected:
    static constexpr const char* kRule = "healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, failed: \"data.k == 'bad'\", current: \"data.k == 'good'\"}]";
    static std::function<bool(const Node&)> passed(const std::string& name) { return EventReceiver::of(name, "", "Health check passed in "); }
    static std::string said(const Object& o, const std::string& type) {
        const auto status = status_of(o);
        const gitops::Condition* c = status.find(type);
        return c == nullptr ? "<none>" : c->status + "/" + c->reason + ": " + c->message;
    }
};
INSTANTIATE_TEST_SUITE_P(Servers, KustomizationHealth, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

TEST_P(KustomizationHealth, PassesFailsAndPassesAgain) { // items 77 to 80
    publish("main@sha1:1", {{"a.yaml", config_map("one", "good")}});
    const Object k = make(kustomization("app", "./", "retryInterval: 1h, wait: true, " + std::string(kRule)));
    start_agent();
    const Object first = await(k, applied("main@sha1:1"));
    EXPECT_TRUE(said(first, "Healthy").starts_with("True/Succeeded: Health check passed in ")) << said(first, "Healthy");
    ASSERT_EQ(status_of(first).history.size(), 1u);
    EXPECT_EQ(status_of(first).history.front().total, 1);
    events_seen_.await(passed("app")); // a new revision with changes

    publish("main@sha1:2", {{"a.yaml", config_map("one", "bad")}});
    const Object failed = await(k, ready("False", "HealthCheckFailed", "failed early due to stalled resources: [ConfigMap/" + ns_ + "/one status: 'Failed']"));
    EXPECT_TRUE(said(failed, "Ready").starts_with("False/HealthCheckFailed: health check failed after ")) << said(failed, "Ready");
    EXPECT_EQ(said(failed, "Healthy"), "False/HealthCheckFailed: failed early due to stalled resources: [ConfigMap/" + ns_ + "/one status: 'Failed']");
    ASSERT_EQ(status_of(failed).history.size(), 2u);
    EXPECT_EQ(status_of(failed).history.front().last_status, "HealthCheckFailed");
    EXPECT_EQ(status_of(failed).last_applied_revision, "main@sha1:1");
    EXPECT_EQ(events_seen_.await(EventReceiver::of("app", "HealthCheckFailed", "ConfigMap/" + ns_ + "/one")).text_at("severity"), "error");

    publish("main@sha1:3", {{"a.yaml", config_map("one", "good")}});
    const auto history = status_of(await(k, applied("main@sha1:3"))).history;
    events_seen_.await(passed("app"), 2);
    ASSERT_EQ(history.size(), 2u) << "the first entry came back to the front";
    EXPECT_EQ(history.front().last_status, "ReconciliationSucceeded");
    EXPECT_EQ(history.front().total, 2);

    const auto finished = EventReceiver::of("app", "ReconciliationSucceeded", "Reconciliation finished in ");
    events_seen_.await(finished, 2);
    publish("main@sha1:4", {{"a.yaml", config_map("one", "good")}, {"b.txt", "not of the build"}});
    await(k, applied("main@sha1:4"));
    events_seen_.await(finished, 3);
    EXPECT_EQ(events_seen_.count(passed("app")), 2u) << "no change, and healthy before";

    patch(k, "spec: {wait: false}\n");
    await(k, [](const Object& o) { return status_of(o).observed_generation == o.generation() && status_of(o).find("Healthy") == nullptr; });
}

// Flux checks again at every interval. Here the watches tell at no cost of what was applied; what another applied is read.
TEST_P(KustomizationHealth, WhatFallsIllIsSeenByTheNextInterval) {
    const std::string rule = "healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, failed: 'has(data.ill)', current: 'true'}]";
    const Object other = make(in_ns(config_map("others", "1")));
    publish("main@sha1:1", {{"own/a.yaml", config_map("one", "1")}, {"foreign/b.yaml", config_map("two", "1")}});
    const Object own = make(each_second(kustomization("own", "./own", "retryInterval: 1s, wait: true, " + rule)));
    const Object foreign = make(each_second(kustomization("foreign", "./foreign", "retryInterval: 1s, healthChecks: [{apiVersion: v1, kind: ConfigMap, name: others, namespace: " + ns_ + "}], " + rule)));
    start_agent();
    for (const Object& k : {own, foreign}) await(k, applied("main@sha1:1"));
    for (const char* name : {"own", "foreign"}) await_settled(name);
    const auto runs_of = [](const std::string& name) { return EventReceiver::of(name, "ReconciliationSucceeded", "Reconciliation finished"); };
    for (const char* name : {"own", "foreign"}) events_seen_.await(runs_of(name), events_seen_.count(runs_of(name)) + 2); // quiet ones among them

    const auto ill = [&](const char* name, const char* value) {
        const Node change = object_of(std::string("data: {ill: ") + value + "}\n").root();
        ASSERT_TRUE(api().patch(kube::ref_of(in_ns(config_map(name, ""))), kube::PatchType::merge, change, {.field_manager = "kubelet"}).has_value()); // no drift
    };
    ill("one", "'yes'");
    ill("others", "'yes'");
    await(own, ready("False", "HealthCheckFailed", "failed early due to stalled resources: [ConfigMap/" + ns_ + "/one status: 'Failed']"));
    await(foreign, ready("False", "HealthCheckFailed", "failed early due to stalled resources: [ConfigMap/" + ns_ + "/others status: 'Failed']"));
    ill("one", "null");
    ill("others", "null");
    for (const Object& k : {own, foreign}) await(k, applied("main@sha1:1"));

    // A commit that changes nothing of it moves the revision only while it is well.
    ill("one", "'yes'");
    await(own, ready("False", "HealthCheckFailed"));
    publish("main@sha1:2", {{"own/a.yaml", config_map("one", "1")}, {"foreign/b.yaml", config_map("two", "1")}, {"c.txt", "of none"}});
    const Object still = await(own, [](const Object& o) { return status_of(o).last_attempted_revision == "main@sha1:2" && ready("False", "HealthCheckFailed")(o); });
    EXPECT_EQ(status_of(still).last_applied_revision, "main@sha1:1");
    await(foreign, applied("main@sha1:2"));
}

TEST_P(KustomizationHealth, ACheckWithoutItsNamespaceIsAnErrorAtOnce) { // readiness.md 4
    publish("main@sha1:1", {{"a.yaml", config_map("one", "v")}});
    const Object k = make(kustomization("app", "./", "healthChecks: [{apiVersion: v1, kind: ConfigMap, name: one}]")); // its timeout is 59m30s
    start_agent();
    const Object failed = await(k, ready("False", "HealthCheckFailed"));
    EXPECT_TRUE(said(failed, "Ready").ends_with(": resource ConfigMap one is namespace scoped, but namespace is not set")) << said(failed, "Ready");
    EXPECT_EQ(said(failed, "Healthy"), "False/HealthCheckFailed: resource ConfigMap one is namespace scoped, but namespace is not set");
}

TEST_P(KustomizationHealth, NobodyWaitsForHimself) { // items 82, 84
    const std::string self = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: inside, namespace: " + ns_ +
                             "}\nspec: {interval: 1h, prune: false, path: ./inside, wait: true, sourceRef: {kind: GitRepository, name: fleet}}\n";
    publish("main@sha1:1", {{"named/a.yaml", config_map("one", "v")}, {"inside/self.yaml", self}, {"group/a.yaml", config_map("bad", "bad")}});
    const Object named = make(kustomization("named", "./named", "healthChecks: [{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, name: named, namespace: " + ns_ + "}]"));
    const Object inside = make(in_ns(self));
    const Object group = make(kustomization("group", "./group", "wait: true, healthCheckExprs: [{apiVersion: v9, current: 'false', failed: \"data.k == 'bad'\"}]"));
    start_agent();
    for (const Object& k : {named, inside}) EXPECT_TRUE(said(await(k, applied("main@sha1:1")), "Healthy").starts_with("True/Succeeded")) << k.name();
    await(group, ready("False", "HealthCheckFailed", "ConfigMap/" + ns_ + "/bad status: 'Failed'"));
}

TEST_P(KustomizationHealth, ConditionsWhileItWaits) { // items 7, 10
    publish("main@sha1:1", {{"a.yaml", config_map("one", "neither")}});
    const Object k = make(kustomization("app", "./", "timeout: 5s, wait: true, " + std::string(kRule)));
    Object longer = kustomization("longer", "./", "wait: true, " + std::string(kRule));
    longer.root().find_mut("spec")->set("interval", Node::string("5m"));
    longer = make(longer);
    start_agent();
    for (const auto& [object, timeout] : {std::pair(k, "30s"), {longer, "4m30s"}}) {
        const Object now = await(object, [](const Object& o) { return status_of(o).find("Healthy") != nullptr; });
        EXPECT_EQ(said(now, "Reconciling"), "True/Progressing: Running health checks for revision main@sha1:1 with a timeout of " + std::string(timeout));
        EXPECT_EQ(said(now, "Healthy"), "Unknown/Progressing: Running health checks for revision main@sha1:1 with a timeout of " + std::string(timeout));
        EXPECT_TRUE(said(now, "Ready").starts_with("Unknown/Progressing")) << said(now, "Ready");
    }
}

TEST_P(KustomizationHealth, AFailureKeepsTheGenerationAndAnswersWhoAsked) { // item 8, 33
    publish("main@sha1:1", {{"a.yaml", config_map("one", "v")}});
    const Object k = make(kustomization("app", "./", "retryInterval: 1h"));
    start_agent();
    const Object good = await(k, applied("main@sha1:1"));
    patch(k, "metadata: {annotations: {reconcile.fluxcd.io/requestedAt: now}}\nspec: {components: [/etc]}\n");
    const Object failed = await(k, ready("False", "BuildFailed"));
    EXPECT_EQ(status_of(failed).observed_generation, good.generation());
    EXPECT_EQ(status_of(failed).last_handled_reconcile_at, "now");
    EXPECT_EQ(said(failed, "Reconciling"), "True/ProgressingWithRetry: Building manifests for revision main@sha1:1 with a timeout of 59m30s");
    EXPECT_EQ(inventory_of(failed), inventory_of(good));
}

TEST_P(KustomizationHealth, ASuspendedOneOnlyAnswers) { // items 3, 4
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    events_seen_.await(EventReceiver::of("app", "ReconciliationSucceeded", "Reconciliation finished in "));
    patch(k, "spec: {suspend: true}\n");
    const Object before = await(k, [](const Object& o) { return status_of(o).observed_generation == o.generation(); });
    const std::size_t events = events_seen_.all().size();
    publish("main@sha1:2", {{"a.yaml", config_map("one", "2")}});
    const Object after = ask(k, "now");
    EXPECT_EQ(*after.at({"status", "conditions"}), *before.at({"status", "conditions"}));
    EXPECT_EQ(status_of(after).last_applied_revision, "main@sha1:1");
    EXPECT_EQ(value_of("one"), "1");
    ASSERT_TRUE(events_->flush(kPatience));
    EXPECT_EQ(events_seen_.all().size(), events);
}

} // namespace
} // namespace weber::agent
