// HTTP/2: many requests, few connections. To a server of our own that counts what is open, and to a real kube-apiserver, seen from a relay between
// it and the client.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "kube/http_client.h"
#include "kube/watch.h"
#include "tests/kube/h2_server.h"
#include "tests/kube/loopback.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;

namespace {

// Passes bytes both ways between its own port and another one, and counts connections.
class Relay {
public:
    explicit Relay(int target) : target_(target) {
        const Listener on = listen_on_loopback();
        listener_ = on.fd;
        port = on.port;
        acceptor_ = std::thread([this] { accept_loop(); });
    }
    ~Relay() {
        cut();
        shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        for (std::thread& t : pumps_) t.join();
        close(listener_);
    }
    // Ends all connections.
    void cut() {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    // Ends all connections whenever so many bytes have passed.
    void cut_every(std::size_t bytes) { step_ = bytes, left_ = static_cast<long>(bytes); }
    int port = 0;
    std::atomic<int> connections{0};

private:
    void accept_loop() {
        for (int in; (in = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
            ++connections;
            const std::lock_guard lock(mutex_);
            open_.push_back(in);
            pumps_.emplace_back([this, in] { pump(in); });
        }
    }
    void pump(int in) {
        const int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_in to = loopback(target_);
        pollfd fds[2] = {{in, POLLIN, 0}, {out, POLLIN, 0}};
        bool open = connect(out, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
        while (open && poll(fds, 2, -1) > 0) {
            for (int i = 0; i < 2 && open; ++i) {
                if (fds[i].revents == 0) continue;
                char buffer[16384];
                const ssize_t n = recv(fds[i].fd, buffer, sizeof buffer, 0);
                open = n > 0 && send(fds[1 - i].fd, buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL) == n;
                if (open && step_ > 0 && (left_ -= n) <= 0) {
                    left_ = static_cast<long>(step_);
                    cut();
                }
            }
        }
        const std::lock_guard lock(mutex_);
        std::erase(open_, in);
        close(in);
        close(out);
    }
    const int target_;
    std::atomic<std::size_t> step_{0};
    std::atomic<long> left_{0};
    int listener_ = -1;
    std::mutex mutex_; // guards the rest
    std::vector<int> open_;
    std::vector<std::thread> pumps_;
    std::thread acceptor_;
};

class Http2 : public ::testing::Test {
protected:
    void SetUp() override {
        if (const std::string why = cluster.use(ClusterKind::real); !why.empty()) GTEST_SKIP() << why;
        ClientConfig config = cluster.config();
        relay = std::make_unique<Relay>(std::stoi(config.server.substr(config.server.rfind(':') + 1)));
        config.server = "https://127.0.0.1:" + std::to_string(relay->port);
        http = *HttpClient::create(config, {}, std::make_shared<HttpEngine>());
    }
    TestCluster cluster;
    std::unique_ptr<Relay> relay;
    std::shared_ptr<HttpClient> http;
};

TEST_F(Http2, ManyRequestsShareOneConnection) {
    std::vector<HttpRequest> requests(200, {.target = "/version"});
    for (const auto& r : http->send_all(std::move(requests), 48)) {
        ASSERT_TRUE(r) << r.error().to_string();
        EXPECT_EQ(r->status, 200);
    }
    EXPECT_EQ(relay->connections, 1);
    std::vector<std::jthread> callers;
    for (int i = 0; i < 8; ++i) callers.emplace_back([&] { EXPECT_TRUE(http->send({.target = "/version"})); });
    callers.clear();
    EXPECT_EQ(relay->connections, 1);
}

// libcurl 7.88 would put requests on the older connection of a watch, where they never get their turn.
TEST_F(Http2, RequestsDoNotQueueBehindAWatch) {
    std::stop_source stop;
    std::promise<void> first;
    std::jthread watcher([&] {
        bool seen = false;
        (void)http->stream({.target = "/api/v1/namespaces?watch=true"}, [&](std::string_view) {
            if (!std::exchange(seen, true)) first.set_value();
            return true;
        }, stop.get_token());
    });
    EXPECT_EQ(first.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
    for (int i = 0; i < 4; ++i) {
        const auto r = http->send({.target = "/version"});
        EXPECT_TRUE(r) << r.error().to_string();
    }
    EXPECT_EQ(relay->connections, 2) << "the watch's and the requests'";
    stop.request_stop();
}

// Watches have connections of their own, and a connection that is cut costs reads and applies nothing.
TEST_F(Http2, SurvivesCutConnections) {
    const std::string ns = cluster.make_namespace();
    Client client(http);
    std::atomic<int> seen{0};
    std::stop_source stop;
    std::jthread watcher([&] {
        (void)watch(
            client, {.gvk = {"", "v1", "ConfigMap"}, .ns = ns, .label_selector = "app=x"},
            [&](const WatchEvent& e) {
                if (e.kind == WatchEventKind::added) ++seen;
                return true;
            },
            {.backoff_min = std::chrono::milliseconds(1), .backoff_max = std::chrono::milliseconds(50)}, stop.get_token());
    });
    relay->cut_every(60'000);
    std::vector<Object> objects;
    for (int i = 0; i < 100; ++i)
        objects.push_back(object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: c" + std::to_string(i) + ", namespace: " + ns + ", labels: {app: x}}}"));
    for (int round = 0; round < 3; ++round)
        for (const auto& r : client.apply_all(objects, {.field_manager = "weber"}, 16)) EXPECT_TRUE(r) << r.error().to_string();
    EXPECT_GT(relay->connections, 4) << "it was cut";
    relay->cut_every(0);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (seen < 100 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    stop.request_stop();
    watcher.join();
    EXPECT_EQ(seen, 100) << "each once";
}

std::shared_ptr<HttpClient> client_of(const H2Server& server) {
    ClientConfig config{.server = server.url(), .unix_socket = {}, .proxy_url = "direct"};
    config.tls.ca = server.ca();
    return *HttpClient::create(config, {}, std::make_shared<HttpEngine>());
}

// The server answers nothing before 40 requests are there: on one connection they must be open at the same time.
TEST(Http2Frames, RequestsAreOpenTogetherOnOneConnection) {
    H2Server server({.hold_until = 40});
    const auto http = client_of(server);
    std::vector<HttpRequest> requests(120, {.target = "/version"});
    for (const auto& r : http->send_all(std::move(requests), 40)) {
        ASSERT_TRUE(r) << r.error().to_string();
        EXPECT_EQ(r->body, "ok");
    }
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(server.most_open(), 40) << "no more than what may be in flight";
    EXPECT_EQ(server.requests(), 120);
}

// Callers that know nothing of each other share it, too.
TEST(Http2Frames, CallersShareAConnection) {
    H2Server server({.hold_until = 6});
    const auto http = client_of(server);
    std::vector<std::jthread> callers;
    for (int i = 0; i < 6; ++i) callers.emplace_back([&] { EXPECT_TRUE(http->send({.method = "PATCH", .target = "/", .body = "{}"})); });
    callers.clear();
    EXPECT_EQ(server.connections(), 1);
}

// What a server says it has not begun is asked again, whatever the method; a connection that takes no more is left for a new one.
TEST(Http2Frames, RefusedStreamsAndLeavingServers) {
    H2Server refusing({.refuse = 2});
    for (const char* method : {"GET", "POST"}) {
        const auto r = client_of(refusing)->send({.method = method, .target = "/", .body = *method == 'P' ? "{}" : ""});
        EXPECT_TRUE(r) << method << ": " << r.error().to_string();
    }
    EXPECT_EQ(refusing.requests(), 2);
    H2Server leaving({.go_away_after = 3});
    const auto http = client_of(leaving);
    for (int i = 0; i < 7; ++i) EXPECT_TRUE(http->send({.target = "/"})) << i;
    EXPECT_EQ(leaving.requests(), 7);
    EXPECT_EQ(leaving.connections(), 3);
}

} // namespace
