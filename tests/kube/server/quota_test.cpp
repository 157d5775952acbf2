// What a controller does for ResourceQuotas: it counts what is there, and gives back what goes. The same on both servers.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/kube/server/either_server.h"

namespace weber::testing {
namespace {

class Quota : public EitherServer {
protected:
    Quota() : EitherServer(RealServer::with_controllers) {}
    void SetUp() override {
        EitherServer::SetUp();
        if (!GetParam()) {
            kube::ServerOptions options = TestServer::quiet();
            options.simulate = true;
            server_ = std::make_unique<TestServer>(options);
            api_ = server_->api();
        }
        if (!api_) return;
        ns_ = "weber-quota-" + std::to_string(::getpid());
        EXPECT_EQ(api_->post("/api/v1/namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: " + ns_ + "}}").status, 201);
        root_ = "/api/v1/namespaces/" + ns_;
    }
    void TearDown() override {
        if (api_) (void)api_->remove("/api/v1/namespaces/" + ns_);
    }
    [[nodiscard]] Reply secret(const std::string& name) const { return api_->post(root_ + "/secrets", "{apiVersion: v1, kind: Secret, metadata: {name: " + name + "}}"); }
    void expect_used(const std::string& field, const std::string& amount) const {
        const Reply r = api_->wait(root_ + "/resourcequotas/q", [&](const Reply& reply) { return reply.at("status.used." + field) == amount; });
        EXPECT_EQ(r.at("status.used." + field), amount) << r.body;
    }

    std::string ns_, root_;
};

TEST_P(Quota, CountsWhatIsThereAndGivesBackWhatGoes) {
    EXPECT_EQ(secret("a").status, 201);
    EXPECT_EQ(api_->post(root_ + "/resourcequotas", "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {secrets: '2', services: '1'}}}").status, 201);
    expect_used("secrets", "1");
    expect_used("services", "0");
    EXPECT_EQ(secret("b").status, 201);
    expect_used("secrets", "2");
    const Reply refused = secret("c");
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.message(), R"(secrets "c" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=2, limited: secrets=2)");
    EXPECT_EQ(api_->remove(root_ + "/secrets/a").status, 200);
    expect_used("secrets", "1");
    EXPECT_EQ(api_->patch(root_ + "/resourcequotas/q", "merge", "{spec: {hard: {secrets: '1', configmaps: '5'}}}").status, 200);
    expect_used("configmaps", "1"); // the cluster's certificate
    EXPECT_EQ(secret("c").status, 403);
}

INSTANTIATE_TEST_SUITE_P(Servers, Quota, ::testing::Bool(), [](const auto& info) { return info.param ? "Real" : "Embedded"; });

} // namespace
} // namespace weber::testing
