// What an HTTP request and its answer are to the rest of the server. No sockets here.
//
// Thread-safety: plain values; `Exchange` may be answered from any thread, once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weber::kube::server {

struct HttpRequest {
    std::string method; // upper case
    std::string path;   // percent-decoded, without the query
    std::vector<std::pair<std::string, std::string>> query; // decoded, in order; repeated keys stay
    std::string accept, content_type, authorization, user_agent;
    std::string impersonate_user, impersonate_uid;
    std::vector<std::string> impersonate_groups;
    std::vector<std::pair<std::string, std::string>> impersonate_extra; // key (lower case, decoded) and value, in order
    std::string body;

    // First value of a query parameter, "" when absent.
    [[nodiscard]] std::string_view param(std::string_view name) const;
    // All of them.
    [[nodiscard]] std::vector<std::string> params(std::string_view name) const;
    [[nodiscard]] bool has_param(std::string_view name) const;
    // "true" or "1" (and a bare `?x`, as Go's conversion reads it).
    [[nodiscard]] bool flag(std::string_view name) const;
};

// An answer whose body is complete. `parts` are sent in order without being joined, so that a list shares the bytes of its objects.
struct HttpResponse {
    int status = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

// A body that comes in pieces (watch). Called only from the connection's own thread of execution, except `on_ready`.
class StreamSource {
public:
    enum class Next { data, wait, end };
    virtual ~StreamSource() = default;
    // Appends the next piece to `out` (data), or says that there is nothing yet (wait) or ever (end).
    // At most about 64 KiB a call: a slow reader holds no more than one piece.
    virtual Next next(std::string& out) = 0;
    // `wake` is to be called (from any thread, any number of times) when `next` may have something after `wait`.
    virtual void on_ready(std::function<void()> wake) = 0;
    // When the stream has to be asked again at the latest (end of its time, next bookmark). Asked after each `wait`.
    virtual std::chrono::steady_clock::time_point deadline() = 0;
    // The reader is gone; no call follows.
    virtual void closed() = 0;
};

// One request waiting for its answer. Exactly one of the two calls, from any thread.
class Exchange {
public:
    virtual ~Exchange() = default;
    virtual void respond(HttpResponse response) = 0;
    virtual void stream(HttpResponse head, std::shared_ptr<StreamSource> source) = 0;
};

using HttpHandler = std::function<void(HttpRequest&&, const std::shared_ptr<Exchange>&)>;

// Splits and decodes a request target ("/a%20b?x=1&y"). False when an escape is malformed.
// Keys of the header "Impersonate-Extra-KEY" are lower case and percent-encoded; one that cannot be decoded is taken as it is.
std::string extra_key(std::string_view encoded);
bool parse_target(std::string_view target, HttpRequest& out);

} // namespace weber::kube::server
