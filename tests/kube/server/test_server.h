// The embedded server in the test's own process, and plain HTTP to it (or to any other API server) for tests that look at status codes
// and bodies as they are on the wire.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "kube/base/node.h"
#include "kube/http_client.h"
#include "kube/server/server.h"

namespace weber::testing {

// An empty folder, removed with everything in it at the end.
class ScratchDir {
public:
    ScratchDir();
    ~ScratchDir();
    ScratchDir(const ScratchDir&) = delete;
    ScratchDir& operator=(const ScratchDir&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

struct Reply {
    int status = 0;
    std::string body;
    std::string type;                  // Content-Type
    std::vector<std::string> warnings; // texts of the Warning headers
    Node json;                         // null when the body is no JSON
    [[nodiscard]] std::string message() const { return std::string(json.text_at("message")); }
    // Value at a path like "spec.ports.0.port", as text ("" when absent; lists and maps as JSON).
    [[nodiscard]] std::string at(std::string_view path) const;
    [[nodiscard]] const Node* node(std::string_view path) const;
};

struct Request {
    std::string_view method = "GET";
    std::string path;
    std::string body = {};
    std::string type = {};   // content type; "apply", "merge", "strategic", "json" stand for the patch types
    std::string accept = {};
    std::string user_agent = "tester/1.0";
    std::string as = {};     // user to impersonate
    std::vector<kube::HttpHeader> headers = {}; // beside those that the fields above are for
};

// One API server.
class Api {
public:
    explicit Api(const kube::ClientConfig& config);
    Reply send(const Request& request) const;
    Reply get(const std::string& path) const { return send({.path = path}); }
    // `yaml`: the body, given as YAML (flow style is handy), sent as JSON.
    Reply post(const std::string& path, std::string_view yaml) const;
    Reply put(const std::string& path, std::string_view yaml) const;
    Reply patch(const std::string& path, std::string_view type, std::string_view yaml) const;
    Reply apply(const std::string& path, std::string_view yaml, std::string_view manager = "m") const;
    Reply remove(const std::string& path, std::string_view yaml = {}) const;
    // Asks again until `done` says so, 20 s at most (then the last answer comes back and the test fails).
    Reply wait(const std::string& path, const std::function<bool(const Reply&)>& done, const std::string& as = {}) const;
    [[nodiscard]] kube::HttpClient& http() const { return *http_; }

private:
    std::shared_ptr<kube::HttpClient> http_;
};

// An embedded server on a Unix socket, in memory and without simulation unless the options say otherwise.
class TestServer {
public:
    explicit TestServer(kube::ServerOptions options = quiet());
    static kube::ServerOptions quiet();
    [[nodiscard]] kube::Server& server() { return *server_; }
    [[nodiscard]] const Api& api() const { return *api_; }
    [[nodiscard]] const Api* operator->() const { return api_.get(); }
    [[nodiscard]] const std::string& dir() const { return dir_.path(); }
    // Ends the server; the object is of no more use.
    void stop() { server_.reset(); }

private:
    ScratchDir dir_;
    std::unique_ptr<kube::Server> server_;
    std::unique_ptr<Api> api_;
};

// YAML text as JSON text.
std::string json_of(std::string_view yaml);

// Events of a watch as they come, read on a thread of its own.
class WatchReader {
public:
    WatchReader(const Api& api, std::string path);
    ~WatchReader();
    // The next event, 20 s at most; null when the stream ended or nothing came.
    Node next();
    // "ADDED name", "BOOKMARK" … of the next event.
    std::string next_text();
    [[nodiscard]] bool ended();

private:
    struct State;
    std::shared_ptr<State> state_;
    std::jthread thread_;
};

} // namespace weber::testing
