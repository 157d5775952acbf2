// Lists in pages and of earlier versions: the same on both servers.
#include <gtest/gtest.h>

#include "tests/kube/server/either_server.h"

namespace weber::testing {
namespace {

class Lists : public EitherServer {
protected:
    Lists() : EitherServer(RealServer::any) {}
    void SetUp() override {
        EitherServer::SetUp();
        if (!api_) return;
        static int count = 0;
        ns_ = "weber-lists-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
        ASSERT_EQ(api_->post("/api/v1/namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: " + ns_ + "}}").status, 201);
        for (const char* name : {"a", "b", "c", "d", "e", "f"}) make(name, std::string(name) < "d" ? "x" : "y");
    }
    void TearDown() override {
        if (api_ && !ns_.empty()) (void)api_->remove("/api/v1/namespaces/" + ns_);
    }

    // Leases: no controller makes any in a namespace of ours.
    [[nodiscard]] std::string leases() const { return "/apis/coordination.k8s.io/v1/namespaces/" + ns_ + "/leases"; }
    void make(const std::string& name, const std::string& label) const {
        EXPECT_EQ(api_->post(leases(), "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: " + name + ", labels: {t: " + label + "}}, spec: {holderIdentity: old}}").status, 201);
    }
    void change(const std::string& name) const { EXPECT_EQ(api_->patch(leases() + "/" + name, "merge", "{spec: {holderIdentity: new}}").status, 200); }
    // "a b" of the items; with their holders when they are not "old".
    static std::string items(const Reply& r) {
        std::string out;
        const Node* list = r.node("items");
        for (const Node& item : list ? list->items() : std::span<const Node>()) {
            const std::string holder(item.find("spec")->text_at("holderIdentity"));
            out += (out.empty() ? "" : " ") + std::string(item.find("metadata")->text_at("name")) + (holder == "old" ? "" : ":" + holder);
        }
        return out;
    }
    // A change of every sort.
    void disturb() const {
        EXPECT_EQ(api_->remove(leases() + "/b").status, 200);
        EXPECT_EQ(api_->remove(leases() + "/e").status, 200);
        change("d");
        make("cc", "x");
        make("g", "y");
    }

    std::string ns_;
};

TEST_P(Lists, PagesShowOneVersion) {
    const Reply first = api_->get(leases() + "?limit=2");
    EXPECT_EQ(items(first), "a b");
    EXPECT_EQ(first.at("metadata.remainingItemCount"), "4");
    disturb();
    const Reply second = api_->get(leases() + "?limit=3&continue=" + first.at("metadata.continue"));
    EXPECT_EQ(items(second), "c d e");
    EXPECT_EQ(second.at("metadata.resourceVersion"), first.at("metadata.resourceVersion"));
    EXPECT_EQ(second.at("metadata.remainingItemCount"), "1");
    const Reply last = api_->get(leases() + "?limit=3&continue=" + second.at("metadata.continue"));
    EXPECT_EQ(items(last), "f");
    EXPECT_EQ(last.at("metadata.continue"), "");
    EXPECT_EQ(last.at("metadata.remainingItemCount"), "");
    EXPECT_EQ(items(api_->get(leases())), "a c cc d:new f g");
}

TEST_P(Lists, PagesHonourSelectors) {
    const Reply first = api_->get(leases() + "?limit=2&labelSelector=t%3Dx");
    EXPECT_EQ(items(first), "a b");
    EXPECT_EQ(first.at("metadata.remainingItemCount"), "") << "not known with a selector";
    disturb();
    const Reply second = api_->get(leases() + "?limit=2&labelSelector=t%3Dx&continue=" + first.at("metadata.continue"));
    EXPECT_EQ(items(second), "c");
    EXPECT_EQ(second.at("metadata.continue"), "");
    const Reply one = api_->get(leases() + "?limit=1&fieldSelector=metadata.name%3Df");
    EXPECT_EQ(items(one), "f");
}

TEST_P(Lists, OfAnExactVersion) {
    const std::string rv = api_->get(leases()).at("metadata.resourceVersion");
    disturb();
    const Reply exact = api_->get(leases() + "?resourceVersionMatch=Exact&resourceVersion=" + rv);
    EXPECT_EQ(items(exact), "a b c d e f");
    EXPECT_EQ(exact.at("metadata.resourceVersion"), rv);
    EXPECT_EQ(items(api_->get(leases() + "?limit=4&resourceVersion=" + rv)), "a b c d") << "a limit asks for this version, too";
    EXPECT_EQ(items(api_->get(leases() + "?resourceVersionMatch=NotOlderThan&resourceVersion=" + rv)), "a c cc d:new f g");
    EXPECT_EQ(items(api_->get(leases() + "?resourceVersion=" + rv)), "a c cc d:new f g");
    EXPECT_EQ(items(api_->get(leases() + "?resourceVersionMatch=Exact&labelSelector=t%3Dy&resourceVersion=" + rv)), "d e f");
}

INSTANTIATE_TEST_SUITE_P(Servers, Lists, ::testing::Bool(), [](const auto& info) { return info.param ? "Real" : "Embedded"; });

TEST(ServerLists, TokensThatAreTooOldComeWithOneThatGoesOn) {
    const TestServer s;
    const std::string maps = "/api/v1/namespaces/default/secrets";
    for (const char* name : {"a", "b", "c"}) EXPECT_EQ(s->post(maps, std::string("{apiVersion: v1, kind: Secret, metadata: {name: ") + name + "}}").status, 201);
    const Reply first = s->get(maps + "?limit=1");
    const std::string rv = first.at("metadata.resourceVersion");
    for (int i = 0; i < 5000; ++i) // more than the log keeps
        ASSERT_EQ(s->patch(maps + "/c", "merge", "{metadata: {labels: {n: '" + std::to_string(i) + "'}}}").status, 200);
    const Reply gone = s->get(maps + "?limit=1&continue=" + first.at("metadata.continue"));
    EXPECT_EQ(gone.status, 410);
    EXPECT_EQ(gone.at("reason"), "Expired");
    EXPECT_TRUE(gone.message().ends_with("now may show up in the list.")) << gone.message();
    const Reply rest = s->get(maps + "?continue=" + gone.at("metadata.continue"));
    EXPECT_EQ(rest.node("items")->size(), 2U) << rest.body;
    EXPECT_EQ(s->get(maps + "?resourceVersionMatch=Exact&resourceVersion=" + rv).message(), "The resourceVersion for the provided list is too old.");
}

} // namespace
} // namespace weber::testing
