// Service accounts, their tokens, RBAC, reviews.
#include <gtest/gtest.h>

#include "kube/base/json.h"
#include "tests/kube/server/test_server.h"

namespace weber::testing {
namespace {

// A server with RBAC on TCP, and clients of it.
class Secured {
public:
    explicit Secured(kube::ServerOptions::Authorization mode = kube::ServerOptions::Authorization::rbac) {
        kube::ServerOptions o = TestServer::quiet();
        o.authorization = mode;
        auto server = kube::Server::start(o);
        EXPECT_TRUE(server) << server.error().to_string();
        server_ = std::move(*server);
    }
    [[nodiscard]] Api as(const std::string& token, kube::Impersonation impersonate = {}) const {
        kube::ClientConfig config{.server = server_->url(), .unix_socket = {}, .proxy_url = "direct"};
        config.tls.ca = server_->ca_certificate();
        config.credentials = kube::static_credentials({.authorization = kube::SecretText("Bearer " + token), .certificate = {}, .key = {}});
        config.impersonate = std::move(impersonate);
        return Api(config);
    }
    [[nodiscard]] std::string admin_token() const { return server_->token(); }
    [[nodiscard]] Api admin() const { return as(server_->token()); }
    // A service account of the default namespace and a token for it.
    [[nodiscard]] std::string account(const std::string& name) const {
        const Api a = admin();
        a.post("/api/v1/namespaces/default/serviceaccounts", "{apiVersion: v1, kind: ServiceAccount, metadata: {name: " + name + "}}");
        const Reply r = a.post("/api/v1/namespaces/default/serviceaccounts/" + name + "/token",
                               "{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, spec: {expirationSeconds: 600}}");
        EXPECT_EQ(r.status, 201) << r.body;
        return r.at("status.token");
    }

private:
    std::unique_ptr<kube::Server> server_;
};

void bind(const Api& admin, const std::string& role, const std::string& account) {
    admin.post("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
               "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b-" + role + "}, roleRef: {apiGroup: "
               "rbac.authorization.k8s.io, kind: ClusterRole, name: " + role + "}, subjects: [{kind: ServiceAccount, name: " + account + "}]}");
}

const std::string kMaps = "/api/v1/namespaces/default/configmaps";
const char* const kMap = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";

// Else the request would run with all rights of who sent it.
TEST(ServerRbac, AGroupIsNotImpersonatedWithoutAUser) {
    const Secured s;
    for (const char* header : {"Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-scopes"}) {
        const Reply r = s.admin().send({.path = kMaps, .headers = {{header, "x"}}});
        EXPECT_EQ(r.status, 400) << header;
        EXPECT_NE(r.message().find("without impersonating a user name"), std::string::npos) << r.message();
    }
    EXPECT_EQ(s.admin().send({.path = kMaps, .headers = {{"Impersonate-Group", "x"}}}).message(),
              R"(requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"x"}, Extra:map[string][]string(nil)} without impersonating a user name)");
}

TEST(ServerRbac, RefusesWhatNoRoleAllows) {
    const Secured s;
    const Api bot = s.as(s.account("bot"));
    const Reply r = bot.get(kMaps);
    EXPECT_EQ(r.status, 403);
    EXPECT_EQ(r.message(), "configmaps is forbidden: User \"system:serviceaccount:default:bot\" cannot list resource \"configmaps\" in API group \"\" "
                           "in the namespace \"default\"");
    EXPECT_EQ(bot.get("/api/v1/nodes").message(),
              "nodes is forbidden: User \"system:serviceaccount:default:bot\" cannot list resource \"nodes\" in API group \"\" at the cluster scope");
    EXPECT_EQ(bot.get("/api/v1").status, 200) << "discovery is for everybody";
}

TEST(ServerRbac, AllowsWhatABoundRoleSays) {
    const Secured s;
    const Api bot = s.as(s.account("bot"));
    bind(s.admin(), "view", "bot");
    EXPECT_EQ(bot.get(kMaps).status, 200);
    EXPECT_EQ(bot.post(kMaps, kMap).status, 403);
    EXPECT_EQ(bot.get("/api/v1/namespaces/default/secrets").status, 403);
    EXPECT_EQ(bot.get("/api/v1/namespaces/kube-system/configmaps").status, 403);
    bind(s.admin(), "edit", "bot");
    EXPECT_EQ(bot.post(kMaps, kMap).status, 201);
}

TEST(ServerRbac, HonoursResourceNamesAndSubresources) {
    const Secured s;
    const Api admin = s.admin();
    const Api bot = s.as(s.account("bot"));
    admin.post(kMaps, kMap);
    admin.post("/apis/rbac.authorization.k8s.io/v1/clusterroles",
               "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: narrow}, rules: [{apiGroups: [''], resources: [configmaps], "
               "resourceNames: [a], verbs: [get]}, {apiGroups: [apps], resources: [deployments/scale], verbs: [get]}]}");
    bind(admin, "narrow", "bot");
    EXPECT_EQ(bot.get(kMaps + "/a").status, 200);
    EXPECT_EQ(bot.get(kMaps + "/b").status, 403);
    EXPECT_EQ(bot.get("/apis/apps/v1/namespaces/default/deployments/d/scale").status, 404);
    EXPECT_EQ(bot.get("/apis/apps/v1/namespaces/default/deployments/d").status, 403);
}

TEST(ServerRbac, LetsNobodyImpersonateUnasked) {
    const Secured s;
    const std::string token = s.account("bot");
    EXPECT_EQ(s.as(token, {.user = "admin", .uid = {}, .groups = {"system:masters"}}).get(kMaps).status, 403);
    EXPECT_EQ(s.as(s.account("x")).get(kMaps).status, 403);
    const Reply r = Api(s.admin()).get(kMaps);
    EXPECT_EQ(r.status, 200);
}

TEST(ServerTokens, EndWithTheirAccount) {
    const Secured s(kube::ServerOptions::Authorization::always_allow);
    const std::string token = s.account("bot");
    const Api bot = s.as(token);
    EXPECT_EQ(bot.get(kMaps).status, 200);
    const Reply me = bot.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", "{apiVersion: authentication.k8s.io/v1, kind: SelfSubjectReview}");
    EXPECT_EQ(me.at("status.userInfo.username"), "system:serviceaccount:default:bot");
    s.admin().remove("/api/v1/namespaces/default/serviceaccounts/bot");
    EXPECT_EQ(bot.get(kMaps).status, 401);
    std::string forged = token;
    forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
    EXPECT_EQ(s.as(forged).get(kMaps).status, 401);
}

TEST(ServerTokens, AreRefusedForTooShortATime) {
    const Secured s;
    (void)s.admin().wait("/api/v1/namespaces/default/serviceaccounts/default", [](const Reply& r) { return r.status == 200; });
    const Reply r = s.admin().post("/api/v1/namespaces/default/serviceaccounts/default/token",
                                   "{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, spec: {expirationSeconds: 5}}");
    EXPECT_EQ(r.status, 422);
}

TEST(ServerReviews, TellWhoIsImpersonated) {
    const Secured s;
    const char* const kPath = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const char* const kReview = "{apiVersion: authentication.k8s.io/v1, kind: SelfSubjectReview}";
    const Reply me = s.as(s.admin_token(), {.user = "ann", .uid = "7", .groups = {"dev"}, .extra = {{"Scopes/x", {"a", "b"}}}}).post(kPath, kReview);
    EXPECT_EQ(me.status, 201) << me.body;
    EXPECT_EQ(me.at("status.userInfo"), R"({"username":"ann","uid":"7","groups":["dev","system:authenticated"],"extra":{"scopes/x":["a","b"]}})");
    const Reply refused = s.as(s.account("bot"), {.user = {}, .uid = {}, .groups = {}, .extra = {}}).post(kPath, kReview);
    EXPECT_EQ(refused.at("status.userInfo.username"), "system:serviceaccount:default:bot");
}

TEST(ServerReviews, TellWhatIsAllowed) {
    const Secured s;
    const Api admin = s.admin();
    const std::string token = s.account("bot");
    const Api bot = s.as(token);
    bind(admin, "view", "bot");
    const auto can = [](const Api& api, const std::string& verb) {
        return api
            .post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                  "{apiVersion: authorization.k8s.io/v1, kind: SelfSubjectAccessReview, spec: {resourceAttributes: {verb: " + verb +
                      ", resource: pods, namespace: default}}}")
            .at("status.allowed");
    };
    EXPECT_EQ(can(admin, "delete"), "true");
    EXPECT_EQ(can(bot, "list"), "true");
    EXPECT_EQ(can(bot, "delete"), "false");
    const Reply other = admin.post("/apis/authorization.k8s.io/v1/subjectaccessreviews",
                                   "{apiVersion: authorization.k8s.io/v1, kind: SubjectAccessReview, spec: {user: 'system:serviceaccount:default:bot', "
                                   "resourceAttributes: {verb: get, resource: pods, namespace: default}}}");
    EXPECT_EQ(other.at("status.allowed"), "true");
    const Reply rules = bot.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                                 "{apiVersion: authorization.k8s.io/v1, kind: SelfSubjectRulesReview, spec: {namespace: default}}");
    EXPECT_NE(rules.body.find("\"configmaps\""), std::string::npos);
    const Reply who = admin.post("/apis/authentication.k8s.io/v1/tokenreviews",
                                 "{apiVersion: authentication.k8s.io/v1, kind: TokenReview, spec: {token: '" + token + "'}}");
    EXPECT_EQ(who.at("status.user.username"), "system:serviceaccount:default:bot");
    const Reply bad = admin.post("/apis/authentication.k8s.io/v1/tokenreviews",
                                 "{apiVersion: authentication.k8s.io/v1, kind: TokenReview, spec: {token: nonsense}}");
    EXPECT_EQ(bad.at("status.authenticated"), "") << "as the real server leaves out what is false";
    EXPECT_EQ(bad.at("status.error"), "invalid bearer token");
}

} // namespace
} // namespace weber::testing
