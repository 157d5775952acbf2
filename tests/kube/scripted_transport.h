// A Transport that answers as a test says, without a network.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "kube/transport.h"

namespace weber::testing {

class ScriptedTransport : public kube::Transport {
public:
    // What becomes of request number `n` (from 1, streams and others counted together). A stream's body is handed over line by line.
    using Script = std::function<kube::Result<kube::HttpResponse>(const kube::HttpRequest& request, int n)>;
    explicit ScriptedTransport(Script script) : script_(std::move(script)) {}

    kube::Result<kube::HttpResponse> send(kube::HttpRequest request, std::stop_token stop = {}) override {
        if (stop.stop_requested()) return kube::fail(kube::ErrorCode::cancelled, "cancelled");
        return answer(request);
    }
    std::vector<kube::Result<kube::HttpResponse>> send_all(std::vector<kube::HttpRequest> requests, std::size_t, std::stop_token stop = {}) override {
        std::vector<kube::Result<kube::HttpResponse>> out;
        for (kube::HttpRequest& r : requests) out.push_back(send(std::move(r), stop));
        return out;
    }
    kube::Result<kube::HttpResponse> stream(kube::HttpRequest request, const kube::ChunkHandler& on_chunk, std::stop_token stop = {}) override {
        auto out = answer(request);
        if (!out || out->status / 100 != 2) return out;
        std::string body = std::move(out->body);
        for (std::size_t at = 0; at < body.size() && !stop.stop_requested();) {
            const std::size_t end = std::min(body.find('\n', at), body.size() - 1) + 1;
            if (!on_chunk(std::string_view(body).substr(at, end - at))) return kube::HttpResponse{.status = 200};
            at = end;
        }
        if (stop.stop_requested()) return kube::fail(kube::ErrorCode::cancelled, "cancelled");
        return kube::fail(kube::ErrorCode::unavailable, "the stream was cut");
    }
    std::vector<kube::HttpRequest> seen() const {
        const std::lock_guard lock(mutex_);
        return seen_;
    }

private:
    kube::Result<kube::HttpResponse> answer(const kube::HttpRequest& request) {
        int n = 0;
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back(request);
            n = static_cast<int>(seen_.size());
        }
        return script_(request, n);
    }
    const Script script_;
    mutable std::mutex mutex_;
    std::vector<kube::HttpRequest> seen_;
};

inline kube::HttpResponse json_answer(int status, std::string body) {
    return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

inline kube::HttpResponse status_answer(int code, const std::string& reason, const std::string& message = "as the test says") {
    return json_answer(code, R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":")" + reason + R"(","message":")" + message + R"(","code":)" +
                                 std::to_string(code) + "}");
}

// Aggregated discovery with ConfigMaps alone.
inline kube::Result<kube::HttpResponse> small_discovery(const kube::HttpRequest& r) {
    if (r.target == "/api")
        return json_answer(200, R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{},"versions":[{"version":"v1","resources":[{"resource":"configmaps",)"
                                R"("responseKind":{"kind":"ConfigMap"},"scope":"Namespaced","verbs":["get","list","watch"]}]}]}]})");
    if (r.target == "/apis") return json_answer(200, R"({"kind":"APIGroupDiscoveryList","items":[]})");
    return status_answer(404, "NotFound");
}

} // namespace weber::testing
