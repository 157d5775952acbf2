// HTTP to one API server, as an interface: request in, response or stream out. `HttpClient` (http_client.h) is the shipped
// implementation; tests put a faulty or recording one before it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"

namespace weber::kube {

struct HttpHeader {
    std::string name;
    std::string value;
};

struct HttpRequest {
    std::string method = "GET";
    std::string target = {}; // path and query, escaped, beginning with '/'; relative to the server's address
    std::vector<HttpHeader> headers = {};
    std::string body = {};
    // For the whole call, retries included. 0 = the transport's default (streams: none).
    std::chrono::milliseconds timeout{0};
    // Cap on the response body (decoded); 0 = the transport's default. Streams have no cap.
    std::size_t max_response = 0;
    // May it be sent again when the answer was lost? Unset: GET, HEAD and OPTIONS may.
    std::optional<bool> idempotent = {};

    [[nodiscard]] bool may_repeat() const {
        return idempotent.value_or(method == "GET" || method == "HEAD" || method == "OPTIONS");
    }
};

struct HttpResponse {
    int status = 0;
    std::vector<HttpHeader> headers = {};
    std::string body = {};

    // The first header of that name (any case), else "".
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

// Gets the next piece of a stream's body; false ends the stream.
using ChunkHandler = std::function<bool(std::string_view)>;

// Implementations are thread-safe and block their caller. An HTTP status of any value is a response, not an error.
// Errors: unavailable (cannot connect, connection lost, TLS), timeout, cancelled (`stop` was requested), too_large, unauthorized
// (credentials cannot be had). Error texts never hold headers or bodies.
class Transport {
public:
    virtual ~Transport() = default;

    virtual Result<HttpResponse> send(HttpRequest request, std::stop_token stop = {}) = 0;

    // All requests, at most `in_flight` of them at a time (values < 1 mean 1); results by index.
    virtual std::vector<Result<HttpResponse>> send_all(std::vector<HttpRequest> requests, std::size_t in_flight,
                                                       std::stop_token stop = {}) = 0;

    // A response of unknown length. `on_chunk` is called on the caller's thread with pieces of the body of a 2xx answer, in order; a slow
    // handler slows the sender, memory stays bounded. Returns when the server ended the stream, the handler said false or an
    // error came. The response has no body for 2xx; other answers are read whole, without calls.
    virtual Result<HttpResponse> stream(HttpRequest request, const ChunkHandler& on_chunk, std::stop_token stop = {}) = 0;
};

// Percent-encoding of one path segment or query value (all but RFC 3986 unreserved characters).
std::string url_escape(std::string_view text);

} // namespace weber::kube
