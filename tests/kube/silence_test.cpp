// Connections that stay open and say nothing, calls that wait for their turn, servers that want to be asked less.
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <thread>

#include "kube/http_client.h"
#include "tests/kube/fault_server.h"
#include "tests/kube/h2_server.h"

using namespace weber;
using namespace weber::kube;
using weber::testing::answer;
using weber::testing::FaultServer;
using weber::testing::H2Server;
using weber::testing::RawAnswer;
using weber::testing::SeenRequest;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

const HttpEngineOptions kImpatient{.silence = milliseconds(50), .stream_answer = milliseconds(50)};

std::shared_ptr<HttpClient> client_of(const std::string& url, const std::string& ca = {}, const HttpEngineOptions& engine = kImpatient) {
    ClientConfig config{.server = url, .unix_socket = {}, .proxy_url = "direct"};
    config.tls.ca = ca;
    HttpClientOptions options;
    options.retry.base = milliseconds(1);
    auto client = HttpClient::create(config, options, std::make_shared<HttpEngine>(engine));
    EXPECT_TRUE(client) << client.error().to_string();
    return *client;
}

TEST(Silence, OnAConnectionThatWasThereTheRequestIsAskedAgainOnANewOne) {
    FaultServer server([](const SeenRequest&, int n) { return n == 2 ? RawAnswer{.hold = true} : answer(200, std::to_string(n)); });
    const auto client = client_of(server.url());
    ASSERT_TRUE(client->send({.target = "/"}));
    const auto again = client->send({.target = "/", .timeout = seconds(30)});
    ASSERT_TRUE(again) << again.error().to_string();
    EXPECT_EQ(again->body, "3");
    EXPECT_EQ(client->send({.target = "/"})->body, "4");
    EXPECT_EQ(server.connections(), 2) << "the silent one is left, the new one stays";
}

TEST(Silence, OfAFirstConnectionOrOfWhatMustNotBeRepeatedLastsUntilTheDeadline) {
    FaultServer silent([](const SeenRequest&, int) { return RawAnswer{.hold = true}; });
    const auto first = client_of(silent.url())->send({.target = "/", .timeout = milliseconds(300)});
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, ErrorCode::timeout);
    EXPECT_EQ(silent.requests(), 1);
    FaultServer later([](const SeenRequest&, int n) { return n == 1 ? answer(200, "") : RawAnswer{.hold = true}; });
    const auto client = client_of(later.url());
    ASSERT_TRUE(client->send({.target = "/"}));
    const auto post = client->send({.method = "POST", .target = "/", .body = "{}", .timeout = milliseconds(300)});
    ASSERT_FALSE(post);
    EXPECT_EQ(post.error().code, ErrorCode::timeout);
    EXPECT_EQ(later.requests(), 2);
}

// The first answer counts, and a server that lets many wait gets one of them twice, not all.
TEST(Silence, ASlowServerIsNotHammered) {
    std::mutex mutex;
    std::condition_variable changed;
    int came = 0;
    bool hammered = false;
    FaultServer server([&](const SeenRequest& r, int) {
        std::unique_lock lock(mutex);
        const int me = ++came;
        changed.notify_all();
        if (me <= 4) changed.wait(lock, [&] { return came >= 4; }); // four connections
        if (me == 5) {
            changed.wait(lock, [&] { return came >= 9; });                                                    // four slow ones, and one of them again
            hammered = changed.wait_for(lock, 10 * kImpatient.silence, [&] { return came > 9; });             // no more of them meanwhile
            came = 100;
            changed.notify_all();
        }
        if (me > 4) changed.wait(lock, [&] { return came >= 100; });
        return me == 9 ? RawAnswer{.hold = true} : answer(200, r.target);
    });
    const auto client = client_of(server.url());
    for (int round = 0; round < 2; ++round) {
        std::vector<HttpRequest> requests;
        for (int i = 0; i < 4; ++i) requests.push_back({.target = "/" + std::to_string(i), .timeout = seconds(30)});
        const auto results = client->send_all(std::move(requests), 4);
        for (std::size_t i = 0; i < results.size(); ++i) {
            ASSERT_TRUE(results[i]) << results[i].error().to_string();
            EXPECT_EQ(results[i]->body, "/" + std::to_string(i));
        }
    }
    EXPECT_FALSE(hammered);
    EXPECT_EQ(server.requests(), 9);
}

TEST(Silence, TheSecondTryMayFailWhileTheFirstIsAnswered) {
    std::mutex mutex;
    std::condition_variable changed;
    bool twice = false;
    FaultServer server([&](const SeenRequest&, int n) {
        std::unique_lock lock(mutex);
        if (n == 3) {
            twice = true;
            changed.notify_all();
            return RawAnswer{.close = true};
        }
        if (n == 2) changed.wait(lock, [&] { return twice; });
        return answer(200, std::to_string(n));
    });
    ClientConfig config{.server = server.url(), .unix_socket = {}, .proxy_url = "direct"};
    HttpClientOptions options;
    options.retry.max_retries = 0;
    const auto client = *HttpClient::create(config, options, std::make_shared<HttpEngine>(kImpatient));
    ASSERT_TRUE(client->send({.target = "/"}));
    const auto r = client->send({.target = "/", .timeout = seconds(30)});
    ASSERT_TRUE(r) << r.error().to_string();
    EXPECT_EQ(r->body, "2");
}

// Of a connection that is dead all requests are told so together: what may be repeated is, the rest fails long before its deadline.
TEST(Silence, ADeadHttp2ConnectionIsShutForAllThatWaitOnIt) {
    H2Server server({.mute_after = 1});
    const auto client = client_of(server.url(), server.ca(), {.silence = milliseconds(400)}); // more than an answer takes on a busy machine
    ASSERT_TRUE(client->send({.target = "/"}));
    std::vector<HttpRequest> requests(8, {.target = "/", .timeout = seconds(30)});
    requests.push_back({.method = "POST", .target = "/", .body = "{}", .timeout = seconds(30)});
    const auto began = steady_clock::now();
    const auto results = client->send_all(std::move(requests), 9);
    EXPECT_LT(steady_clock::now() - began, seconds(15));
    for (std::size_t i = 0; i < 8; ++i) EXPECT_TRUE(results[i]) << results[i].error().to_string();
    ASSERT_FALSE(results[8]);
    EXPECT_EQ(results[8].error().code, ErrorCode::unavailable) << results[8].error().to_string();
    EXPECT_EQ(server.connections(), 2);
    EXPECT_TRUE(client->send({.method = "POST", .target = "/", .body = "{}"}));
    EXPECT_EQ(server.connections(), 2);
}

TEST(Silence, CancelledWhileItIsAskedTwice) {
    FaultServer server([](const SeenRequest&, int n) { return n == 1 ? answer(200, "") : RawAnswer{.hold = true}; });
    const auto client = client_of(server.url());
    ASSERT_TRUE(client->send({.target = "/"}));
    std::stop_source stop;
    std::jthread stopper([&] {
        while (server.requests() < 3) std::this_thread::yield();
        stop.request_stop();
    });
    const auto cut = client->send({.target = "/"}, stop.get_token());
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, ErrorCode::cancelled);
    const auto late = client->send({.target = "/", .timeout = milliseconds(400)});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::timeout);
}

// A watch has minutes; its beginning has not.
TEST(Silence, AStreamThatIsNotAnsweredEnds) {
    FaultServer server([](const SeenRequest&, int) { return RawAnswer{.hold = true}; });
    const auto r = client_of(server.url())->stream({.target = "/", .timeout = seconds(600)}, [](std::string_view) { return true; });
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, ErrorCode::timeout);
    // A log that is followed may begin with its first line.
    std::stop_source stop;
    std::jthread stopper([&] { // long after that time
        std::this_thread::sleep_for(6 * kImpatient.stream_answer);
        stop.request_stop();
    });
    const auto followed = client_of(server.url())->stream({.target = "/"}, [](std::string_view) { return true; }, stop.get_token());
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error().code, ErrorCode::cancelled);
}

// All places of a server are taken by others that have more time.
TEST(Deadline, CountsWhileWaitingForATurn) {
    FaultServer server([](const SeenRequest&, int) { return RawAnswer{.hold = true}; });
    const auto client = client_of(server.url(), {}, {.max_in_flight = 2, .max_per_server = 2});
    std::stop_source stop;
    std::vector<std::jthread> others;
    for (int i = 0; i < 2; ++i)
        others.emplace_back([&] { EXPECT_EQ(client->send({.target = "/"}, stop.get_token()).error().code, ErrorCode::cancelled); });
    while (server.requests() < 2) std::this_thread::yield();
    const auto began = steady_clock::now();
    std::vector<HttpRequest> late{{.target = "/", .timeout = milliseconds(200)}, {.target = "/", .timeout = milliseconds(100)}};
    std::jthread end([&] { // so that a failure is one, not a minute of waiting
        while (steady_clock::now() - began < seconds(5) && !stop.stop_requested()) std::this_thread::sleep_for(milliseconds(20));
        stop.request_stop();
    });
    for (const auto& r : client->send_all(std::move(late), 2)) {
        ASSERT_FALSE(r);
        EXPECT_EQ(r.error().code, ErrorCode::timeout);
    }
    EXPECT_LT(steady_clock::now() - began, seconds(4));
    EXPECT_EQ(server.requests(), 2);
    stop.request_stop();
}

TEST(HttpClient, HeadersAreBounded) {
    FaultServer server([](const SeenRequest&, int) {
        RawAnswer out{.pieces = {"HTTP/1.1 200 OK\r\n"}, .close = true};
        for (int i = 0; i < 5000; ++i) out.pieces.push_back("X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n");
        out.pieces.emplace_back("Content-Length: 0\r\n\r\n");
        return out;
    });
    const auto r = client_of(server.url())->send({.target = "/"});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, ErrorCode::too_large);
}

// As API Priority and Fairness answers when its queues are full. Whoever is told so asks less at once afterwards, and more again when that goes well.
TEST(Throttling, ACallAsksLessAtOnceAfter429) {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, int> tries;
    int open = 0, most_after = 0, refused = 0;
    FaultServer server([&](const SeenRequest& r, int) {
        std::unique_lock lock(mutex);
        if (++tries[r.target] == 1 && refused < 16) {
            ++refused;
            changed.notify_all();
            changed.wait_for(lock, seconds(20), [&] { return refused == 16; });
            return answer(429, R"({"kind":"Status","code":429,"reason":"TooManyRequests","message":"too many requests"})",
                          "Retry-After: 1\r\nX-Kubernetes-PF-FlowSchema-UID: a\r\nX-Kubernetes-PF-PriorityLevel-UID: b\r\n");
        }
        if (tries[r.target] > 1) return answer(200, r.target);
        most_after = std::max(most_after, ++open);
        changed.notify_all();
        changed.wait_for(lock, milliseconds(300), [&] { return most_after > 13; }); // time for others to come as well
        --open;
        return answer(200, r.target);
    });
    std::vector<HttpRequest> requests;
    for (int i = 0; i < 48; ++i) requests.push_back({.method = "PATCH", .target = "/" + std::to_string(i), .body = "{}", .idempotent = true});
    const auto results = client_of(server.url(), {}, {})->send_all(std::move(requests), 16);
    for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_TRUE(results[i]) << results[i].error().to_string();
        EXPECT_EQ(results[i]->status, 200);
    }
    EXPECT_LE(most_after, 13) << "half of 16, and a few more for the good answers since";
}

} // namespace
