// HTTP endpoints of the process: metrics, probes, artifacts.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "agent/metrics.h"
#include "kube/server/http_front.h"

namespace weber::agent {

// ":8080", "127.0.0.1:8080", "[::1]:0", "8080" → address and port; `host` stands for one that is left out: all interfaces unless the caller
// says otherwise. Error: invalid.
struct ListenAddress {
    std::string address;
    std::uint16_t port = 0;
};
Result<ListenAddress> parse_listen_address(const std::string& text, const std::string& host = "0.0.0.0");
// False for "" and "0", by which controller-runtime is told to serve nothing.
bool listens(const std::string& address);
// The host and port that others reach a listener at: all interfaces are known by the host's name, none by `localhost` (sources.md 0.3).
std::string advertised_address(const ListenAddress& at);

// GET /metrics. Errors: invalid (address), unavailable (in use).
Result<std::unique_ptr<kube::server::HttpFront>> serve_metrics(const std::string& address, Metrics& metrics);
// GET of the files below `root` by their paths.
Result<std::unique_ptr<kube::server::HttpFront>> serve_artifacts(const std::string& address, std::string root);
// GET /healthz and /readyz: 200 `ok`; /healthz 500 while `alive` is false.
Result<std::unique_ptr<kube::server::HttpFront>> serve_probes(const std::string& address, std::function<bool()> alive);

} // namespace weber::agent
