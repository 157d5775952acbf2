// The embedded API server: an in-process kube-apiserver for `reconcile --once`, tests and `weber apiserver`.
//
// Thread-safe: `stop` and the accessors from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kube/base/error.h"

namespace weber::kube {

struct ServerOptions {
    // Folder of the state (SQLite, CA, token), made with mode 0700 when missing. Empty: everything in memory, gone at the end.
    std::string data_dir;

    // Where to listen: a Unix socket (only its owner may connect; no TLS, no token) or a TCP address.
    std::string unix_path;
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;        // 0: a free one
    bool allow_remote = false;     // an address other than loopback is an error unless set

    bool tls = true;               // TCP only: certificate by a CA made in data_dir
    bool require_token = true;     // TCP only: bearer token, made in data_dir unless `token` is given
    std::string token;

    // What the holder of a token (a service account, an impersonated user) may do. The administrator's token may do everything.
    enum class Authorization : std::uint8_t { always_allow, rbac };
    Authorization authorization = Authorization::always_allow;

    // Stand-ins for kubelet and the workload controllers. Namespaces, garbage collection and CRDs work in any case.
    bool simulate = true;
    std::chrono::milliseconds rollout_delay{0}; // between a change of a workload and its settled status
    std::vector<std::string> fail;              // "Kind/namespace/name" of workloads that never become healthy

    int threads = 2;               // of the HTTP front
};

class Server {
public:
    // Listens and serves when it returns. Errors: unavailable (address, data folder in use), invalid (options).
    static Result<std::unique_ptr<Server>> start(ServerOptions options);
    ~Server(); // stops
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::uint16_t port() const;             // 0 on a Unix socket
    [[nodiscard]] const std::string& unix_path() const;   // "" on TCP
    [[nodiscard]] std::string url() const;                // "https://127.0.0.1:6443"; "http://localhost" on a Unix socket
    [[nodiscard]] const std::string& token() const;       // "" when none is required
    [[nodiscard]] const std::string& ca_certificate() const; // PEM; "" without TLS
    // A kubeconfig (YAML) for the TCP address. With a Unix socket its server is "unix://PATH", which only our own client reads.
    [[nodiscard]] std::string kubeconfig() const;

    // Ends connections, waits for writes to be on disk, ends threads. Idempotent.
    void stop();

private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace weber::kube
