// The server on disk, and who may speak to it: TLS, tokens, roles, loopback only.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/kube/server/small_objects.h"

namespace weber::testing {
namespace {

TEST(ServerState, IsThereAgainAfterAStop) {
    const ScratchDir dir;
    kube::ServerOptions o = TestServer::quiet();
    o.data_dir = dir.path() + "/state";
    std::string rv, uid;
    {
        const TestServer s(o);
        s->post(kCrds, kFoos);
        s->wait(kFooPath, [](const Reply& r) { return r.status == 200; });
        s->post(kFooPath, "{apiVersion: x.io/v1, kind: Foo, metadata: {name: f}, spec: {name: n}}");
        const Reply made = s->post(kMaps, config_map("a"));
        uid = made.at("metadata.uid");
        s->post(kMaps, config_map("removed"));
        s->remove(kMaps + "/removed");
        rv = s->get(kMaps).at("metadata.resourceVersion");
    }
    const TestServer s(o);
    EXPECT_EQ(s->get(kMaps + "/a").at("metadata.uid"), uid);
    EXPECT_EQ(s->get(kMaps + "/removed").status, 404);
    EXPECT_EQ(s->get(kFooPath + "/f").at("spec.name"), "n");
    EXPECT_GE(std::stoull(s->get(kMaps).at("metadata.resourceVersion")), std::stoull(rv)) << "versions never go back";
    EXPECT_EQ(std::filesystem::status(o.data_dir).permissions() & std::filesystem::perms::others_all, std::filesystem::perms::none);
}

TEST(ServerState, BelongsToOneServerAtATime) {
    const ScratchDir dir;
    kube::ServerOptions o = TestServer::quiet();
    o.data_dir = dir.path();
    const TestServer first(o);
    o.unix_path = dir.path() + "/second.sock";
    const auto second = kube::Server::start(o);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::unavailable);
}

kube::ClientConfig client_of(const kube::Server& server, const std::string& token) {
    kube::ClientConfig config{.server = server.url(), .unix_socket = {}, .proxy_url = "direct"};
    config.tls.ca = server.ca_certificate();
    if (!token.empty()) config.credentials = kube::static_credentials({.authorization = kube::SecretText("Bearer " + token), .certificate = {}, .key = {}});
    return config;
}

TEST(ServerAccess, IsByTlsAndToken) {
    const auto server = kube::Server::start(TestServer::quiet());
    ASSERT_TRUE(server) << server.error().to_string();
    EXPECT_TRUE((*server)->url().starts_with("https://127.0.0.1:"));
    EXPECT_EQ(Api(client_of(**server, (*server)->token())).get(kMaps).status, 200);
    EXPECT_EQ(Api(client_of(**server, "wrong")).get(kMaps).status, 401);
    for (const std::string& path : {kMaps, std::string("/version"), std::string("/readyz")}) EXPECT_EQ(Api(client_of(**server, "")).get(path).status, 401) << path; // as kube-apiserver with AlwaysAllow
    auto parsed = kube::parse_kubeconfig((*server)->kubeconfig(), "test");
    ASSERT_TRUE(parsed) << parsed.error().to_string();
    EXPECT_EQ(Api(*parsed).get(kMaps).status, 200);
}

TEST(ServerAccess, OfNobodyIsLittleWithRoles) {
    kube::ServerOptions o = TestServer::quiet();
    o.authorization = kube::ServerOptions::Authorization::rbac;
    const auto server = kube::Server::start(o);
    ASSERT_TRUE(server) << server.error().to_string();
    const Api nobody(client_of(**server, ""));
    EXPECT_EQ(nobody.get(kMaps).message(), R"(configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default")");
    EXPECT_EQ(nobody.send({.path = kMaps, .as = "admin"}).status, 403);
    EXPECT_EQ(nobody.get("/version").status, 200);
    EXPECT_EQ(Api(client_of(**server, "wrong")).get("/version").status, 401);
    EXPECT_EQ(nobody.get("/readyz").body, "ok");
}

TEST(ServerAccess, IsForThisMachineOnly) {
    kube::ServerOptions o = TestServer::quiet();
    o.address = "0.0.0.0";
    const auto server = kube::Server::start(o);
    ASSERT_FALSE(server);
    EXPECT_NE(server.error().message.find("not a loopback address"), std::string::npos);
}

} // namespace
} // namespace weber::testing
