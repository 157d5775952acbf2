// What begins, ends or fails at an awkward moment: no run is lost, none holds what it should not, and the process can always be stopped.
#include "tests/agent/kustomization_fixture.h"

namespace weber::agent {
namespace {

constexpr const char* kNeverHealthy = "wait: true, timeout: 10m, healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, current: 'has(data.done)'}]";

class KustomizationLifetimes : public KustomizationRuns {
protected:
    static bool waits(const Object& o) { return status_of(o).find("Healthy") != nullptr; }
    void await_watched_kinds(int n) {
        const auto limit = std::chrono::steady_clock::now() + kPatience;
        const std::string line = "weber_watched_kinds " + std::to_string(n) + "\n";
        while (metrics_.text().find(line) == std::string::npos && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
        EXPECT_NE(metrics_.text().find(line), std::string::npos);
    }
    static bool tells_of_a_panic(const std::string& line) { return line.find("Observed a panic") != line.npos && line.find("thrown by a test") != line.npos; }
};
INSTANTIATE_TEST_SUITE_P(Servers, KustomizationLifetimes, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

// Somebody takes the finalizer away, so the object vanishes while its run waits; another of the same name must not wait for the end of that wait, nor inherit its status.
TEST_P(KustomizationLifetimes, OneThatVanishesWhileItWaitsMakesRoomForTheNext) {
    publish("main@sha1:1", {{"a/a.yaml", config_map("one", "1")}, {"b/b.yaml", config_map("two", "2")}});
    const Object first = make(kustomization("app", "./a", kNeverHealthy));
    start_agent();
    await(first, waits);
    patch(first, "metadata: {finalizers: null}\n");
    ASSERT_TRUE(api().remove(kube::ref_of(first)).has_value());
    Object second = kustomization("app", "./b");
    second.metadata_mut().set("finalizers", Node::list({Node::string(std::string(gitops::kFinalizer))})); // its first status is the first thing written to it
    second = make(second);
    const Object done = await(second, [&](const Object& o) { return o.uid() == second.uid() && applied("main@sha1:1")(o); });
    EXPECT_EQ(inventory_of(done), (std::vector<std::string>{"ConfigMap/two"}));
    EXPECT_EQ(value_of("one"), "1") << "nobody asked for its removal";
}

TEST_P(KustomizationLifetimes, ADeletionAndASuspensionEndAWait) {
    publish("main@sha1:1", {{"a/a.yaml", config_map("one", "1")}, {"b/b.yaml", config_map("two", "2")}});
    const Object doomed = make(kustomization("doomed", "./a", kNeverHealthy)), paused = make(kustomization("paused", "./b", kNeverHealthy));
    start_agent();
    for (const Object& k : {doomed, paused}) await(k, waits);
    ASSERT_TRUE(api().remove(kube::ref_of(doomed)).has_value());
    await_gone(doomed);
    EXPECT_TRUE(absent(in_ns(config_map("one", ""))));
    patch(paused, "spec: {suspend: true}\n");
    logged_.await([](const std::string& line) { return line.find("Reconciliation is suspended for this object") != line.npos; });
    EXPECT_EQ(value_of("two"), "2");
}

// The same without a successor: nothing of it stays in the agent's lists.
TEST_P(KustomizationLifetimes, OneThatVanishesWhileItWaitsEndsItsWait) {
    publish("main@sha1:1", {{"a/a.yaml", config_map("one", "1")}});
    const Object k = make(kustomization("app", "./a", kNeverHealthy));
    start_agent();
    await(k, waits);
    patch(k, "metadata: {finalizers: null}\n");
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    logged_.await([](const std::string& line) { return line.find("New reconciliation triggered, canceling health checks") != line.npos; });
}

TEST_P(KustomizationLifetimes, ADefectWhileAWaitReadsEndsThatRunOnly) { // kustomization.md 8.4; what no watch tells of is read now and then
    publish("main@sha1:1", {{"a/a.yaml", config_map("one", "1")}});
    options_.backoff = {.min = std::chrono::milliseconds(10), .max = std::chrono::milliseconds(20)};
    make(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: foreign}\ndata: {k: x}\n"));
    faults_->fail({.kind = testing::FaultKind::exception, .verb = "get", .path = "/configmaps/foreign", .nth = 1});
    const Object k = make(kustomization("app", "./a", "timeout: 10m, healthChecks: [{apiVersion: v1, kind: ConfigMap, name: foreign, namespace: " + ns_ + "}]"));
    start_agent();
    await(k, applied("main@sha1:1"));
    EXPECT_EQ(faults_->faults(), 1);
    EXPECT_EQ(logged_.count(tells_of_a_panic), 1u);
}

TEST_P(KustomizationLifetimes, ADefectWhileALateStatusIsWrittenEndsNothing) {
    const std::string bytes = pack({{"a.yaml", config_map("one", "1")}});
    Arrivals<std::shared_ptr<kube::server::Exchange>> held;
    auto front = kube::server::HttpFront::start({}, [&](kube::server::HttpRequest&&, const std::shared_ptr<kube::server::Exchange>& exchange) { held.add(exchange); }).value();
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}},
            {.url = "http://127.0.0.1:" + std::to_string(front->port()) + "/slow.tar.gz", .digest = gitops::artifact_digest(bytes)});
    faults_->fail({.kind = testing::FaultKind::exception, .verb = "patch", .path = "/kustomizations/app/status", .nth = 1});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    const auto exchange = held.await([](const auto&) { return true; });
    ASSERT_NE(exchange, nullptr);
    held.clear(); // an exchange may not outlive its server
    logged_.await(tells_of_a_panic);
    kube::server::HttpResponse answer;
    answer.body = bytes;
    exchange->respond(std::move(answer));
    await(k, applied("main@sha1:1"));
}

// Each is watched as it was applied: a watch in another version shows other fields, which is no drift.
TEST_P(KustomizationLifetimes, VersionsOfOneKindDoNotFight) {
    const auto scaler = [&](const std::string& version, const std::string& name, const std::string& metric) {
        return "apiVersion: autoscaling/" + version + "\nkind: HorizontalPodAutoscaler\nmetadata: {name: " + name + ", namespace: " + ns_ +
               "}\nspec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}, " + metric + "}\n";
    };
    publish("main@sha1:1", {{"a/h.yaml", scaler("v1", "old", "targetCPUUtilizationPercentage: 50")},
                            {"b/h.yaml", scaler("v2", "new", "metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]")}});
    const Object a = make(kustomization("a", "./a")), b = make(kustomization("b", "./b"));
    start_agent();
    await(a, applied("main@sha1:1"));
    await(b, applied("main@sha1:1"));
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    const auto both = [&] { return controller_->settled(ns_ + "/a") && controller_->settled(ns_ + "/b"); };
    while (!both() && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    EXPECT_TRUE(both());
    EXPECT_EQ(logged_.count([](const std::string& line) { return line.find("drift detected") != line.npos; }), 0u);
    for (const char* name : {"old", "new"}) { // and drift is still seen, in either version
        const Object h = in_ns(scaler("v1", name, ""));
        patch(h, "spec: {maxReplicas: 9}\n");
        await(h, [](const Object& o) { return o.at({"spec", "maxReplicas"})->text() == "3"; });
    }
}

// A discovery that fails at the start is no reason to look at no source ever.
TEST_P(KustomizationLifetimes, SourcesAreWatchedThoughTheFirstQuestionFails) {
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    const Object k = make(kustomization("app", "./"));
    faults_->fail({.kind = testing::FaultKind::forbidden, .path = "/apis", .nth = 1});
    start_agent();
    await(k, applied("main@sha1:1"));
    publish("main@sha1:2", {{"a.yaml", config_map("one", "2")}});
    await(k, applied("main@sha1:2"));
}

TEST_P(KustomizationLifetimes, AnApiServerThatIsSilentAtTheStartDoesNotKeepItFromItsEnd) {
    faults_->fail({.kind = testing::FaultKind::stall, .verb = "list", .path = "/gitrepositories", .probability = 1});
    start_agent();
    while (faults_->faults() == 0) std::this_thread::yield();
    const auto began = std::chrono::steady_clock::now();
    stop_agent();
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20)) << "a list may take a minute";
}

// The watch of a kind that is no more asks a few times and is quiet; when the kind comes back and is applied, it is watched again.
TEST_P(KustomizationLifetimes, AKindThatIsGoneIsNotAskedForAgainAndAgain) {
    const std::string group = "gone-" + ns_ + ".example.org";
    const std::string definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things." + group + "}\nspec: {group: " + group +
                                   ", scope: Namespaced, names: {kind: Thing, plural: things, singular: thing, listKind: ThingList}, versions: [{name: v1, served: true, storage: true, "
                                   "schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}\n";
    const std::string thing = "apiVersion: " + group + "/v1\nkind: Thing\nmetadata: {name: t, namespace: " + ns_ + "}\nspec: {k: '1'}\n";
    testing::define(api(), definition);
    publish("main@sha1:1", {{"t.yaml", thing}});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    await_settled("app");
    await_watched_kinds(1);
    patch(k, "spec: {suspend: true}\n");
    await(k, [](const Object& o) { return status_of(o).observed_generation == o.generation(); });
    ASSERT_TRUE(api().remove(kube::ref_of(object_of(definition))).has_value());
    await_watched_kinds(0);
    testing::define(api(), definition);
    patch(k, "spec: {suspend: false}\n");
    const Object t = in_ns(thing);
    await(t, [](const Object&) { return true; });
    await_watched_kinds(1);
    await_settled("app");
    patch(t, "spec: {k: '2'}\n");
    await(t, [](const Object& o) { return o.at({"spec", "k"})->text() == "1"; });
}

} // namespace
} // namespace weber::agent
