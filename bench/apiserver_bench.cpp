// How fast the embedded API server applies. The server is a process of its own, its state on disk, every write on disk before its answer.
//   apiserver_bench [--dir DIR] [--connections N] [--seconds S] [--kind configmap|deployment|unchanged|get]
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "kube/server/server.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
    std::string dir, kind = "configmap";
    int connections = 32, seconds = 5;
};

int connect_to(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
    for (int i = 0; i < 2000; ++i) {
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    std::cerr << "no server at " << path << "\n";
    std::exit(1);
}

std::string request_of(const Settings& s, int writer, long n) {
    const std::string name = "o" + std::to_string(writer) + (s.kind == "unchanged" || s.kind == "get" ? "" : "-" + std::to_string(n % 500));
    const std::string value = s.kind == "unchanged" || s.kind == "get" ? "same" : std::to_string(n);
    std::string path = "/api/v1/namespaces/default/configmaps/" + name;
    std::string body = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name + R"(","labels":{"app":"bench"}},"data":{"n":")" + value +
                       R"(","text":"a few words of configuration"}})";
    if (s.kind == "deployment") {
        path = "/apis/apps/v1/namespaces/default/deployments/" + name;
        body = R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":")" + name +
               R"("},"spec":{"replicas":2,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"},"annotations":{"n":")" + value +
               R"("}},"spec":{"containers":[{"name":"c","image":"nginx:1.27","ports":[{"containerPort":80}],"env":[{"name":"A","value":"1"}],)"
               R"("readinessProbe":{"httpGet":{"port":80,"path":"/"}},"resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]}}}})";
    }
    if (s.kind == "get" && n > 0) return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    return "PATCH " + path + "?fieldManager=bench&force=true HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/apply-patch+yaml\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool round_trip(int fd, const std::string& request) {
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) return false;
    std::string answer;
    char buffer[16384];
    for (;;) {
        const auto end = answer.find("\r\n\r\n");
        if (end != std::string::npos && answer.size() >= end + 4 + std::strtoull(answer.c_str() + answer.find("Content-Length: ") + 16, nullptr, 10)) break;
        const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) return false;
        answer.append(buffer, static_cast<std::size_t>(n));
    }
    return answer.compare(9, 1, "2") == 0;
}

double cpu_seconds(pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skip;
    double user = 0, system = 0;
    for (int i = 0; i < 11; ++i) fields >> skip;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

pid_t serve(const Settings& s) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    weber::kube::ServerOptions o;
    o.data_dir = s.dir + "/state";
    o.unix_path = s.dir + "/api.sock";
    o.simulate = false;
    const auto server = weber::kube::Server::start(o);
    if (!server) {
        std::cerr << server.error().to_string() << "\n";
        ::_exit(1);
    }
    for (;;) ::pause();
}

void measure(const Settings& s) {
    const pid_t pid = serve(s);
    ::close(connect_to(s.dir + "/api.sock"));
    std::atomic<bool> stop = false;
    std::vector<std::vector<double>> times(static_cast<std::size_t>(s.connections));
    std::vector<std::thread> clients;
    const double cpu = cpu_seconds(pid);
    const auto begin = Clock::now();
    for (int c = 0; c < s.connections; ++c)
        clients.emplace_back([&, c] {
            const int fd = connect_to(s.dir + "/api.sock");
            for (long n = 0; !stop; ++n) {
                const std::string request = request_of(s, c, n);
                const auto from = Clock::now();
                if (!round_trip(fd, request)) {
                    std::cerr << "a request failed\n";
                    std::exit(1);
                }
                times[static_cast<std::size_t>(c)].push_back(std::chrono::duration<double, std::milli>(Clock::now() - from).count());
            }
            ::close(fd);
        });
    std::this_thread::sleep_for(std::chrono::seconds(s.seconds));
    stop = true;
    for (auto& t : clients) t.join();
    const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count(), used = cpu_seconds(pid) - cpu;
    ::kill(pid, SIGTERM);
    ::waitpid(pid, nullptr, 0);
    std::vector<double> all;
    for (const auto& t : times) all.insert(all.end(), t.begin(), t.end());
    std::sort(all.begin(), all.end());
    const double count = static_cast<double>(all.size());
    std::printf("%-10s %8.0f requests/s  median %.2f ms  99%% %.2f ms  server CPU %.0f us a request (%.0f a second on one core)\n", s.kind.c_str(),
                count / elapsed, all[all.size() / 2], all[all.size() * 99 / 100], used / count * 1e6, count / used);
}

} // namespace

int main(int argc, char** argv) {
    Settings s;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string flag = argv[i];
        if (flag == "--dir") s.dir = argv[i + 1];
        if (flag == "--kind") s.kind = argv[i + 1];
        if (flag == "--connections") s.connections = std::atoi(argv[i + 1]);
        if (flag == "--seconds") s.seconds = std::atoi(argv[i + 1]);
    }
    const bool own = s.dir.empty();
    if (own) s.dir = std::filesystem::temp_directory_path() / ("weber-bench-" + std::to_string(::getpid()));
    std::filesystem::create_directories(s.dir);
    measure(s);
    if (own) std::filesystem::remove_all(s.dir);
}
