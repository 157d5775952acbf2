#include "agent/metered_transport.h"

#include "kube/http_client.h"

namespace weber::agent {

namespace {

constexpr const char* kRequests = "rest_client_requests_total";

std::string host_of(const std::string& server) {
    const std::size_t scheme = server.find("://"), begin = scheme == server.npos ? 0 : scheme + 3;
    return server.substr(begin, server.find('/', begin) - begin);
}

} // namespace

MeteredTransport::MeteredTransport(std::shared_ptr<kube::Transport> real, const std::string& server, Metrics& metrics)
    : real_(std::move(real)), host_(host_of(server)), metrics_(metrics) {
    metrics_.define_counter(kRequests, "Number of HTTP requests, partitioned by status code, method, and host.");
}

void MeteredTransport::count(const std::string& method, const Result<kube::HttpResponse>& answer) {
    metrics_.add(kRequests, {{"code", answer ? std::to_string(answer->status) : "<error>"}, {"host", host_}, {"method", method}});
}

Result<kube::HttpResponse> MeteredTransport::send(kube::HttpRequest request, std::stop_token stop) {
    const std::string method = request.method;
    auto answer = real_->send(std::move(request), std::move(stop));
    count(method, answer);
    return answer;
}

std::vector<Result<kube::HttpResponse>> MeteredTransport::send_all(std::vector<kube::HttpRequest> requests, std::size_t in_flight, std::stop_token stop) {
    std::vector<std::string> methods;
    for (const auto& r : requests) methods.push_back(r.method);
    auto answers = real_->send_all(std::move(requests), in_flight, std::move(stop));
    for (std::size_t i = 0; i < answers.size(); ++i) count(methods[i], answers[i]);
    return answers;
}

Result<kube::HttpResponse> MeteredTransport::stream(kube::HttpRequest request, const kube::ChunkHandler& on_chunk, std::stop_token stop) {
    const std::string method = request.method;
    auto answer = real_->stream(std::move(request), on_chunk, std::move(stop));
    count(method, answer);
    return answer;
}

Result<std::shared_ptr<kube::Client>> connect_metered(const kube::ClientConfig& config, Metrics& metrics) {
    TRY(std::shared_ptr<kube::HttpClient> http, kube::HttpClient::create(config));
    return std::make_shared<kube::Client>(std::make_shared<MeteredTransport>(std::move(http), config.server, metrics));
}

} // namespace weber::agent
