// Events: the correlator's rules on a clock that stands still, and what reaches the servers.
#include "kube/events.h"

#include <gtest/gtest.h>

#include "tests/support/faulty_transport.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Object subject(const std::string& ns, const std::string& name) {
    return object_of("{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name + ", namespace: " + ns + ", uid: u-" + name + ", resourceVersion: '7'}}");
}

class Correlator : public ::testing::Test {
protected:
    EventRecord event(const std::string& message, const std::string& object = "app", const std::string& reason = "Progressing") {
        return {.name = event_name(object, clock.now()), .ns = "ns", .regarding = object_reference(subject("ns", object)), .type = "Normal", .reason = reason,
                .message = message, .component = "kustomize-controller", .host = {}, .first = clock.now(), .last = clock.now()};
    }
    ManualClock clock;
    EventCorrelator correlator{clock};
};

TEST_F(Correlator, EqualEventsAreCounted) {
    const auto first = correlator.correlate(event("m"));
    EXPECT_FALSE(first.update);
    EXPECT_EQ(first.event.count, 1);
    clock.advance(seconds(10));
    const auto second = correlator.correlate(event("m"));
    EXPECT_TRUE(second.update);
    EXPECT_EQ(second.event.count, 2);
    EXPECT_EQ(second.event.name, first.event.name);
    EXPECT_EQ(second.event.first, first.event.first);
    EXPECT_EQ(second.event.last, clock.now());
    EXPECT_FALSE(correlator.correlate(event("m", "other")).update);
    EXPECT_FALSE(correlator.correlate(event("m", "app", "Other")).update);
}

TEST_F(Correlator, TheTenthDifferentMessageIsCombined) {
    for (int i = 0; i < 9; ++i) {
        const auto out = correlator.correlate(event("m" + std::to_string(i)));
        EXPECT_EQ(out.event.message, "m" + std::to_string(i));
    }
    clock.advance(seconds(1));
    const auto tenth = correlator.correlate(event("m9"));
    EXPECT_FALSE(tenth.update);
    EXPECT_EQ(tenth.event.message, "(combined from similar events): m9");
    EXPECT_EQ(tenth.event.to_object().root().text_at("reportingComponent"), "") << "as client-go makes them";
    EXPECT_EQ(tenth.event.to_object().at({"source", "component"})->text(), tenth.event.component);
    const auto next = correlator.correlate(event("m10"));
    EXPECT_TRUE(next.update);
    EXPECT_EQ(next.event.count, 2);
    EXPECT_EQ(next.event.name, tenth.event.name);
    EXPECT_EQ(correlator.correlate(event("m", "app", "Other")).event.message, "m");
    clock.advance(minutes(11)); // quiet for more than ten minutes
    EXPECT_EQ(correlator.correlate(event("m11")).event.message, "m11");
}

TEST_F(Correlator, TwentyFiveAtOnceThenOneEachFiveMinutes) {
    int sent = 0;
    for (int i = 0; i < 100; ++i) sent += !correlator.correlate(event("m")).skip;
    EXPECT_EQ(sent, 25);
    EXPECT_FALSE(correlator.correlate(event("m", "other")).skip) << "each object has a budget of its own";
    clock.advance(minutes(5) - seconds(1));
    EXPECT_TRUE(correlator.correlate(event("m")).skip);
    clock.advance(seconds(1));
    const auto late = correlator.correlate(event("m"));
    EXPECT_FALSE(late.skip);
    EXPECT_EQ(late.event.count, 102) << "what was not sent counts";
    EXPECT_TRUE(correlator.correlate(event("m")).skip);
    clock.advance(std::chrono::hours(24));
    sent = 0;
    for (int i = 0; i < 100; ++i) sent += !correlator.correlate(event("m")).skip;
    EXPECT_EQ(sent, 25) << "the budget does not grow beyond the burst";
}

TEST_F(Correlator, ItsMemoryIsBounded) {
    EventCorrelator small(clock, {.cache = 2});
    EXPECT_FALSE(small.correlate(event("m", "a")).update);
    EXPECT_FALSE(small.correlate(event("m", "b")).update);
    EXPECT_TRUE(small.correlate(event("m", "a")).update);
    EXPECT_FALSE(small.correlate(event("m", "c")).update); // pushes b out, the one not used for longest
    EXPECT_TRUE(small.correlate(event("m", "a")).update);
    EXPECT_FALSE(small.correlate(event("m", "b")).update);
}

TEST(EventName, FitsAName) {
    ManualClock clock;
    EXPECT_EQ(event_name(std::string(300, 'a'), clock.now()).size(), 253u);
    EXPECT_EQ(event_name("app", *parse_rfc3339("1970-01-01T00:00:01Z")), "app.3b9aca00");
}

class EventsOn : public ::testing::TestWithParam<ClusterKind> {
protected:
    void SetUp() override {
        const std::string why = cluster.use(GetParam());
        if (!why.empty()) GTEST_SKIP() << why;
        ns = cluster.make_namespace();
        faulty = std::make_shared<FaultyTransport>(std::shared_ptr<Transport>(&cluster.client().transport(), [](Transport*) {}));
        client = std::make_shared<Client>(faulty);
    }
    std::vector<Object> events(const std::string& name) {
        auto found = cluster.client().list({"", "v1", "Event"}, {.ns = ns, .field_selector = "involvedObject.name=" + name});
        EXPECT_TRUE(found) << found.error().to_string();
        return found ? std::move(found->items) : std::vector<Object>();
    }
    TestCluster cluster;
    std::string ns;
    std::shared_ptr<FaultyTransport> faulty;
    std::shared_ptr<Client> client;
};

TEST_P(EventsOn, CreatesThenCounts) {
    EventRecorder recorder(client, {.component = "kustomize-controller", .instance = "agent-0"});
    const Object app = subject(ns, "app");
    recorder.record(app, EventType::normal, "Progressing", "one", {{"kustomize.toolkit.fluxcd.io/revision", "main@sha1:5a0e"}});
    recorder.record(app, EventType::warning, "BuildFailed", "two", {}, "source-controller");
    for (int i = 0; i < 3; ++i) recorder.record(app, EventType::normal, "Progressing", "one");
    ASSERT_TRUE(recorder.flush(seconds(30)));
    EXPECT_EQ(recorder.counts().created, 2u);
    EXPECT_EQ(recorder.counts().updated, 3u);
    const auto found = events("app");
    ASSERT_EQ(found.size(), 2u);
    for (const Object& e : found) {
        const bool one = e.root().text_at("message") == "one";
        EXPECT_EQ(e.root().text_at("type"), one ? "Normal" : "Warning");
        EXPECT_EQ(e.root().text_at("reason"), one ? "Progressing" : "BuildFailed");
        EXPECT_EQ(e.at({"count"})->as_int(), one ? 4 : 1);
        EXPECT_EQ(e.at({"source", "component"})->text(), one ? "kustomize-controller" : "source-controller");
        EXPECT_EQ(e.at({"source", "host"})->text(), "agent-0");
        EXPECT_EQ(e.root().text_at("reportingComponent"), one ? "kustomize-controller" : "source-controller");
        EXPECT_EQ(e.annotation("kustomize.toolkit.fluxcd.io/revision"), one ? "main@sha1:5a0e" : "");
        EXPECT_EQ(e.at({"involvedObject", "uid"})->text(), "u-app");
        EXPECT_EQ(e.at({"involvedObject", "apiVersion"})->text(), "apps/v1");
        EXPECT_TRUE(std::string(e.name()).starts_with("app."));
    }
}

TEST_P(EventsOn, AnEventThatExpiredIsMadeAnew) {
    EventRecorder recorder(client, {.component = "c"});
    recorder.record(subject(ns, "app"), EventType::normal, "R", "m");
    ASSERT_TRUE(recorder.flush(seconds(30)));
    const auto made = events("app");
    ASSERT_EQ(made.size(), 1u);
    ASSERT_TRUE(cluster.client().remove(ref_of(made[0])));
    recorder.record(subject(ns, "app"), EventType::normal, "R", "m");
    ASSERT_TRUE(recorder.flush(seconds(30)));
    const auto again = events("app");
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].at({"count"})->as_int(), 2);
}

TEST_P(EventsOn, TriedAgainWhenCutDroppedWhenRefused) {
    EventRecorder recorder(client, {.component = "c", .retry_pause = milliseconds(1)});
    faulty->fail({.kind = FaultKind::cut, .verb = "create", .probability = 1, .times = 3});
    recorder.record(subject(ns, "app"), EventType::normal, "R", "m");
    recorder.record(subject(ns + "-missing", "other"), EventType::normal, "R", "m"); // no such namespace: 404
    ASSERT_TRUE(recorder.flush(seconds(30)));
    EXPECT_EQ(events("app").size(), 1u);
    EXPECT_EQ(recorder.counts().created, 1u);
    EXPECT_EQ(recorder.counts().dropped, 1u);
    EXPECT_EQ(faulty->count("create"), 5);
}

TEST_P(EventsOn, RecordNeverWaitsAndTheQueueIsBounded) {
    faulty->fail({.kind = FaultKind::stall, .probability = 1});
    EventRecorder recorder(client, {.component = "c", .queue = 10});
    for (int i = 0; i < 50; ++i) recorder.record(subject(ns, "app" + std::to_string(i)), EventType::normal, "R", "m");
    EXPECT_FALSE(recorder.flush(milliseconds(1)));
    EXPECT_GE(recorder.counts().dropped, 39u);
} // its end does not wait for the stalled request

INSTANTIATE_TEST_SUITE_P(Clusters, EventsOn, ::testing::ValuesIn(kBothClusters), cluster_name);

} // namespace
