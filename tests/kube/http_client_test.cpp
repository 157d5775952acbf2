// The HTTP engine under faults that only a test server makes.
#include "kube/http_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <thread>

#include "kube/server/server.h"
#include "tests/kube/fault_server.h"
#include "tests/kube/tunnel_proxy.h"

using namespace weber;
using namespace weber::kube;
using weber::testing::answer;
using weber::testing::FaultServer;
using weber::testing::RawAnswer;
using weber::testing::SeenRequest;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

std::shared_ptr<HttpClient> client_of(const std::string& url, std::shared_ptr<Credentials> credentials = {}, Impersonation as = {}) {
    ClientConfig config{.server = url, .unix_socket = {}, .proxy_url = "direct"};
    config.credentials = std::move(credentials);
    config.impersonate = std::move(as);
    HttpClientOptions options;
    options.retry.base = milliseconds(1);
    options.retry.cap = milliseconds(5);
    auto client = HttpClient::create(config, options);
    EXPECT_TRUE(client) << client.error().to_string();
    return *client;
}

TEST(HttpClient, SendsAndReadsOverOneConnection) {
    FaultServer server([](const SeenRequest& r, int) { return answer(200, r.method + " " + r.target + " " + r.body, "X-Note: yes\r\n"); });
    const auto client = client_of(server.url());
    const auto first = client->send({.method = "POST", .target = "/a?b=c", .headers = {{"Content-Type", "text/x"}}, .body = "hello"});
    ASSERT_TRUE(first) << first.error().to_string();
    EXPECT_EQ(first->status, 200);
    EXPECT_EQ(first->body, "POST /a?b=c hello");
    EXPECT_EQ(first->header("x-note"), "yes");
    ASSERT_TRUE(client->send({.target = "/2"}));
    ASSERT_TRUE(client->send({.method = "DELETE", .target = "/3"}));
    EXPECT_EQ(server.connections(), 1);
    EXPECT_NE(server.seen()[0].head.find("User-Agent: weber/"), std::string::npos);
    EXPECT_NE(server.seen()[0].head.find("Content-Type: text/x"), std::string::npos);
    EXPECT_EQ(server.seen()[0].head.find("Expect:"), std::string::npos);
}

TEST(HttpClient, AnyStatusIsAResponse) {
    FaultServer server([](const SeenRequest&, int) { return answer(404, "nope"); });
    const auto response = client_of(server.url())->send({.target = "/"});
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 404);
    EXPECT_EQ(response->body, "nope");
}

TEST(HttpClient, TheNthRequestFailsAndIsRepeatedWhenTheServerSaysWhen) {
    FaultServer server([](const SeenRequest&, int n) {
        return n == 1 ? answer(429, "busy", "Retry-After: 0\r\n") : n == 2 ? answer(500, "still", "Retry-After: 0\r\n") : answer(200, "ok");
    });
    const auto response = client_of(server.url())->send({.method = "PATCH", .target = "/", .body = "{}"});
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "ok");
    EXPECT_EQ(server.requests(), 3);
}

TEST(HttpClient, RetriesAreBounded) {
    FaultServer server([](const SeenRequest&, int) { return answer(503, "busy"); });
    const auto response = client_of(server.url())->send({.target = "/"});
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 503);
    EXPECT_EQ(server.requests(), 6);
}

TEST(HttpClient, AWaitLongerThanTheDeadlineIsNotBegun) {
    FaultServer server([](const SeenRequest&, int) { return answer(429, "busy", "Retry-After: 20\r\n"); });
    const auto began = steady_clock::now();
    const auto response = client_of(server.url())->send({.target = "/", .timeout = milliseconds(2000)});
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 429);
    EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(2));
}

TEST(HttpClient, ALostAnswerIsAskedForAgainOnlyWhenThatIsSafe) {
    FaultServer server([](const SeenRequest&, int n) { return n % 2 == 1 ? RawAnswer{.close = true} : answer(200, "ok"); });
    const auto client = client_of(server.url());
    const auto get = client->send({.target = "/"});
    ASSERT_TRUE(get) << get.error().to_string();
    EXPECT_EQ(get->body, "ok");
    const auto post = client->send({.method = "POST", .target = "/x?secret=1", .body = "password"});
    ASSERT_FALSE(post);
    EXPECT_EQ(post.error().code, ErrorCode::unavailable);
    EXPECT_EQ(post.error().message.find("secret"), std::string::npos);
    EXPECT_EQ(post.error().message.find("password"), std::string::npos);
    EXPECT_EQ(server.requests(), 3);
}

// A part of an answer is none, however its end is told.
TEST(HttpClient, AnswersThatAreCut) {
    const std::vector<std::vector<std::string>> cuts = {
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n0\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a\":"},
        {"HTTP/1.1 200 OK\r\nContent-Le"},
        {""},
    };
    for (const auto& cut : cuts) {
        FaultServer server([&](const SeenRequest&, int n) { return n == 2 ? answer(200, "whole") : RawAnswer{.pieces = cut, .close = true}; });
        const auto client = client_of(server.url());
        const auto get = client->send({.target = "/"});
        ASSERT_TRUE(get) << cut[0] << get.error().to_string();
        EXPECT_EQ(get->body, "whole") << cut[0];
        const auto post = client->send({.method = "POST", .target = "/", .body = "{}"});
        ASSERT_FALSE(post) << cut[0];
        EXPECT_EQ(post.error().code, ErrorCode::unavailable) << cut[0];
        EXPECT_EQ(server.requests(), 3) << cut[0];
    }
}

TEST(HttpClient, NobodyListens) {
    std::string url;
    {
        FaultServer gone([](const SeenRequest&, int) { return answer(200, ""); });
        url = gone.url();
    }
    const auto response = client_of(url)->send({.method = "POST", .target = "/api"});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::unavailable);
    EXPECT_NE(response.error().message.find(url + "/api"), std::string::npos) << response.error().message;
    EXPECT_FALSE(response.error().hint.empty());
}

// libcurl tells no connect time of a connection that was there before.
TEST(HttpClient, SilenceOnAConnectionThatWasThereIsNoFailureToConnect) {
    FaultServer server([](const SeenRequest&, int n) { return n == 1 ? answer(200, "") : RawAnswer{.hold = true}; });
    const auto client = client_of(server.url());
    ASSERT_TRUE(client->send({.target = "/"}));
    const auto late = client->send({.target = "/", .timeout = milliseconds(50)});
    ASSERT_FALSE(late);
    EXPECT_NE(late.error().message.find("no answer in time"), std::string::npos) << late.error().message;
}

TEST(HttpClient, DeadlineAndCancellation) {
    FaultServer server([](const SeenRequest&, int) { return RawAnswer{.hold = true}; });
    const auto client = client_of(server.url());
    const auto late = client->send({.target = "/", .timeout = milliseconds(50)});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::timeout);

    std::stop_source stop;
    const auto came = [&] { return std::ranges::any_of(server.seen(), [](const SeenRequest& r) { return r.target == "/cut"; }); };
    std::jthread stopper([&] { // the number of requests does not tell: on a busy machine the first may have been late before it came
        while (!came()) std::this_thread::yield();
        stop.request_stop();
    });
    const auto cut = client->send({.target = "/cut"}, stop.get_token());
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, ErrorCode::cancelled);

    const auto never = client->send({.target = "/"}, stop.get_token());
    ASSERT_FALSE(never);
    EXPECT_EQ(never.error().code, ErrorCode::cancelled);
}

// A server that accepts and says nothing, one that stops within its answer and one that never greets back over TLS: each is left at its
// deadline with an error, and who else calls goes on meanwhile.
TEST(HttpClient, StalledConnectionsEndAtTheirDeadlineAndHoldUpNobody) {
    FaultServer server([](const SeenRequest& r, int) {
        if (r.target == "/silent") return RawAnswer{.hold = true};
        if (r.target == "/half") return RawAnswer{.pieces = {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a\":"}, .hold = true};
        if (r.target == "/head") return RawAnswer{.pieces = {"HTTP/1.1 200 OK\r\nContent-Le"}, .hold = true};
        return answer(200, r.target);
    });
    const auto client = client_of(server.url());
    std::vector<HttpRequest> requests;
    for (const char* target : {"/silent", "/half", "/head"}) requests.push_back({.target = target, .timeout = milliseconds(400)});
    for (int i = 0; i < 30; ++i) requests.push_back({.target = "/" + std::to_string(i)});
    const auto results = client->send_all(std::move(requests), 6);
    for (std::size_t i = 0; i < 3; ++i) {
        ASSERT_FALSE(results[i]) << i;
        EXPECT_EQ(results[i].error().code, ErrorCode::timeout) << results[i].error().to_string();
    }
    for (std::size_t i = 3; i < results.size(); ++i) {
        ASSERT_TRUE(results[i]) << results[i].error().to_string();
        EXPECT_EQ(results[i]->body, "/" + std::to_string(i - 3));
    }
    std::string got;
    const auto stream = client->stream({.target = "/half", .timeout = milliseconds(300)}, [&](std::string_view piece) {
        got += piece;
        return true;
    });
    EXPECT_EQ(got, "{\"a\":");
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code, ErrorCode::timeout);

    const std::string secure = "https" + server.url().substr(4); // it waits for a request line that never comes
    const auto greeting = client_of(secure)->send({.target = "/", .timeout = milliseconds(300)});
    ASSERT_FALSE(greeting);
    EXPECT_EQ(greeting.error().code, ErrorCode::timeout) << greeting.error().to_string();
    EXPECT_TRUE(client->send({.target = "/after"}));
}

TEST(HttpClient, ResponsesAreBounded) {
    FaultServer server([](const SeenRequest&, int) { return answer(200, std::string(100'000, 'x')); });
    const auto client = client_of(server.url());
    const auto big = client->send({.target = "/", .max_response = 50'000});
    ASSERT_FALSE(big);
    EXPECT_EQ(big.error().code, ErrorCode::too_large);
    EXPECT_TRUE(client->send({.target = "/", .max_response = 100'000}));
}

// At most `in_flight` requests are unanswered; results stand at their index whatever the order of answers.
TEST(HttpClient, ManyInFlightWithResultsByIndex) {
    std::mutex mutex;
    std::condition_variable changed;
    int now = 0, most = 0;
    FaultServer server([&](const SeenRequest& r, int n) {
        std::unique_lock lock(mutex);
        most = std::max(most, ++now);
        // The first four meet each other: proof that they are in flight together.
        if (n <= 4) {
            changed.notify_all();
            changed.wait_for(lock, std::chrono::seconds(20), [&] { return most >= 4; });
        }
        --now;
        return r.target == "/7" ? answer(500, "bad") : answer(200, r.target);
    });
    std::vector<HttpRequest> requests;
    for (int i = 0; i < 40; ++i) requests.push_back({.target = "/" + std::to_string(i)});
    const auto results = client_of(server.url())->send_all(std::move(requests), 4);
    ASSERT_EQ(results.size(), 40u);
    for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_TRUE(results[i]) << results[i].error().to_string();
        EXPECT_EQ(results[i]->body, i == 7 ? "bad" : "/" + std::to_string(i));
    }
    EXPECT_EQ(most, 4);
    EXPECT_LE(server.connections(), 4);
}

TEST(HttpClient, OneCallersCrowdDoesNotStarveAnother) {
    std::atomic<bool> open{false};
    FaultServer server([&](const SeenRequest& r, int) {
        while (r.target == "/crowd" && !open) std::this_thread::yield();
        return answer(200, r.target);
    });
    const auto client = client_of(server.url());
    std::jthread crowd([&] {
        std::vector<HttpRequest> many(30, {.target = "/crowd"});
        for (const auto& r : client->send_all(std::move(many), 8)) EXPECT_TRUE(r);
    });
    while (server.requests() < 8) std::this_thread::yield();
    const auto single = client->send({.target = "/single"});
    EXPECT_TRUE(single);
    open = true;
}

// One server that hangs holds up neither other servers nor other callers to it.
TEST(HttpClient, SeveralClustersAtOnce) {
    FaultServer stuck([](const SeenRequest& r, int) { return r.target == "/quick" ? answer(200, "ok") : RawAnswer{.hold = true}; });
    FaultServer sound([](const SeenRequest&, int) { return answer(200, "ok"); });
    auto engine = std::make_shared<HttpEngine>(HttpEngineOptions{.max_in_flight = 12, .max_per_server = 8});
    const auto client_at = [&](const FaultServer& s) {
        return *HttpClient::create({.server = s.url(), .unix_socket = {}, .proxy_url = "direct"}, {}, engine);
    };
    const auto to_stuck = client_at(stuck), to_sound = client_at(sound);
    std::stop_source stop;
    std::jthread crowd([&] {
        std::vector<HttpRequest> many(100, {.target = "/slow"});
        for (const auto& r : to_stuck->send_all(std::move(many), 100, stop.get_token())) EXPECT_FALSE(r);
    });
    while (stuck.requests() < 6) std::this_thread::yield();
    std::vector<HttpRequest> many(50, {.target = "/"});
    for (const auto& r : to_sound->send_all(std::move(many), 50)) EXPECT_TRUE(r);
    EXPECT_TRUE(to_stuck->send({.target = "/quick"})) << "three quarters of a server's places are the most for one call";
    EXPECT_EQ(stuck.requests(), 7);
    stop.request_stop();
}

// TLS end to end through a tunnel: what the proxy sees is where to, nothing else.
TEST(HttpClient, ThroughTunnelsOfHttpAndSocks) {
    auto server = kube::Server::start({});
    ASSERT_TRUE(server) << server.error().to_string();
    const std::string where = "127.0.0.1:" + std::to_string((*server)->port());
    for (const std::string scheme : {"http", "socks5"}) {
        weber::testing::TunnelProxy proxy;
        ClientConfig config{.server = (*server)->url(), .unix_socket = {}, .proxy_url = scheme + "://" + proxy.address()};
        config.tls.ca = (*server)->ca_certificate();
        config.credentials = kube::static_credentials({.authorization = kube::SecretText("Bearer " + (*server)->token()), .certificate = {}, .key = {}});
        const auto answer = (*HttpClient::create(config))->send({.target = "/api/v1/namespaces/default"});
        ASSERT_TRUE(answer) << scheme << ": " << answer.error().to_string();
        EXPECT_EQ(answer->status, 200) << answer->body;
        ASSERT_FALSE(proxy.seen().empty()) << scheme;
        EXPECT_EQ(proxy.seen()[0], (scheme == "http" ? "connect " : "socks5 ") + where);
        // The proxy looks the name up, and is told who asks; the server's certificate is for another name.
        config.server = "https://cluster.invalid:" + std::to_string((*server)->port());
        config.proxy_url = scheme + "://jane:p%40ss@" + proxy.address();
        config.tls.server_name = "localhost";
        const auto named = (*HttpClient::create(config))->send({.target = "/version"});
        ASSERT_TRUE(named) << scheme << ": " << named.error().to_string();
        EXPECT_EQ(proxy.seen().back(), (scheme == "http" ? "connect cluster.invalid:" : "socks5 cluster.invalid:") + std::to_string((*server)->port()) + " as jane:p@ss");
        // Wrong certificates are noticed through the tunnel, too.
        config.tls.ca = {};
        EXPECT_FALSE((*HttpClient::create(config))->send({.target = "/version"})) << scheme;
    }
}

TEST(HttpClient, ThroughAProxy) {
    FaultServer proxy([](const SeenRequest& r, int) {
        if (r.method == "CONNECT") return RawAnswer{.pieces = {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"}, .close = true};
        return answer(200, r.target);
    });
    ClientConfig config{.server = "http://cluster.invalid:8080/prefix", .unix_socket = {}, .proxy_url = proxy.url()};
    const auto through = (*HttpClient::create(config))->send({.target = "/api?x=1"});
    ASSERT_TRUE(through) << through.error().to_string();
    EXPECT_EQ(through->body, "http://cluster.invalid:8080/prefix/api?x=1");
    config.server = "https://cluster.invalid:6443";
    HttpClientOptions once;
    once.retry.max_retries = 0;
    const auto tunnel = (*HttpClient::create(config, once))->send({.target = "/secret-path"});
    ASSERT_FALSE(tunnel) << "the proxy refuses tunnels";
    EXPECT_EQ(tunnel.error().code, ErrorCode::unavailable);
    EXPECT_EQ(proxy.seen().back().target, "cluster.invalid:6443");
    EXPECT_EQ(proxy.seen().back().head.find("secret-path"), std::string::npos);

    FaultServer direct([](const SeenRequest&, int) { return answer(200, "direct"); });
    ::setenv("http_proxy", proxy.url().c_str(), 1);
    const auto by_environment = (*HttpClient::create({.server = "http://cluster.invalid", .unix_socket = {}, .proxy_url = {}}))->send({.target = "/"});
    const auto past_it = (*HttpClient::create({.server = direct.url(), .unix_socket = {}, .proxy_url = "direct"}))->send({.target = "/"});
    ::unsetenv("http_proxy");
    ASSERT_TRUE(by_environment) << by_environment.error().to_string();
    EXPECT_EQ(by_environment->body, "http://cluster.invalid/");
    ASSERT_TRUE(past_it);
    EXPECT_EQ(past_it->body, "direct");
}

struct Renewable : Credentials {
    Result<Credential> get(std::stop_token) override { return Credential{SecretText("Bearer t" + std::to_string(generation.load())), {}, {}}; }
    bool invalidate() override { return ++generation < 3; }
    std::atomic<int> generation{1};
};

TEST(HttpClient, CredentialsAreRenewedOnceAfter401) {
    FaultServer server([](const SeenRequest& r, int) {
        return r.head.find("Authorization: Bearer t2") != std::string::npos ? answer(200, "in") : answer(401, "out");
    });
    const auto client = client_of(server.url(), std::make_shared<Renewable>());
    std::vector<HttpRequest> requests(3, {.target = "/"});
    for (const auto& r : client->send_all(std::move(requests), 2)) {
        ASSERT_TRUE(r);
        EXPECT_EQ(r->status, 200);
    }
    FaultServer stubborn([](const SeenRequest&, int) { return answer(401, "out"); });
    const auto refused = client_of(stubborn.url(), std::make_shared<Renewable>())->send({.target = "/"});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 401);
    EXPECT_EQ(stubborn.requests(), 2);
}

TEST(HttpClient, Impersonates) {
    FaultServer server([](const SeenRequest&, int) { return answer(200, ""); });
    const Impersonation as{.user = "system:serviceaccount:apps:dev", .groups = {"a", "b"}, .extra = {{"example.org/x", {"1", "2"}}}};
    ASSERT_TRUE(client_of(server.url(), {}, as)->send({.target = "/"}));
    const std::string head = server.seen()[0].head;
    for (const char* line : {"Impersonate-User: system:serviceaccount:apps:dev\r\n", "Impersonate-Group: a\r\n", "Impersonate-Group: b\r\n",
                             "Impersonate-Extra-example.org%2Fx: 1\r\n", "Impersonate-Extra-example.org%2Fx: 2"})
        EXPECT_NE(head.find(line), std::string::npos) << line << head;
    ClientConfig config{.server = server.url(), .unix_socket = {}, .proxy_url = {}};
    config.impersonate.user = "a\r\nX: y";
    EXPECT_FALSE(HttpClient::create(config)) << "a line break would be another header";
}

TEST(HttpClient, StreamsPiecesOnTheCallersThread) {
    FaultServer server([](const SeenRequest&, int) {
        return RawAnswer{.pieces = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "2\r\nde\r\n", "0\r\n\r\n"}};
    });
    std::string got;
    const auto me = std::this_thread::get_id();
    const auto response = client_of(server.url())->stream({.target = "/"}, [&](std::string_view piece) {
        EXPECT_EQ(std::this_thread::get_id(), me);
        got += piece;
        return true;
    });
    ASSERT_TRUE(response) << response.error().to_string();
    EXPECT_EQ(got, "abcde");
}

TEST(HttpClient, StreamEndsByHandlerByStopAndByCut) {
    FaultServer server([](const SeenRequest& r, int) {
        RawAnswer out{.pieces = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}};
        (r.target == "/cut" ? out.close : out.hold) = true;
        return out;
    });
    const auto client = client_of(server.url());
    EXPECT_TRUE(client->stream({.target = "/hold"}, [](std::string_view) { return false; }));
    std::stop_source stop;
    const auto stopped = client->stream({.target = "/hold"}, [&](std::string_view) { return stop.request_stop(); }, stop.get_token());
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
    const auto cut = client->stream({.target = "/cut"}, [](std::string_view) { return true; });
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, ErrorCode::unavailable);
}

TEST(HttpClient, ASlowReaderHoldsTheSenderBackAndLosesNothing) {
    constexpr std::size_t kSize = 24u << 20; // far more than the buffer and what the kernel takes
    FaultServer server([](const SeenRequest& r, int) {
        if (r.target == "/other") return answer(200, "other");
        RawAnswer out{.pieces = {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n"}, .close = true};
        for (std::size_t i = 0; i < kSize; i += 1u << 20) out.pieces.emplace_back(1u << 20, static_cast<char>('a' + (i >> 20)));
        return out;
    });
    const auto client = client_of(server.url());
    std::size_t total = 0, largest = 0;
    bool right = true, other_answered = false;
    const auto response = client->stream({.target = "/"}, [&](std::string_view piece) {
        for (std::size_t i = 0; i < piece.size(); i += 4096) right &= piece[i] == static_cast<char>('a' + ((total + i) >> 20));
        if (total == 0) { // other calls go on meanwhile
            const auto other = client->send({.target = "/other"});
            other_answered = other && other->body == "other";
        }
        total += piece.size();
        largest = std::max(largest, piece.size());
        return true;
    });
    ASSERT_TRUE(response) << response.error().to_string();
    EXPECT_EQ(total, kSize);
    EXPECT_TRUE(right);
    EXPECT_TRUE(other_answered);
    EXPECT_LE(largest, (1u << 20) + 128 * 1024) << "the buffer is bounded";
}

TEST(HttpClient, RefusesBadAddresses) {
    const auto error_of = [](const char* url) {
        const auto client = HttpClient::create({.server = url, .unix_socket = {}, .proxy_url = {}});
        return client ? std::string("none") : client.error().message;
    };
    EXPECT_NE(error_of("ftp://x").find("only http and https"), std::string::npos);
    EXPECT_NE(error_of("https://").find("names no host"), std::string::npos);
    EXPECT_NE(error_of("https://h:port").find("port is not a number"), std::string::npos);
    EXPECT_EQ(error_of("https://user:pass@h").find("pass"), std::string::npos);
    EXPECT_EQ(error_of("https://[::1]:6443/prefix/"), "none");
}

} // namespace
