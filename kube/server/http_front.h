// The HTTP/1.1 front door: TCP (plain or TLS) or a Unix socket, on Boost.Asio and Beast, a few threads for all connections.
//
// Limits: header 64 KiB, body 3 MiB (as kube-apiserver), an idle or stalled connection is closed, one piece of a stream in memory
// per connection. The number of connections is bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kube/base/error.h"
#include "kube/server/http_types.h"

namespace weber::kube::server {

struct HttpFrontOptions {
    std::string address = "127.0.0.1"; // numeric IP; ignored when `unix_path` is set
    std::uint16_t port = 0;            // 0 = a free one
    std::string unix_path;             // path of a Unix socket; an existing socket file is replaced
    std::string tls_certificate;       // PEM; empty = no TLS
    std::string tls_key;               // PEM
    int threads = 2;
    std::size_t max_body = 3u << 20;
    std::size_t max_connections = 4096;
};

class HttpFront {
public:
    // Binds, listens and starts the threads; `handler` is called on them and must not block for long.
    static Result<std::unique_ptr<HttpFront>> start(HttpFrontOptions options, HttpHandler handler);
    ~HttpFront(); // stops
    HttpFront(const HttpFront&) = delete;
    HttpFront& operator=(const HttpFront&) = delete;

    [[nodiscard]] std::uint16_t port() const; // 0 for a Unix socket
    // Closes all connections and joins the threads. Idempotent. Not from a handler.
    void stop();

private:
    struct Impl;
    explicit HttpFront(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace weber::kube::server
