// The shipped Transport: one API server, reached as a ClientConfig says, over an HttpEngine.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>

#include "kube/http_engine.h"
#include "kube/kubeconfig.h"
#include "kube/pause.h"
#include "kube/transport.h"

namespace weber::kube {

struct HttpClientOptions {
    std::chrono::milliseconds timeout{60'000};  // of a call without its own
    std::size_t max_response = 512u << 20;      // of a call without its own
    RetryPolicy retry = {};
};

// Thread-safe. Adds User-Agent, Authorization and Impersonate-* headers; answers 401 with renewed credentials, once; reads a CA file again when it changed.
// A request that may be repeated and meets a silent connection is asked a second time over a new one, within its deadline (`HttpEngine`).
class HttpClient : public Transport {
public:
    // `engine` may be shared by clients of several clusters; null = the process's common one.
    // Errors: invalid (the address, an unreadable CA file).
    static Result<std::shared_ptr<HttpClient>> create(ClientConfig config, HttpClientOptions options = {},
                                                      std::shared_ptr<HttpEngine> engine = {});

    Result<HttpResponse> send(HttpRequest request, std::stop_token stop = {}) override;
    std::vector<Result<HttpResponse>> send_all(std::vector<HttpRequest> requests, std::size_t in_flight,
                                               std::stop_token stop = {}) override;
    Result<HttpResponse> stream(HttpRequest request, const ChunkHandler& on_chunk, std::stop_token stop = {}) override;

private:
    HttpClient(ClientConfig config, HttpClientOptions options, std::shared_ptr<HttpEngine> engine);
    Result<void> refresh_endpoint();
    Result<std::shared_ptr<const Endpoint>> endpoint();
    Result<std::shared_ptr<const Credential>> credential(std::stop_token stop);
    // After a 401 to `refused`: another credential to try, or null.
    std::shared_ptr<const Credential> renewed(const Credential& refused, std::stop_token stop);
    Outgoing outgoing(HttpRequest request, std::shared_ptr<const Endpoint> to, std::shared_ptr<const Credential> as, bool streaming) const;

    const ClientConfig config_;
    const HttpClientOptions options_;
    const std::shared_ptr<HttpEngine> engine_;
    std::vector<HttpHeader> impersonation_;

    StoppableMutex renewing_; // so that of many callers that are refused together one renews
    std::mutex mutex_; // guards the rest
    std::shared_ptr<const Endpoint> endpoint_;
    std::int64_t ca_stamp_ = 0;
};

// The engine that clients share unless told otherwise; made with the first use, ends with its last user.
std::shared_ptr<HttpEngine> common_http_engine();

} // namespace weber::kube
