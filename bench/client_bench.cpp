// How many applies a second the client gets through. bench/client.sh runs it and h2load by turns against the same server.
//   client_bench --serve SOCKET                         an embedded API server with its state in memory, until stdin is closed
//   client_bench (--socket S | --kubeconfig F) [--objects 64] [--in-flight 48] [--seconds 5] [--raw]
// Prints the applies a second; --raw leaves out building and reading objects (the transport alone).
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "kube/base/json.h"
#include "kube/client.h"
#include "kube/server/server.h"

namespace {

using namespace weber::kube;
using std::chrono::steady_clock;

struct Settings {
    std::string serve, socket, kubeconfig;
    std::size_t objects = 64, in_flight = 48;
    double seconds = 5;
    bool raw = false;
};

[[noreturn]] void die(const std::string& why) {
    std::cerr << "client_bench: " << why << "\n";
    std::exit(1);
}

Settings settings_of(int argc, char** argv) {
    Settings s;
    for (int i = 1; i < argc; ++i) {
        const std::string flag = argv[i];
        if (flag == "--raw") {
            s.raw = true;
            continue;
        }
        if (i + 1 == argc) die(flag + " needs a value");
        const std::string value = argv[++i];
        if (flag == "--serve") s.serve = value;
        else if (flag == "--socket") s.socket = value;
        else if (flag == "--kubeconfig") s.kubeconfig = value;
        else if (flag == "--objects") s.objects = std::strtoul(value.c_str(), nullptr, 10);
        else if (flag == "--in-flight") s.in_flight = std::strtoul(value.c_str(), nullptr, 10);
        else if (flag == "--seconds") s.seconds = std::strtod(value.c_str(), nullptr);
        else die("unknown flag " + flag);
    }
    return s;
}

int serve(const std::string& socket) {
    ServerOptions options;
    options.unix_path = socket;
    options.simulate = false;
    auto server = Server::start(options);
    if (!server) die(server.error().to_string());
    std::cout << "ready" << std::endl;
    while (std::cin.get() != EOF) {}
    return 0;
}

Object config_map(std::size_t n) {
    auto node = read_json(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bench-)" + std::to_string(n) +
                          R"(","namespace":"default","labels":{"app":"bench"}},"data":{"text":"a few words of configuration"}})");
    return Object(std::move(*node));
}

// One round over all objects; the number of failures.
std::size_t apply_round(Client& client, const std::vector<Object>& objects, std::size_t in_flight) {
    std::size_t failed = 0;
    for (const auto& r : client.apply_all(objects, {.field_manager = "bench", .force = true}, in_flight)) failed += !r;
    return failed;
}

std::size_t raw_round(Client& client, const std::vector<HttpRequest>& requests, std::size_t in_flight) {
    std::size_t failed = 0;
    for (const auto& r : client.transport().send_all(requests, in_flight)) failed += !r || r->status / 100 != 2;
    return failed;
}

} // namespace

int main(int argc, char** argv) {
    const Settings s = settings_of(argc, argv);
    if (!s.serve.empty()) return serve(s.serve);
    auto config = s.socket.empty() ? load_kubeconfig({.files = {s.kubeconfig}}) : unix_socket_config(s.socket);
    if (!config) die(config.error().to_string());
    auto client = Client::connect(*config);
    if (!client) die(client.error().to_string());
    std::vector<Object> objects;
    std::vector<HttpRequest> requests;
    for (std::size_t i = 0; i < s.objects; ++i) {
        objects.push_back(config_map(i));
        requests.push_back({.method = "PATCH",
                            .target = "/api/v1/namespaces/default/configmaps/bench-" + std::to_string(i) + "?fieldManager=bench&force=true",
                            .headers = {{"Content-Type", "application/apply-patch+yaml"}},
                            .body = write_json(objects.back().root())});
    }
    if (apply_round(**client, objects, s.in_flight) > 0) die("not every object could be applied");
    // One call applies each object many times: a short call would mostly wait for its last answers.
    const std::size_t count = objects.size();
    while (objects.size() < 1024) {
        objects.push_back(objects[objects.size() - count]);
        requests.push_back(requests[requests.size() - count]);
    }
    const auto began = steady_clock::now();
    std::size_t done = 0, failed = 0;
    std::chrono::duration<double> took{};
    do {
        failed += s.raw ? raw_round(**client, requests, s.in_flight) : apply_round(**client, objects, s.in_flight);
        done += objects.size();
        took = steady_clock::now() - began;
    } while (took.count() < s.seconds);
    if (failed > 0) die(std::to_string(failed) + " of " + std::to_string(done) + " applies failed");
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const double cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    std::printf("%.0f\n", static_cast<double>(done) / took.count());
    std::fprintf(stderr, "%.0f us of CPU an apply\n", cpu / static_cast<double>(done));
}
