#include "gitops/reconcile/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weber::gitops {
namespace {

using ::testing::ElementsAre;

NamespacedName ns(std::string name) { return {"ns", std::move(name)}; }

std::vector<std::string> names(const std::vector<NamespacedName>& list) {
    std::vector<std::string> out;
    for (const NamespacedName& n : list) out.push_back(n.name);
    return out;
}

TEST(Graph, PutsDependenciesFirstThenNames) {
    Graph g;
    g.set(ns("c"), {ns("b")});
    g.set(ns("b"), {ns("a")});
    g.set(ns("a"), {});
    g.set(ns("0"), {ns("c")});
    const auto order = g.order();
    ASSERT_TRUE(order) << order.error().to_string();
    EXPECT_THAT(names(*order), ElementsAre("a", "b", "c", "0"));
    EXPECT_THAT(names(g.dependents(ns("a"))), ElementsAre("b"));
}

TEST(Graph, LeavesOutDependenciesThatWereNeverAdded) {
    Graph g;
    g.set(ns("a"), {ns("elsewhere")});
    const auto order = g.order();
    ASSERT_TRUE(order);
    EXPECT_THAT(names(*order), ElementsAre("a"));
}

TEST(Graph, NamesTheCycleFromItsSmallestMember) {
    Graph g;
    g.set(ns("d"), {ns("b")}); // leads into the cycle, but is no part of it
    g.set(ns("b"), {ns("c")});
    g.set(ns("c"), {ns("a")});
    g.set(ns("a"), {ns("b")});
    const auto order = g.order();
    ASSERT_FALSE(order);
    EXPECT_EQ(order.error().message, "circular dependency detected: ns/a -> ns/b -> ns/c -> ns/a");
    EXPECT_THAT(names(g.cycle_from(ns("d"))), ElementsAre("a", "b", "c", "a"));
}

TEST(Graph, SeesAKustomizationThatWaitsForItself) {
    Graph g;
    g.set(ns("a"), {ns("a")});
    const auto order = g.order();
    ASSERT_FALSE(order);
    EXPECT_EQ(order.error().message, "circular dependency detected: ns/a -> ns/a");
}

TEST(Graph, TakesAChainOfAHundredThousand) {
    Graph g;
    for (int i = 0; i < 100'000; ++i) g.set(ns(std::to_string(i)), {ns(std::to_string(i + 1))});
    const auto order = g.order();
    ASSERT_TRUE(order);
    EXPECT_EQ(order->front().name, "99999");
    EXPECT_EQ(order->back().name, "0");
}

} // namespace
} // namespace weber::gitops
