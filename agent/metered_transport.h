// Counts the requests to API servers as client-go does: rest_client_requests_total{code, host, method}.
#pragma once

#include <memory>
#include <string>

#include "agent/metrics.h"
#include "kube/client.h"
#include "kube/transport.h"

namespace weber::agent {

// Thread-safe. Answers count when they are complete, streams when they end; a request without an answer has the code `<error>`.
class MeteredTransport final : public kube::Transport {
public:
    // `server`: https://host:port/…. `metrics` must outlive it.
    MeteredTransport(std::shared_ptr<kube::Transport> real, const std::string& server, Metrics& metrics);

    Result<kube::HttpResponse> send(kube::HttpRequest request, std::stop_token stop = {}) override;
    std::vector<Result<kube::HttpResponse>> send_all(std::vector<kube::HttpRequest> requests, std::size_t in_flight, std::stop_token stop = {}) override;
    Result<kube::HttpResponse> stream(kube::HttpRequest request, const kube::ChunkHandler& on_chunk, std::stop_token stop = {}) override;

private:
    void count(const std::string& method, const Result<kube::HttpResponse>& answer);

    const std::shared_ptr<kube::Transport> real_;
    const std::string host_;
    Metrics& metrics_;
};

// A client whose requests are counted. Errors: Client::connect's.
Result<std::shared_ptr<kube::Client>> connect_metered(const kube::ClientConfig& config, Metrics& metrics);

} // namespace weber::agent
