// What a controller knows of objects that it wrote, before its watch does.
#include "agent/written_objects.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "kube/http_client.h"
#include "tests/support/objects.h"
#include "tests/support/test_cluster.h"

namespace weber::agent {
namespace {

using testing::ClusterKind;
using testing::object_of;

class WrittenObjectsTest : public ::testing::TestWithParam<ClusterKind> {
protected:
    void SetUp() override {
        if (const std::string why = cluster_.use(GetParam()); !why.empty()) GTEST_SKIP() << why;
        ns_ = cluster_.make_namespace();
        auto http = kube::HttpClient::create(cluster_.config());
        ASSERT_TRUE(http.has_value());
        client_ = std::make_shared<kube::Client>(std::shared_ptr<kube::Transport>(std::move(*http)));
        informer_ = std::make_unique<kube::Informer>(client_, kube::InformerOptions{.target = {.gvk = {"", "v1", "ConfigMap"}, .ns = ns_}});
        informer_->add_handler(written_.handler());
        // After the handler above: whoever waits for a version finds its work done.
        informer_->add_handler({.added = [this](const Object& o, bool) { saw(o); }, .updated = [this](const Object&, const Object& o) { saw(o); }, .deleted = [this](const Object& o) { saw(o); }});
    }
    void saw(const Object& o) {
        const std::lock_guard lock(mutex_);
        seen_[std::string(o.name())] = o.resource_version();
        changed_.notify_all();
    }
    void await(const Object& o) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return seen_[std::string(o.name())] == o.resource_version(); })) << "the watch never told of " << o.name();
    }
    Object apply(const std::string& name, const std::string& value) {
        const Object wanted = object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + ", namespace: " + ns_ + "}, data: {k: '" + value + "'}}");
        auto answer = client_->apply(wanted, {.field_manager = "test", .force = true});
        EXPECT_TRUE(answer.has_value());
        return answer ? answer->object : Object();
    }
    std::string value_of(const std::string& name) {
        const auto object = written_.current(informer_.get(), {ns_, name});
        return object ? std::string(object->at({"data", "k"})->text()) : "none";
    }

    testing::TestCluster cluster_;
    std::string ns_;
    std::shared_ptr<kube::Client> client_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::string> seen_;
    WrittenObjects written_;
    std::unique_ptr<kube::Informer> informer_; // last: its thread uses all above
};

TEST_P(WrittenObjectsTest, AnswerIsKnownUntilTheCacheHasIt) {
    const Object old = apply("a", "1");
    informer_->start();
    await(old);
    EXPECT_EQ(value_of("a"), "1");
    // Handed in as an answer before the watch tells of it: what is served is the newer one.
    informer_->stop();
    const Object newer = apply("a", "2");
    written_.wrote(newer, informer_.get());
    EXPECT_EQ(written_.size(), 1u);
    EXPECT_EQ(value_of("a"), "2");
    EXPECT_EQ(informer_->get(ns_, "a")->resource_version(), old.resource_version()) << "or this shows nothing";
}

TEST_P(WrittenObjectsTest, NothingIsKeptTwice) {
    std::vector<Object> written;
    for (int i = 0; i < 5; ++i) written.push_back(apply("a" + std::to_string(i), "1"));
    for (const Object& o : written) written_.wrote(o, nullptr); // the watch has not begun
    EXPECT_EQ(written_.size(), 5u);
    informer_->start();
    for (const Object& o : written) await(o);
    EXPECT_EQ(written_.size(), 0u) << "nobody asked for them, they are let go of all the same";
    EXPECT_EQ(value_of("a3"), "1");

    // The answer that comes later than its watch event is not kept either.
    const Object late = apply("a3", "2");
    await(late);
    written_.wrote(late, informer_.get());
    EXPECT_EQ(written_.size(), 0u);
    EXPECT_EQ(value_of("a3"), "2");
}

TEST_P(WrittenObjectsTest, DeletedIsForgotten) {
    const Object o = apply("a", "1");
    informer_->start();
    await(o);
    Object ahead = o; // as if it had been written again
    ahead.metadata_mut().set("resourceVersion", Node::string(std::to_string(std::stoull(std::string(o.resource_version())) + 1'000'000)));
    written_.wrote(ahead, informer_.get());
    EXPECT_EQ(written_.size(), 1u);
    ASSERT_TRUE(client_->remove(kube::ref_of(o), {}).has_value());
    const auto gone = [&] {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return seen_["a"] != o.resource_version(); });
    };
    EXPECT_TRUE(gone());
    EXPECT_EQ(written_.size(), 0u);
    EXPECT_EQ(value_of("a"), "none");
}

INSTANTIATE_TEST_SUITE_P(Servers, WrittenObjectsTest, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

} // namespace
} // namespace weber::agent
