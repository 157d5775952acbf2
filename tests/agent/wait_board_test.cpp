// Waits by themselves, without a server: what is asked of one is the agent's tests' subject.
#include "agent/wait_board.h"

#include <gtest/gtest.h>

#include "agent/metrics.h"
#include "kube/http_client.h"
#include "tests/support/test_cluster.h"

namespace weber::agent {
namespace {

class WaitBoards : public ::testing::Test {
protected:
    void SetUp() override {
        kube::ClientConfig nowhere; // nothing comes from it
        nowhere.server = "http://127.0.0.1:1";
        auto http = kube::HttpClient::create(nowhere);
        ASSERT_TRUE(http.has_value());
        client_ = std::make_shared<kube::Client>(std::shared_ptr<kube::Transport>(std::move(*http)));
        cluster_ = std::make_shared<TargetCluster>(client_, nowhere, true, [](const auto&, const auto&, const auto&, const auto&) {}, metrics_);
    }

    Metrics metrics_;
    std::shared_ptr<kube::Client> client_;
    std::shared_ptr<TargetCluster> cluster_;
    std::stop_source never_;
};

// kustomization.md item 82: who would wait for himself only, waits for nothing. Two of these at once left the board with an index that was erased twice, and its
// lock was never given back.
TEST_F(WaitBoards, WaitsForNothingEndAtOnceSeveralAtATime) {
    WaitBoard board;
    for (const char* key : {"a/one", "a/two", "a/three"}) board.begin(key, gitops::WaitTask{}, {}, Target{cluster_, client_, {}});
    EXPECT_EQ(board.size(), 3u);
    std::set<std::string> ended;
    for (int i = 0; i < 3; ++i) {
        const auto one = board.next(never_.get_token());
        ASSERT_TRUE(one.has_value());
        ASSERT_TRUE(std::holds_alternative<gitops::HealthEnd>(one->health));
        EXPECT_TRUE(std::get<gitops::HealthEnd>(one->health).healthy);
        ended.insert(one->key);
    }
    EXPECT_EQ(ended, (std::set<std::string>{"a/one", "a/two", "a/three"}));
    EXPECT_EQ(board.size(), 0u);
}

// The reader of healthCheckExprs is called on a watch thread. What it throws ends the wait that it judges for, not the process, and no other wait.
TEST_F(WaitBoards, ADefectOfAReaderEndsItsWait) {
    const kube::ObjectRef ref{.gvk = {"", "v1", "ConfigMap"}, .ns = "a", .name = "x"};
    gitops::WaitTask broken{.objects = {ref}, .settings = {}}, sound = broken;
    broken.settings.reader = [](const kube::Object&) -> std::optional<kube::Result<kube::Status>> { throw std::runtime_error("thrown by a test"); };
    WaitBoard board;
    board.begin("a/broken", broken, {}, Target{cluster_, client_, {}}, {""});
    board.begin("a/sound", sound, {}, Target{cluster_, client_, {}}, {""});
    Sighting seen;
    seen.resource_version = "1";
    seen.whole = testing::object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: a}\n");
    board.on_sighting(*cluster_, ref.key(), seen);
    std::map<std::string, std::string> ended;
    for (int i = 0; i < 2; ++i) {
        const auto one = board.next(never_.get_token());
        ASSERT_TRUE(one.has_value());
        try {
            if (one->defect) std::rethrow_exception(one->defect);
            ended[one->key] = std::get<gitops::HealthEnd>(one->health).healthy ? "healthy" : "unhealthy";
        } catch (const std::exception& e) {
            ended[one->key] = e.what();
        }
    }
    EXPECT_EQ(ended, (std::map<std::string, std::string>{{"a/broken", "thrown by a test"}, {"a/sound", "healthy"}}));
    EXPECT_EQ(board.size(), 0u);
}

} // namespace
} // namespace weber::agent
