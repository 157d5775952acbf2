// Credentials that change: token files, plugins; and the CA that verifies the server.
#include "kube/credentials.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "kube/account_token.h"
#include "kube/http_client.h"
#include "tests/kube/fault_server.h"
#include "tests/kube/scripted_transport.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;
using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

std::string said(Credentials& c, std::stop_token stop = {}) {
    const auto got = c.get(std::move(stop));
    return got ? got->authorization.reveal() : "error: " + got.error().message;
}

TEST(TokenFile, IsReadAgainWhenOldOrRefused) {
    TempDir dir;
    const std::string file = dir.write("token", " one \n");
    const auto lazy = token_file_credentials(file, {}, hours(1)), eager = token_file_credentials(file, {}, milliseconds(0));
    EXPECT_EQ(said(*lazy), "Bearer one");
    EXPECT_EQ(said(*eager), "Bearer one");
    EXPECT_FALSE(lazy->invalidate()) << "the same token again would be refused again";
    dir.write("token", "two");
    EXPECT_EQ(said(*lazy), "Bearer one");
    EXPECT_EQ(said(*eager), "Bearer two");
    EXPECT_TRUE(lazy->invalidate());
    EXPECT_EQ(said(*lazy), "Bearer two");
    std::filesystem::remove(file);
    EXPECT_EQ(said(*eager), "Bearer two") << "between two files of a rotation the old one serves";
    EXPECT_EQ(said(*token_file_credentials(file)), "error: cannot read the token file " + file);
    dir.write("token", "\n");
    EXPECT_EQ(said(*token_file_credentials(file)), "error: the token file " + file + " is empty");
}

TEST(TokenFile, RotationIsSeenByRequests) {
    TempDir dir;
    const std::string file = dir.write("token", "one");
    FaultServer server([](const SeenRequest& r, int n) {
        const bool right = r.head.find(n == 1 ? "Bearer one" : "Bearer two") != std::string::npos;
        return right ? answer(200, "in") : answer(401, "out");
    });
    ClientConfig config{.server = server.url(), .unix_socket = {}, .proxy_url = "direct"};
    config.credentials = token_file_credentials(file);
    const auto client = *HttpClient::create(config);
    EXPECT_EQ(client->send({.target = "/"})->status, 200);
    dir.write("token", "two");
    EXPECT_EQ(client->send({.target = "/"})->status, 200);
    EXPECT_EQ(server.requests(), 3) << "one refusal, then the new token";
}

// Two callers are refused together: both go on with the new token, though only one of them found it.
TEST(TokenFile, RotationIsSeenByAllWhoAreRefused) {
    TempDir dir;
    const std::string file = dir.write("token", "one");
    std::atomic<int> refused{0};
    FaultServer server([&](const SeenRequest& r, int) {
        if (r.head.find("Bearer two") != std::string::npos) return answer(200, "in");
        ++refused;
        refused.notify_all();
        for (int n = refused; n < 2; n = refused) refused.wait(n);
        return answer(401, "out");
    });
    ClientConfig config{.server = server.url(), .unix_socket = {}, .proxy_url = "direct"};
    config.credentials = token_file_credentials(file);
    ASSERT_EQ(said(*config.credentials), "Bearer one");
    dir.write("token", "two");
    const auto client = *HttpClient::create(config);
    std::jthread other([&] { EXPECT_EQ(client->send({.target = "/other"})->status, 200); });
    EXPECT_EQ(client->send({.target = "/"})->status, 200);
}

// A plugin that counts its runs and answers from a file.
struct Plugin {
    Plugin() {
        dir.write("plugin.sh", "#!/bin/sh\necho run >> " + dir.path() + "/runs\nprintf '%s' \"$KUBERNETES_EXEC_INFO\" > " + dir.path() + "/info\n" +
                                   "echo \"$1 $EXTRA\" > " + dir.path() + "/args\ncat " + dir.path() + "/answer\n");
        std::filesystem::permissions(dir.path() + "/plugin.sh", std::filesystem::perms::owner_all);
    }
    ExecConfig config() const {
        ExecConfig c{.api_version = "client.authentication.k8s.io/v1", .command = dir.path() + "/plugin.sh"};
        c.args = {"first"};
        c.env = {{"EXTRA", "env"}};
        return c;
    }
    void answer(const std::string& status) const {
        dir.write("answer", R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":)" + status + "}");
    }
    std::string read(const std::string& name) const {
        std::ifstream in(dir.path() + "/" + name);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    int runs() const { return static_cast<int>(std::ranges::count(read("runs"), '\n')); }
    TempDir dir;
    ManualClock clock;
};

TEST(ExecPlugin, RunsOnceUntilItExpiresOrIsRefused) {
    Plugin p;
    p.answer(R"({"token":"one","expirationTimestamp":"2026-01-02T03:05:05Z"})");
    const auto c = exec_credentials(p.config(), p.clock);
    EXPECT_EQ(said(*c), "Bearer one");
    p.answer(R"({"token":"two"})");
    EXPECT_EQ(said(*c), "Bearer one");
    EXPECT_EQ(p.runs(), 1);
    p.clock.advance(std::chrono::minutes(1));
    EXPECT_EQ(said(*c), "Bearer two");
    p.clock.advance(hours(1000));
    EXPECT_EQ(said(*c), "Bearer two") << "without an expiration it is kept";
    EXPECT_EQ(p.runs(), 2);
    EXPECT_TRUE(c->invalidate());
    EXPECT_EQ(said(*c), "Bearer two");
    EXPECT_EQ(p.runs(), 3);
    EXPECT_EQ(p.read("args"), "first env\n");
    EXPECT_EQ(p.read("info"), R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}})");
}

TEST(ExecPlugin, GetsTheClusterWhenItAsks) {
    Plugin p;
    p.answer(R"({"token":"t"})");
    ExecConfig config = p.config();
    config.provide_cluster_info = true;
    config.cluster_info = R"({"server":"https://h"})";
    EXPECT_EQ(said(*exec_credentials(config)), "Bearer t");
    EXPECT_NE(p.read("info").find(R"("cluster":{"server":"https://h"})"), std::string::npos) << p.read("info");
}

TEST(ExecPlugin, CertificatesAndErrors) {
    Plugin p;
    p.answer(R"({"clientCertificateData":"cert","clientKeyData":"key"})");
    const auto both = exec_credentials(p.config())->get({});
    ASSERT_TRUE(both);
    EXPECT_EQ(both->certificate, "cert");
    EXPECT_EQ(both->key.reveal(), "key");
    const std::pair<const char*, const char*> cases[] = {
        {R"({"clientCertificateData":"cert"})", "it returned only a certificate or only a key, it takes both"},
        {R"({})", "it returned neither a token nor a certificate"},
        {R"({"token":"secret-value","expirationTimestamp":"soon"})", "its expirationTimestamp cannot be read"},
    };
    for (const auto& [status, expected] : cases) {
        p.answer(status);
        const std::string text = said(*exec_credentials(p.config()));
        EXPECT_NE(text.find(expected), std::string::npos) << text;
        EXPECT_EQ(text.find("secret-value"), std::string::npos);
    }
    p.dir.write("answer", "secret-value");
    EXPECT_EQ(said(*exec_credentials(p.config())), "error: exec plugin " + p.config().command + ": its output is not JSON");
    ExecConfig v1beta1 = p.config();
    v1beta1.api_version = "client.authentication.k8s.io/v1beta1";
    p.answer(R"({"token":"t"})");
    EXPECT_NE(said(*exec_credentials(v1beta1)).find("but it returned version client.authentication.k8s.io/v1"), std::string::npos);
    ExecConfig missing{.api_version = "client.authentication.k8s.io/v1", .command = "/nowhere/plugin"};
    missing.install_hint = "install it";
    const auto not_there = exec_credentials(missing)->get({});
    ASSERT_FALSE(not_there);
    EXPECT_EQ(not_there.error().message, "exec plugin /nowhere/plugin: executable not found");
    EXPECT_EQ(not_there.error().hint, "install it");
}

TEST(ExecPlugin, ThatHangsIsEnded) {
    ExecConfig slow{.api_version = "client.authentication.k8s.io/v1", .command = "/bin/sh"};
    slow.args = {"-c", "sleep 600 & sleep 600"};
    slow.timeout = milliseconds(50);
    EXPECT_NE(said(*exec_credentials(slow)).find("did not end in time"), std::string::npos);
    slow.timeout = std::chrono::minutes(5);
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    const auto cut = exec_credentials(slow)->get(stop.get_token());
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, ErrorCode::cancelled);
}

TEST(ExecPlugin, ManyRequestsWaitForOneRun) {
    Plugin p;
    p.answer(R"({"token":"t"})");
    FaultServer server([](const SeenRequest& r, int) { return r.head.find("Bearer t") != std::string::npos ? answer(200, "") : answer(401, ""); });
    ClientConfig config{.server = server.url(), .unix_socket = {}, .proxy_url = "direct"};
    config.credentials = exec_credentials(p.config());
    const auto client = *HttpClient::create(config);
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) callers.emplace_back([&] { EXPECT_EQ(client->send({.target = "/"})->status, 200); });
    callers.clear();
    EXPECT_EQ(p.runs(), 1);
}

// A server whose certificate another CA signed is refused, until the file of CAs has the right one.
// One asks for the token, the others wait for it; who is stopped meanwhile does not.
TEST(AccountToken, WaitersCanBeStopped) {
    std::atomic<bool> asked{false}, go_on{false};
    auto issuer = std::make_shared<Client>(std::make_shared<ScriptedTransport>([&](const HttpRequest& r, int) {
        EXPECT_EQ(r.target, "/api/v1/namespaces/apps/serviceaccounts/dev/token");
        asked = true;
        asked.notify_all();
        go_on.wait(false);
        return json_answer(201, R"({"kind":"TokenRequest","status":{"token":"t","expirationTimestamp":"2999-01-01T00:00:00Z"}})");
    }));
    const auto credentials = account_credentials(issuer, {.ns = "apps", .name = "dev"}, {});
    std::jthread first([&] { EXPECT_EQ(said(*credentials), "Bearer t"); });
    asked.wait(false);
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    EXPECT_EQ(credentials->get(stop.get_token()).error().code, ErrorCode::cancelled);
    go_on = true;
    go_on.notify_all();
    EXPECT_EQ(said(*credentials), "Bearer t");
}

TEST(Tls, TheCaFileIsReadAgainWhenItChanges) {
    TempDir dir;
    ServerOptions options;
    options.data_dir = dir.path() + "/one";
    options.simulate = false;
    auto one = Server::start(options);
    ASSERT_TRUE(one) << one.error().to_string();
    options.data_dir = dir.path() + "/other";
    auto other = Server::start(options);
    ASSERT_TRUE(other) << other.error().to_string();
    ClientConfig config{.server = (*one)->url(), .unix_socket = {}, .proxy_url = "direct"};
    config.credentials = static_credentials({.authorization = SecretText("Bearer " + (*one)->token()), .certificate = {}, .key = {}});
    config.tls.ca_file = dir.write("ca.crt", (*other)->ca_certificate());
    const auto client = *HttpClient::create(config);
    const auto refused = client->send({.target = "/version"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_NE(refused.error().message.find("TLS"), std::string::npos) << refused.error().message;
    dir.write("ca.crt", (*one)->ca_certificate());
    const auto trusted = client->send({.target = "/version"});
    ASSERT_TRUE(trusted) << trusted.error().to_string();
    EXPECT_EQ(trusted->status, 200);
    std::filesystem::remove(dir.path() + "/ca.crt");
    EXPECT_TRUE(client->send({.target = "/version"})) << "a file that is being replaced: the CA known serves";

    ClientConfig wrong_name = config;
    wrong_name.tls = {.ca = (*one)->ca_certificate(), .ca_file = {}, .server_name = "elsewhere.example.org"};
    EXPECT_FALSE((*HttpClient::create(wrong_name))->send({.target = "/version"}));
    ClientConfig insecure = wrong_name;
    insecure.tls = {.ca = {}, .ca_file = {}, .server_name = {}, .insecure = true};
    EXPECT_TRUE((*HttpClient::create(insecure))->send({.target = "/version"}));
    ClientConfig anonymous = config;
    anonymous.credentials = nullptr;
    anonymous.tls = {.ca = (*one)->ca_certificate(), .ca_file = {}, .server_name = {}};
    // As with kube-apiserver --authorization-mode=AlwaysAllow, which turns system:anonymous off.
    EXPECT_EQ((*HttpClient::create(anonymous))->send({.target = "/api"})->status, 401);
}

} // namespace
