// Waiting for objects, on both servers.
#include "kube/watch.h"

#include <gtest/gtest.h>

#include <thread>

#include "kube/status_reader.h"
#include "tests/support/faulty_transport.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;
using std::chrono::milliseconds;
using std::chrono::seconds;
using State = Observation::State;

namespace {

const GroupVersionKind kConfigMap{"", "v1", "ConfigMap"};

class WaitOn : public ::testing::TestWithParam<ClusterKind> {
protected:
    void SetUp() override {
        if (const std::string why = cluster.use(GetParam()); !why.empty()) GTEST_SKIP() << why;
        ns = cluster.make_namespace();
        faulty = std::make_shared<FaultyTransport>(std::shared_ptr<Transport>(&cluster.client().transport(), [](Transport*) {}));
        client = std::make_shared<Client>(faulty);
        options.timeout = seconds(30);
        options.watch.backoff_min = milliseconds(1);
        options.watch.backoff_max = milliseconds(20);
    }
    ObjectRef ref(const std::string& name) const { return {.gvk = kConfigMap, .ns = ns, .name = name}; }
    void put(const std::string& name) {
        const auto done = cluster.client().apply(object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + ", namespace: " + ns + "}}"),
                                                 {.field_manager = "test"});
        ASSERT_TRUE(done) << done.error().to_string();
    }
    TestCluster cluster;
    std::string ns;
    std::shared_ptr<FaultyTransport> faulty;
    std::shared_ptr<Client> client;
    WaitOptions options;
};

TEST_P(WaitOn, WhatIsTrueAlreadyNeedsNoWatch) {
    put("a");
    const std::vector<ObjectRef> refs{ref("a")};
    const auto end = wait_for(*client, refs, [](std::size_t, const Observation& o) { return o.state == State::present; }, options);
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, WaitEnd::satisfied);
    EXPECT_EQ(faulty->count("watch"), 0);
    EXPECT_EQ(wait_for(*client, {}, [](std::size_t, const Observation&) { return false; }, options).value(), WaitEnd::satisfied);
}

TEST_P(WaitOn, SeesWhatComesAndGoesWithoutPolling) {
    put("going");
    options.recheck = std::chrono::hours(1);
    const std::vector<ObjectRef> refs{ref("coming"), ref("going")};
    std::vector<State> states(2, State::unknown);
    std::jthread changes;
    const auto end = wait_for(
        *client, refs,
        [&](std::size_t i, const Observation& o) {
            states[i] = o.state;
            if (states[0] == State::absent && states[1] == State::present && !changes.joinable())
                changes = std::jthread([&] {
                    put("coming");
                    (void)cluster.client().remove(ref("going"));
                });
            return states[0] == State::present && states[1] == State::absent;
        },
        options);
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, WaitEnd::satisfied);
    EXPECT_EQ(faulty->count("watch"), 1) << "one for both";
}

TEST_P(WaitOn, WhatVanishesBeforeTheWatchBeginsIsNoticed) {
    put("a");
    options.recheck = std::chrono::hours(1);
    const std::vector<ObjectRef> refs{ref("a")};
    const auto end = wait_for(
        *client, refs,
        [&](std::size_t, const Observation& o) {
            if (o.state == State::present) (void)cluster.client().remove(ref("a"));
            return o.state == State::absent;
        },
        options);
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, WaitEnd::satisfied);
}

TEST_P(WaitOn, GoesOnWhenWatchesAreCut) {
    faulty->fail({.kind = FaultKind::cut, .verb = "watch", .probability = 0.7, .times = 20});
    faulty->fail({.kind = FaultKind::server_error, .verb = "get", .nth = 1});
    std::jthread later([&] {
        for (const char* name : {"a", "b", "c"}) put(name);
    });
    const std::vector<ObjectRef> refs{ref("a"), ref("b"), ref("c")};
    std::vector<bool> there(3);
    const auto end = wait_for(
        *client, refs,
        [&](std::size_t i, const Observation& o) {
            there[i] = o.state == State::present;
            return there[0] && there[1] && there[2];
        },
        options);
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, WaitEnd::satisfied);
}

TEST_P(WaitOn, EndsInTimeAndWhenStopped) {
    const std::vector<ObjectRef> refs{ref("never"), {.gvk = {"x.io", "v1", "Unknown"}, .ns = ns, .name = "x"}};
    const std::vector<State> wanted{State::absent, State::unknown};
    std::vector<State> states(2, State::present);
    std::string why;
    // A busy server may not have said anything after 50 ms: then it gets more time.
    for (options.timeout = milliseconds(50); states != wanted && options.timeout < seconds(60); options.timeout *= 2) {
        const auto late = wait_for(
            *client, refs,
            [&](std::size_t i, const Observation& o) {
                states[i] = o.state;
                if (o.error) why = o.error->message;
                return false;
            },
            options);
        ASSERT_TRUE(late);
        EXPECT_EQ(*late, WaitEnd::timed_out);
    }
    EXPECT_EQ(states, wanted);
    EXPECT_EQ(why, "no matches for kind \"Unknown\" in version \"x.io/v1\"");
    std::stop_source stop;
    options.timeout = seconds(30);
    const auto stopped = wait_for(*client, refs, [&](std::size_t, const Observation&) { return stop.request_stop() && false; }, options, stop.get_token());
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

TEST_P(WaitOn, ARefusedKindIsAskedAgainAtTheRecheck) {
    put("a");
    faulty->fail({.kind = FaultKind::server_error, .verb = "get", .probability = 1, .times = 1});
    faulty->fail({.kind = FaultKind::server_error, .verb = "watch", .probability = 1});
    options.recheck = milliseconds(10);
    const std::vector<ObjectRef> refs{ref("a")};
    const auto end = wait_for(*client, refs, [](std::size_t, const Observation& o) { return o.state == State::present; }, options);
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, WaitEnd::satisfied);
}

// Every kind that settles by its controller becomes Current by kstatus on both servers.
TEST_P(WaitOn, WorkloadsSettle) {
    if (cluster.is_real() && std::getenv("WEBER_BARE_CLUSTER")) GTEST_SKIP() << "needs controllers and nodes: run without cluster.sh --bare";
    const std::string pod = "template: {metadata: {labels: {app: x}}, spec: {containers: [{name: c, image: i}]}}";
    const std::string selector = "selector: {matchLabels: {app: x}}, ";
    const std::string yamls[] = {
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 2, " + selector + pod + "}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {serviceName: s, replicas: 1, selector: {matchLabels: {app: s}}, template: {metadata: "
        "{labels: {app: s}}, spec: {containers: [{name: c, image: i}]}}}}",
        "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ds}, spec: {selector: {matchLabels: {app: ds}}, template: {metadata: {labels: {app: ds}}, spec: "
        "{containers: [{name: c, image: i}]}}}}",
        "{apiVersion: v1, kind: Service, metadata: {name: svc}, spec: {selector: {app: x}, ports: [{port: 80}]}}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: cm}}",
        "{apiVersion: batch/v1, kind: CronJob, metadata: {name: cj}, spec: {schedule: '0 0 1 1 *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, "
        "containers: [{name: c, image: i}]}}}}}}",
        "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: pdb}, spec: {minAvailable: 1, selector: {matchLabels: {app: x}}}}",
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np}, spec: {podSelector: {}}}"};
    std::vector<ObjectRef> refs;
    for (const std::string& yaml : yamls) {
        Object o = object_of(yaml);
        o.set_ns(ns);
        const auto done = client->apply(o, {.field_manager = "test"});
        ASSERT_TRUE(done) << done.error().to_string();
        refs.push_back(ref_of(o));
    }
    std::vector<std::string> statuses(refs.size());
    const StatusReaders readers;
    options.timeout = seconds(120);
    const auto end = wait_for(
        *client, refs,
        [&](std::size_t i, const Observation& o) {
            statuses[i] = o.state == State::present ? std::string(to_string(readers.compute(o.object).status.code)) : "";
            return std::ranges::all_of(statuses, [](const std::string& s) { return s == "Current"; });
        },
        options);
    ASSERT_TRUE(end);
    std::string text;
    for (std::size_t i = 0; i < refs.size(); ++i) text += refs[i].gvk.kind + " " + statuses[i] + "\n";
    EXPECT_EQ(*end, WaitEnd::satisfied) << text;
}

INSTANTIATE_TEST_SUITE_P(Clusters, WaitOn, ::testing::ValuesIn(kBothClusters), cluster_name);

} // namespace
