#include "agent/endpoints.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace weber::agent {

namespace {

using kube::server::Exchange;
using kube::server::HttpFront;
using kube::server::HttpRequest;
using kube::server::HttpResponse;

HttpResponse text(int status, std::string body, std::string type = "text/plain; charset=utf-8") {
    return {.status = status, .content_type = std::move(type), .headers = {}, .body = std::move(body)};
}

Result<std::unique_ptr<HttpFront>> serve(const std::string& address, std::function<HttpResponse(const HttpRequest&)> answer) {
    TRY(const ListenAddress at, parse_listen_address(address));
    kube::server::HttpFrontOptions options;
    options.address = at.address;
    options.port = at.port;
    options.threads = 1;
    options.max_body = 1 << 10;
    options.max_connections = 64;
    return HttpFront::start(options, [answer = std::move(answer)](HttpRequest&& request, const std::shared_ptr<Exchange>& exchange) {
        exchange->respond(request.method == "GET" || request.method == "HEAD" ? answer(request) : text(405, "method not allowed\n"));
    });
}

// A path that stays below the storage and names a regular file there. Not what else lies in that folder: the git cache has the whole history, and what ignore rules keep back.
std::optional<std::string> content_of(const std::string& root, std::string_view path) {
    while (path.starts_with('/')) path.remove_prefix(1);
    if (std::ranges::any_of(std::filesystem::path(path), [](const auto& part) { return part == ".."; })) return std::nullopt;
    const std::filesystem::path relative = std::filesystem::path(path).lexically_normal();
    if (relative.empty() || *relative.begin() == "git-cache") return std::nullopt;
    const std::filesystem::path file = std::filesystem::path(root) / relative;
    std::error_code code;
    if (std::filesystem::symlink_status(file, code).type() != std::filesystem::file_type::regular) return std::nullopt;
    std::ostringstream out;
    out << std::ifstream(file, std::ios::binary).rdbuf();
    return std::move(out).str();
}

} // namespace

Result<ListenAddress> parse_listen_address(const std::string& text, const std::string& host) {
    const std::size_t colon = text.rfind(':');
    ListenAddress out{.address = colon == text.npos ? "" : text.substr(0, colon)};
    if (out.address.size() > 2 && out.address.front() == '[' && out.address.back() == ']') out.address = out.address.substr(1, out.address.size() - 2);
    if (out.address.empty()) out.address = host;
    const std::string port = text.substr(colon == text.npos ? 0 : colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size())
        return fail(ErrorCode::invalid, "cannot listen on \"" + text + "\": an address must be HOST:PORT or :PORT");
    return out;
}

bool listens(const std::string& address) { return !address.empty() && address != "0"; }

std::string advertised_address(const ListenAddress& at) {
    char host[256] = {};
    const bool all = at.address == "0.0.0.0" || at.address == "::";
    if (all) gethostname(host, sizeof host - 1);
    return (all ? std::string(host) : at.address) + ":" + std::to_string(at.port);
}

Result<std::unique_ptr<HttpFront>> serve_artifacts(const std::string& address, std::string root) {
    return serve(address, [root = std::move(root)](const HttpRequest& r) {
        auto content = content_of(root, r.path);
        return content ? text(200, std::move(*content), "application/gzip") : text(404, "404 page not found\n");
    });
}

Result<std::unique_ptr<HttpFront>> serve_metrics(const std::string& address, Metrics& metrics) {
    return serve(address, [&metrics](const HttpRequest& r) {
        return r.path == "/metrics" ? text(200, metrics.text(), "text/plain; version=0.0.4; charset=utf-8") : text(404, "not found: /metrics is here\n");
    });
}

Result<std::unique_ptr<HttpFront>> serve_probes(const std::string& address, std::function<bool()> alive) {
    return serve(address, [alive = std::move(alive)](const HttpRequest& r) {
        if (r.path == "/readyz") return text(200, "ok");
        if (r.path == "/healthz") return alive() ? text(200, "ok") : text(500, "the lease could not be renewed\n");
        return text(404, "not found: /healthz and /readyz are here\n");
    });
}

} // namespace weber::agent
