// Leader election by a Lease, on both servers.
#include "kube/lease.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <thread>

#include "tests/support/faulty_transport.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

class LeaseOn : public ::testing::TestWithParam<ClusterKind> {
protected:
    void SetUp() override {
        const std::string why = cluster.use(GetParam());
        if (!why.empty()) GTEST_SKIP() << why;
        ns = cluster.make_namespace();
        faulty = std::make_shared<FaultyTransport>(std::shared_ptr<Transport>(&cluster.client().transport(), [](Transport*) {}));
        client = std::make_shared<Client>(faulty);
    }
    LeaseOptions options(const std::string& identity) const { return {.ns = ns, .name = "leader", .identity = identity}; }
    std::unique_ptr<LeaderElector> elector(const std::string& identity) {
        auto made = LeaderElector::create(client, options(identity), {}, clock);
        EXPECT_TRUE(made) << made.error().to_string();
        return std::move(*made);
    }
    // With real time: as short as the Lease's whole seconds allow.
    std::unique_ptr<LeaderElector> quick(const std::string& identity, LeaseCallbacks callbacks, bool release = true) {
        LeaseOptions o = options(identity);
        o.duration = milliseconds(1000);
        o.renew_deadline = milliseconds(400);
        o.retry_period = milliseconds(20);
        o.release_on_cancel = release;
        auto made = LeaderElector::create(client, o, std::move(callbacks));
        EXPECT_TRUE(made) << made.error().to_string();
        return std::move(*made);
    }
    std::string lease(const char* field) {
        const auto object = cluster.client().get({.gvk = {"coordination.k8s.io", "v1", "Lease"}, .ns = ns, .name = "leader"});
        EXPECT_TRUE(object) << object.error().to_string();
        const Node* value = object ? object->at({"spec", field}) : nullptr;
        return value ? std::string(value->text()) : "-";
    }

    TestCluster cluster;
    std::string ns;
    std::shared_ptr<FaultyTransport> faulty;
    std::shared_ptr<Client> client;
    ManualClock clock;
};

TEST_P(LeaseOn, TheFirstMakesItAndOthersWait) {
    const auto a = elector("a"), b = elector("b");
    EXPECT_FALSE(a->is_leader());
    ASSERT_TRUE(a->try_once());
    EXPECT_TRUE(a->is_leader());
    EXPECT_EQ(lease("holderIdentity"), "a");
    EXPECT_EQ(lease("leaseDurationSeconds"), "35");
    EXPECT_EQ(lease("acquireTime"), "2026-01-02T03:04:05.000000Z");
    EXPECT_EQ(lease("leaseTransitions"), "0");
    EXPECT_FALSE(b->try_once());
    EXPECT_EQ(b->leader(), "a");

    clock.advance(seconds(20));
    ASSERT_TRUE(a->try_once());
    EXPECT_EQ(lease("acquireTime"), "2026-01-02T03:04:05.000000Z");
    EXPECT_EQ(lease("renewTime"), "2026-01-02T03:04:25.000000Z");
    clock.advance(seconds(34)); // 34 s after the renewal that b has not seen yet
    EXPECT_FALSE(b->try_once());
    clock.advance(seconds(34));
    EXPECT_FALSE(b->try_once());
    clock.advance(seconds(1)); // 35 s since b saw it change
    EXPECT_TRUE(b->try_once());
    EXPECT_EQ(lease("holderIdentity"), "b");
    EXPECT_EQ(lease("leaseTransitions"), "1");
    EXPECT_FALSE(a->try_once()) << "its cached Lease is stale: the server refuses, the new holder is seen";
    EXPECT_FALSE(a->is_leader());
    EXPECT_EQ(a->leader(), "b");
}

TEST_P(LeaseOn, RenewingTakesOneRequest) {
    const auto a = elector("a");
    ASSERT_TRUE(a->try_once());
    faulty->reset_counts();
    clock.advance(seconds(5));
    ASSERT_TRUE(a->try_once());
    EXPECT_EQ(faulty->count("update"), 1);
    EXPECT_EQ(faulty->count("get"), 0);
}

TEST_P(LeaseOn, ReleasedItIsFreeAtOnce) {
    const auto a = elector("a"), b = elector("b");
    ASSERT_TRUE(a->try_once());
    ASSERT_FALSE(b->try_once());
    EXPECT_TRUE(b->release()) << "not ours to free: nothing to do";
    EXPECT_EQ(lease("holderIdentity"), "a");
    EXPECT_TRUE(a->release());
    EXPECT_FALSE(a->is_leader());
    EXPECT_EQ(lease("holderIdentity"), "");
    EXPECT_EQ(lease("leaseDurationSeconds"), "1");
    EXPECT_TRUE(b->try_once());
    EXPECT_EQ(lease("leaseTransitions"), "1");
}

TEST_P(LeaseOn, HealthIsLostWhenRenewalsStay) {
    const auto a = elector("a");
    EXPECT_TRUE(a->healthy(seconds(0)));
    ASSERT_TRUE(a->try_once());
    clock.advance(seconds(40));
    EXPECT_TRUE(a->healthy(seconds(10)));
    EXPECT_FALSE(a->healthy(seconds(1)));
}

TEST_P(LeaseOn, ConflictsAndFaultsAreNotLeadership) {
    const auto a = elector("a");
    faulty->fail({.kind = FaultKind::cut, .verb = "get", .nth = 1});
    EXPECT_FALSE(a->try_once());
    faulty->fail({.kind = FaultKind::server_error, .verb = "create", .nth = 1});
    EXPECT_FALSE(a->try_once());
    EXPECT_TRUE(a->try_once());
    faulty->fail({.kind = FaultKind::conflict, .verb = "update", .probability = 1});
    EXPECT_FALSE(a->try_once());
    faulty->heal();
    EXPECT_TRUE(a->try_once());
}

struct Diary {
    void add(const std::string& line) {
        const std::lock_guard lock(mutex);
        lines.push_back(line);
        changed.notify_all();
    }
    bool wait_for(const std::string& line) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, seconds(30), [&] { return std::ranges::find(lines, line) != lines.end(); });
    }
    std::vector<std::string> all() {
        const std::lock_guard lock(mutex);
        return lines;
    }
    LeaseCallbacks callbacks(const std::string& who) {
        return {.started =
                    [this, who](std::stop_token stop) {
                        add(who + " starts");
                        pause_until(stop);
                        add(who + " ends");
                    },
                .stopped = [this, who] { add(who + " stopped"); },
                .new_leader = [this, who](const std::string& id) { add(who + " sees " + id); }};
    }
    static void pause_until(const std::stop_token& stop) {
        std::mutex m;
        std::condition_variable_any never;
        std::unique_lock lock(m);
        never.wait(lock, stop, [] { return false; });
    }
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> lines;
};

TEST_P(LeaseOn, TwoProcessesTakeTurns) {
    Diary diary;
    const auto a = quick("a", diary.callbacks("a")), b = quick("b", diary.callbacks("b"));
    std::stop_source stop_a, stop_b;
    LeaseEnd end_a{}, end_b{};
    std::thread ta([&] { end_a = a->run(stop_a.get_token()); });
    ASSERT_TRUE(diary.wait_for("a starts"));
    std::thread tb([&] { end_b = b->run(stop_b.get_token()); });
    ASSERT_TRUE(diary.wait_for("b sees a"));
    EXPECT_FALSE(b->is_leader());
    stop_a.request_stop();
    ASSERT_TRUE(diary.wait_for("b starts"));
    stop_b.request_stop();
    ta.join();
    tb.join();
    EXPECT_EQ(end_a, LeaseEnd::cancelled);
    EXPECT_EQ(end_b, LeaseEnd::cancelled);
    const auto lines = diary.all();
    const auto at = [&](const std::string& line) { return std::ranges::find(lines, line) - lines.begin(); };
    EXPECT_LT(at("a ends"), at("b starts")) << "never two at once";
    EXPECT_EQ(lease("holderIdentity"), "");
}

TEST_P(LeaseOn, ALeaderThatCannotRenewStops) {
    Diary diary;
    const auto a = quick("a", diary.callbacks("a"), false);
    std::stop_source stop;
    LeaseEnd end{};
    std::thread t([&] { end = a->run(stop.get_token()); });
    ASSERT_TRUE(diary.wait_for("a starts"));
    faulty->fail({.kind = FaultKind::cut, .probability = 1});
    ASSERT_TRUE(diary.wait_for("a stopped"));
    t.join();
    EXPECT_EQ(end, LeaseEnd::lost);
    EXPECT_EQ(diary.all(), (std::vector<std::string>{"a sees a", "a starts", "a ends", "a stopped"}));
    EXPECT_EQ(lease("holderIdentity"), "a") << "not released: it runs out";
}

// A process that was stopped for a while, or cut off: who took the Lease over works already.
TEST_P(LeaseOn, ALeaderThatSeesAnotherOneStopsAtOnce) {
    Diary diary;
    LeaseOptions o = options("a");
    o.duration = seconds(602);
    o.renew_deadline = seconds(600); // what it would go on for otherwise
    o.retry_period = milliseconds(20);
    auto a = LeaderElector::create(client, o, diary.callbacks("a"));
    ASSERT_TRUE(a) << a.error().to_string();
    std::stop_source stop;
    LeaseEnd end{};
    std::thread t([&] { end = (*a)->run(stop.get_token()); });
    ASSERT_TRUE(diary.wait_for("a starts"));
    const Node taken = Node::map({{"spec", Node::map({{"holderIdentity", Node::string("b")}})}});
    ASSERT_TRUE(cluster.client().patch({.gvk = {"coordination.k8s.io", "v1", "Lease"}, .ns = ns, .name = "leader"}, PatchType::merge, taken));
    EXPECT_TRUE(diary.wait_for("a stopped"));
    stop.request_stop();
    t.join();
    EXPECT_EQ(end, LeaseEnd::lost);
    EXPECT_EQ(diary.all(), (std::vector<std::string>{"a sees a", "a starts", "a sees b", "a ends", "a stopped"}));
    EXPECT_EQ(lease("holderIdentity"), "b");
}

TEST_P(LeaseOn, StoppedBeforeItLed) {
    Diary diary;
    const auto other = quick("other", {});
    ASSERT_TRUE(other->try_once());
    const auto a = quick("a", diary.callbacks("a"));
    std::stop_source stop;
    std::thread t([&] { EXPECT_EQ(a->run(stop.get_token()), LeaseEnd::cancelled); });
    ASSERT_TRUE(diary.wait_for("a sees other"));
    stop.request_stop();
    t.join();
    EXPECT_EQ(diary.all(), (std::vector<std::string>{"a sees other", "a stopped"}));
    EXPECT_EQ(lease("holderIdentity"), "other");
}

INSTANTIATE_TEST_SUITE_P(Clusters, LeaseOn, ::testing::ValuesIn(kBothClusters), cluster_name);

TEST(Lease, DurationsMustFit) {
    const auto refused = [](milliseconds duration, milliseconds deadline, milliseconds retry) {
        return !LeaderElector::create(nullptr, {.ns = "n", .name = "l", .identity = "i", .duration = duration, .renew_deadline = deadline, .retry_period = retry});
    };
    EXPECT_FALSE(refused(seconds(35), seconds(30), seconds(5)));
    EXPECT_TRUE(refused(seconds(30), seconds(30), seconds(5)));
    EXPECT_TRUE(refused(seconds(35), seconds(6), seconds(5)));
    EXPECT_TRUE(refused(milliseconds(900), milliseconds(500), milliseconds(5)));
    EXPECT_TRUE(refused(seconds(35), seconds(30), milliseconds(0)));
    EXPECT_FALSE(LeaderElector::create(nullptr, {.ns = "n", .name = "l", .identity = ""}));
}

} // namespace
