// Waits by themselves, without a server: what is asked of one is the agent's tests' subject.
#include "agent/wait_board.h"

#include <gtest/gtest.h>

#include "agent/metrics.h"
#include "kube/http_client.h"

namespace weber::agent {
namespace {

// kustomization.md item 82: who would wait for himself only, waits for nothing. Two of these at once left the board with an index that was erased twice, and its
// lock was never given back.
TEST(WaitBoard, WaitsForNothingEndAtOnceSeveralAtATime) {
    kube::ClientConfig nowhere; // nothing is asked of it
    nowhere.server = "http://127.0.0.1:1";
    auto http = kube::HttpClient::create(nowhere);
    ASSERT_TRUE(http.has_value());
    const auto client = std::make_shared<kube::Client>(std::shared_ptr<kube::Transport>(std::move(*http)));
    Metrics metrics;
    const auto cluster = std::make_shared<TargetCluster>(client, nowhere, true, [](const auto&, const auto&, const auto&, const auto&) {}, metrics);
    WaitBoard board;
    for (const char* key : {"a/one", "a/two", "a/three"}) board.begin(key, gitops::WaitTask{}, {}, Target{cluster, client, {}});
    EXPECT_EQ(board.size(), 3u);
    std::stop_source never;
    std::set<std::string> ended;
    for (int i = 0; i < 3; ++i) {
        const auto one = board.next(never.get_token());
        ASSERT_TRUE(one.has_value());
        ASSERT_TRUE(std::holds_alternative<gitops::HealthEnd>(one->health));
        EXPECT_TRUE(std::get<gitops::HealthEnd>(one->health).healthy);
        ended.insert(one->key);
    }
    EXPECT_EQ(ended, (std::set<std::string>{"a/one", "a/two", "a/three"}));
    EXPECT_EQ(board.size(), 0u);
}

} // namespace
} // namespace weber::agent
