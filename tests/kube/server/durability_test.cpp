// The server as a process of its own: killed at random points, loaded with many objects and watches, left alone.
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "kube/base/json.h"
#include "tests/kube/server/test_server.h"

extern char** environ;

namespace weber::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr const char* kDirVariable = "WEBER_TEST_SERVER_DIR";

// Not a test: the body of the child process, started by name.
TEST(ServerChild, DISABLED_Serves) {
    const char* dir = std::getenv(kDirVariable);
    if (!dir) GTEST_SKIP() << "started by the durability tests only";
    kube::ServerOptions o = TestServer::quiet();
    o.data_dir = std::string(dir) + "/state";
    o.unix_path = std::string(dir) + "/api.sock";
    const auto server = kube::Server::start(o);
    ASSERT_TRUE(server) << server.error().to_string();
    for (;;) pause();
}

class ServerProcess {
public:
    explicit ServerProcess(const std::string& dir) : socket_(dir + "/api.sock") {
        ::unlink(socket_.c_str());
        pid_ = ::fork();
        if (pid_ == 0) {
            ::setenv(kDirVariable, dir.c_str(), 1);
            ::execl("/proc/self/exe", "server_tests", "--gtest_filter=ServerChild.DISABLED_Serves", "--gtest_also_run_disabled_tests",
                    "--gtest_brief=1", nullptr);
            ::_exit(127);
        }
        const auto until = steady_clock::now() + seconds(20);
        while (!connects() && steady_clock::now() < until) std::this_thread::sleep_for(milliseconds(5));
        EXPECT_TRUE(connects()) << "the server did not start";
    }
    ~ServerProcess() { kill_now(); }
    void kill_now() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    [[nodiscard]] Api api() const { return Api(kube::unix_socket_config(socket_)); }
    // A connection of its own; the caller closes it. -1: refused.
    [[nodiscard]] int connect() const {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_.c_str());
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
        ::close(fd);
        return -1;
    }
    // Bytes of a field of /proc/PID/status that is in kB.
    [[nodiscard]] std::size_t status_bytes(const std::string& field) const {
        std::ifstream in("/proc/" + std::to_string(pid_) + "/status");
        for (std::string line; std::getline(in, line);)
            if (line.starts_with(field + ":")) return std::strtoull(line.c_str() + field.size() + 1, nullptr, 10) << 10;
        return 0;
    }
    // CPU used so far, in clock ticks.
    [[nodiscard]] long ticks() const {
        std::ifstream in("/proc/" + std::to_string(pid_) + "/stat");
        std::string text((std::istreambuf_iterator<char>(in)), {});
        std::istringstream fields(text.substr(text.rfind(')') + 2));
        std::string skip;
        long user = 0, system = 0;
        for (int i = 0; i < 11; ++i) fields >> skip;
        fields >> user >> system;
        return user + system;
    }

private:
    [[nodiscard]] bool connects() const {
        const int fd = connect();
        if (fd >= 0) ::close(fd);
        return fd >= 0;
    }
    std::string socket_;
    pid_t pid_ = -1;
};

// One raw HTTP request on an open connection; true with its status when a whole answer came.
bool exchange(int fd, const std::string& method, const std::string& path, const std::string& type, const std::string& body, int& status) {
    const std::string request = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + type +
                                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) return false;
    std::string answer;
    char buffer[8192];
    for (;;) {
        const auto end = answer.find("\r\n\r\n");
        if (end != std::string::npos) {
            const auto at = answer.find("Content-Length: ");
            if (at < end && answer.size() >= end + 4 + std::strtoull(answer.c_str() + at + 16, nullptr, 10)) break;
        }
        const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) return false;
        answer.append(buffer, static_cast<std::size_t>(n));
    }
    status = std::atoi(answer.c_str() + 9);
    return true;
}

constexpr int kWriters = 4;
const std::string kMaps = "/api/v1/namespaces/default/configmaps";

// Writes counters until the server dies; returns the last value that was acknowledged.
int write_until_dead(const ServerProcess& server, int writer, int start) {
    const int fd = server.connect();
    int acknowledged = start;
    for (int value = start + 1;; ++value) {
        const std::string name = "w" + std::to_string(writer);
        const std::string body = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name + R"("},"data":{"n":")" + std::to_string(value) + "\"}}";
        int status = 0;
        if (fd < 0 || !exchange(fd, "PATCH", kMaps + "/" + name + "?fieldManager=t&force=true", "application/apply-patch+yaml", body, status)) break;
        EXPECT_LT(status, 300);
        acknowledged = value;
    }
    if (fd >= 0) ::close(fd);
    return acknowledged;
}

TEST(ServerDurability, KillNineLosesNoAcknowledgedWrite) {
    const ScratchDir dir;
    std::mt19937 random(std::random_device{}());
    std::vector<int> acknowledged(kWriters, 0);
    for (int round = 0; round < 8; ++round) {
        ServerProcess server(dir.path());
        const Api api = server.api();
        for (int w = 0; w < kWriters; ++w) {
            if (acknowledged[w] == 0) continue;
            const Reply r = api.get(kMaps + "/w" + std::to_string(w));
            ASSERT_EQ(r.status, 200) << r.body;
            ASSERT_GE(std::stoi(r.at("data.n")), acknowledged[w]) << "an acknowledged write is lost";
            ASSERT_LE(std::stoi(r.at("data.n")), acknowledged[w] + 1) << "a write that was never sent";
            acknowledged[w] = std::stoi(r.at("data.n"));
        }
        std::vector<std::thread> writers;
        for (int w = 0; w < kWriters; ++w)
            writers.emplace_back([&, w] { acknowledged[w] = write_until_dead(server, w, acknowledged[w]); });
        std::this_thread::sleep_for(milliseconds(20 + random() % 200)); // the point at which it dies
        server.kill_now();
        for (auto& t : writers) t.join();
    }
    int sum = 0;
    for (const int n : acknowledged) sum += n;
    EXPECT_GT(sum, 50) << "the test proves nothing when hardly anything was written";
}

TEST(ServerLoad, TenThousandObjectsAndAThousandWatchesFitIn150MiB) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < 4096) GTEST_SKIP() << "fewer than 4096 open files allowed (ulimit -n)";
    const ScratchDir dir;
    ServerProcess server(dir.path());
    constexpr int kObjects = 10'000, kWatches = 1'000;
    std::vector<std::thread> makers;
    std::atomic<int> next = 0;
    for (int t = 0; t < 8; ++t)
        makers.emplace_back([&] {
            const int fd = server.connect();
            const std::string value(600, 'x');
            for (int i = next++; i < kObjects; i = next++) {
                const std::string body = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m)" + std::to_string(i) +
                                         R"(","labels":{"app":"a"}},"data":{"k":")" + value + "\"}}";
                int status = 0;
                ASSERT_TRUE(exchange(fd, "POST", kMaps, "application/json", body, status));
                ASSERT_EQ(status, 201);
            }
            ::close(fd);
        });
    for (auto& t : makers) t.join();
    const std::string rv = server.api().get(kMaps + "?limit=1").at("metadata.resourceVersion");
    std::vector<int> watches;
    for (int i = 0; i < kWatches; ++i) {
        const int fd = server.connect();
        ASSERT_GE(fd, 0) << i;
        const std::string request = "GET " + kMaps + "?watch=true&resourceVersion=" + rv + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
        ASSERT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
        watches.push_back(fd);
    }
    server.api().patch(kMaps + "/m7", "merge", "{data: {k: changed}}");
    for (const int fd : watches) { // each of them hears of it
        std::string seen;
        char buffer[4096];
        while (seen.find("changed") == std::string::npos) {
            const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
            ASSERT_GT(n, 0);
            seen.append(buffer, static_cast<std::size_t>(n));
        }
    }
    const double mib = static_cast<double>(server.status_bytes("VmRSS")) / (1 << 20);
    std::cout << "resident with " << kObjects << " objects and " << kWatches << " watches: " << mib << " MiB\n";
    RecordProperty("resident_mib", std::to_string(mib));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(mib, 150.0);
#endif
    long used = 2;
    for (int round = 0; round < 5 && used > 1; ++round) { // what the thousand answers left to do may still be under way
        const long before = server.ticks();
        std::this_thread::sleep_for(seconds(2)); // what is measured is that nothing happens
        used = server.ticks() - before;
    }
    EXPECT_LE(used, 1) << "an idle server uses CPU";
    for (const int fd : watches) ::close(fd);
}

TEST(ServerLoad, WatchersThatDoNotReadHoldNoMemory) {
    const ScratchDir dir;
    ServerProcess server(dir.path());
    const Api api = server.api();
    api.post(kMaps, "{apiVersion: v1, kind: ConfigMap, metadata: {name: big}}");
    std::vector<int> watches;
    for (int i = 0; i < 100; ++i) {
        const int fd = server.connect();
        const std::string request = "GET " + kMaps + "?watch=true&resourceVersion=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
        ASSERT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
        watches.push_back(fd);
    }
    const std::size_t before = server.status_bytes("VmRSS");
    const std::string value(20'000, 'x');
    for (int i = 0; i < 1500; ++i) // 30 MB of events, 3 GB if each watcher had a queue of its own
        ASSERT_EQ(api.send({.method = "PATCH", .path = kMaps + "/big", .body = R"({"data":{"k":")" + value + std::to_string(i) + "\"}}", .type = "merge"}).status, 200);
    const double grown = static_cast<double>(server.status_bytes("VmRSS")) / (1 << 20) - static_cast<double>(before) / (1 << 20);
    std::cout << "grown by " << grown << " MiB\n";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(grown, 60.0);
#endif
    for (const int fd : watches) ::close(fd);
}

TEST(ServerLimits, AClientThatStillSendsReadsItsRefusal) {
    const ScratchDir dir;
    const ServerProcess server(dir.path());
    const int fd = server.connect();
    int status = 0;
    // Far more than any buffer of the kernel: it is sent only if the server, whose answer is out long ago, still reads.
    EXPECT_TRUE(exchange(fd, "POST", kMaps, "application/json", std::string(32u << 20, 'x'), status));
    EXPECT_EQ(status, 413);
    ::close(fd);
}

TEST(ServerLimits, RefuseWhatIsTooLargeOrTooDeep) {
    const TestServer s;
    const std::string large(3u << 20, 'x');
    EXPECT_EQ(s->send({.method = "POST", .path = kMaps, .body = R"({"data":{"k":")" + large + "\"}}"}).status, 413);
    std::string deep = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"x":)";
    for (int i = 0; i < 5000; ++i) deep += "[";
    for (int i = 0; i < 5000; ++i) deep += "]";
    EXPECT_EQ(s->send({.method = "POST", .path = kMaps, .body = deep + "}"}).status, 400);
    std::string yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: ";
    for (int i = 0; i < 5000; ++i) yaml += "[";
    EXPECT_EQ(s->send({.method = "PATCH", .path = kMaps + "/a?fieldManager=m", .body = yaml, .type = "apply"}).status, 400);
    std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c < 'k'; ++c) bomb += std::string(1, c) + ": &" + c + " [*" + std::string(1, static_cast<char>(c - 1)) + ",*" + static_cast<char>(c - 1) + ",*" +
                                            static_cast<char>(c - 1) + ",*" + static_cast<char>(c - 1) + ",*" + static_cast<char>(c - 1) + ",*" + static_cast<char>(c - 1) + "]\n";
    EXPECT_EQ(s->send({.method = "PATCH", .path = kMaps + "/a?fieldManager=m", .body = bomb, .type = "apply"}).status, 400);
    const std::string long_path = kMaps + "?labelSelector=" + std::string(70'000, 'a');
    EXPECT_EQ(s->get(long_path).status, 431);
    EXPECT_EQ(s->get(kMaps).status, 200) << "it goes on";
}

} // namespace
} // namespace weber::testing
