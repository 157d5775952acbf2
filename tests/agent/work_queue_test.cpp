// The controllers' queue: what runs when, with time moved by hand.
#include "agent/work_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace weber::agent {
namespace {

using namespace std::chrono_literals;

TEST(WorkQueue, OnceAtATimeAndAgainWhenTouchedMeanwhile) {
    QueueState q;
    const Tick now{};
    q.add("a", Priority::event);
    q.add("a", Priority::event);
    EXPECT_EQ(q.pop(now), "a");
    EXPECT_EQ(q.pop(now), std::nullopt);
    q.add("a", Priority::event); // while it is worked on
    EXPECT_EQ(q.pop(now), std::nullopt);
    q.done("a");
    EXPECT_EQ(q.pop(now), "a");
    q.done("a");
    EXPECT_EQ(q.pop(now), std::nullopt);
    EXPECT_EQ(q.adds(), 2u);
}

TEST(WorkQueue, UsersBeforeEventsBeforeTheSweep) {
    QueueState q;
    q.add("sweep", Priority::sweep);
    q.add("event", Priority::event);
    q.add("user", Priority::user);
    q.add("sweep2", Priority::sweep);
    q.add("sweep2", Priority::user); // moves up
    std::string order;
    while (auto key = q.pop(Tick{})) order += *key + " ";
    EXPECT_EQ(order, "user sweep2 event sweep ");
}

TEST(WorkQueue, TheEarliestDelayCountsAndAnyRunFulfilsIt) {
    QueueState q;
    const Tick t0{};
    q.add_at("a", t0 + 10s);
    q.add_at("a", t0 + 5s);
    q.add_at("a", t0 + 3600s); // e.g. the next interval, after drift was seen during the run
    EXPECT_EQ(q.next_due(), t0 + 5s);
    EXPECT_EQ(q.pop(t0 + 4s), std::nullopt);
    EXPECT_EQ(q.pop(t0 + 5s), "a");
    q.done("a");
    q.add_at("a", t0 + 20s);
    q.add("a", Priority::event);
    EXPECT_EQ(q.next_due(), std::nullopt);
    EXPECT_EQ(q.pop(t0 + 6s), "a");
    q.done("a");
    EXPECT_EQ(q.pop(t0 + 30s), std::nullopt);
    EXPECT_EQ(q.adds(), 2u) << "one that came due, one that was wished";
}

TEST(WorkQueue, BackoffDoublesUpToItsCapUntilForgotten) {
    QueueState q({.min = 750ms, .max = 15min});
    EXPECT_EQ(q.next_backoff("a"), 750ms);
    EXPECT_EQ(q.next_backoff("a"), 1500ms);
    for (int i = 0; i < 60; ++i) q.next_backoff("a");
    EXPECT_EQ(q.next_backoff("a"), 15min);
    EXPECT_EQ(q.next_backoff("b"), 750ms);
    q.forget("a");
    EXPECT_EQ(q.next_backoff("a"), 750ms);
}

TEST(WorkQueue, ThreadsGetEachKeyOnceAndEndWhenStopped) {
    WorkQueue queue;
    std::atomic<int> worked{0};
    std::vector<std::jthread> workers;
    for (int w = 0; w < 4; ++w)
        workers.emplace_back([&](std::stop_token stop) {
            while (auto key = queue.next(stop)) {
                ++worked;
                worked.notify_all();
                queue.done(*key);
            }
        });
    for (int i = 0; i < 100; ++i) queue.add(std::to_string(i));
    queue.add_after("later", 1ms);
    for (int seen = worked; seen < 101; seen = worked) worked.wait(seen);
    EXPECT_EQ(worked, 101);
    workers.clear(); // stops and joins
    EXPECT_EQ(queue.numbers().working, 0u);
}

} // namespace
} // namespace weber::agent
