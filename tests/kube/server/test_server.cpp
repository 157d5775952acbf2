#include "tests/kube/server/test_server.h"

#include <gtest/gtest.h>

#include <charconv>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>

#include "kube/base/json.h"
#include "kube/base/yaml.h"

namespace weber::testing {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

ScratchDir::ScratchDir() {
    std::string pattern = (fs::temp_directory_path() / "weber-server-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
}

ScratchDir::~ScratchDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string json_of(std::string_view yaml) {
    auto node = kube::read_yaml_one(yaml);
    EXPECT_TRUE(node) << node.error().to_string() << "\n" << yaml;
    return node ? kube::write_json(*node) : std::string();
}

const Node* Reply::node(std::string_view path) const {
    const Node* at = &json;
    while (at && !path.empty()) {
        const auto dot = path.find('.');
        const auto key = path.substr(0, dot);
        path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
        std::size_t index = 0;
        if (at->is_list()) {
            const auto [end, ec] = std::from_chars(key.data(), key.data() + key.size(), index);
            at = ec == std::errc() && index < at->size() ? &at->items()[index] : nullptr;
        } else {
            at = at->find(key);
        }
    }
    return at;
}

std::string Reply::at(std::string_view path) const {
    const Node* n = node(path);
    if (!n) return {};
    return n->is_list() || n->is_map() ? kube::write_json(*n) : std::string(n->text());
}

Api::Api(const kube::ClientConfig& config) {
    kube::HttpClientOptions options;
    options.retry.max_retries = 0;
    auto client = kube::HttpClient::create(config, options);
    EXPECT_TRUE(client) << client.error().to_string();
    http_ = client ? *client : nullptr;
}

Reply Api::send(const Request& request) const {
    kube::HttpRequest r{.method = std::string(request.method), .target = request.path, .body = request.body};
    std::string type = request.type;
    if (type == "apply") type = "application/apply-patch+yaml";
    if (type == "merge") type = "application/merge-patch+json";
    if (type == "strategic") type = "application/strategic-merge-patch+json";
    if (type == "json") type = "application/json-patch+json";
    if (type.empty() && !request.body.empty()) type = "application/json";
    if (!type.empty()) r.headers.push_back({"Content-Type", type});
    r.headers.push_back({"Accept", request.accept.empty() ? "application/json" : request.accept});
    r.headers.push_back({"User-Agent", request.user_agent});
    if (!request.as.empty()) r.headers.push_back({"Impersonate-User", request.as});
    r.headers.insert(r.headers.end(), request.headers.begin(), request.headers.end());
    const auto answer = http_->send(std::move(r));
    Reply reply;
    EXPECT_TRUE(answer) << request.method << " " << request.path << ": " << answer.error().to_string();
    if (!answer) return reply;
    reply.status = answer->status;
    reply.body = answer->body;
    for (const auto& h : answer->headers)
        if (h.name.size() == 7 && (h.name[0] == 'W' || h.name[0] == 'w') && h.name.substr(1) == "arning") reply.warnings.push_back(h.value);
    if (auto json = kube::read_json(reply.body)) reply.json = std::move(*json);
    return reply;
}

Reply Api::post(const std::string& path, std::string_view yaml) const { return send({.method = "POST", .path = path, .body = json_of(yaml)}); }
Reply Api::put(const std::string& path, std::string_view yaml) const { return send({.method = "PUT", .path = path, .body = json_of(yaml)}); }

Reply Api::patch(const std::string& path, std::string_view type, std::string_view yaml) const {
    return send({.method = "PATCH", .path = path, .body = json_of(yaml), .type = std::string(type)});
}

Reply Api::apply(const std::string& path, std::string_view yaml, std::string_view manager) const {
    const std::string separator = path.find('?') == std::string::npos ? "?" : "&";
    return patch(path + separator + "fieldManager=" + std::string(manager), "apply", yaml);
}

Reply Api::remove(const std::string& path, std::string_view yaml) const {
    return send({.method = "DELETE", .path = path, .body = yaml.empty() ? std::string() : json_of(yaml)});
}

Reply Api::wait(const std::string& path, const std::function<bool(const Reply&)>& done, const std::string& as) const {
    const auto until = steady_clock::now() + seconds(20);
    Reply last = send({.path = path, .as = as});
    while (!done(last)) {
        if (steady_clock::now() > until) {
            ADD_FAILURE() << "still not as wanted after 20 s: " << path << "\n" << last.status << " " << last.body;
            return last;
        }
        std::this_thread::sleep_for(milliseconds(2));
        last = send({.path = path, .as = as});
    }
    return last;
}

kube::ServerOptions TestServer::quiet() {
    kube::ServerOptions o;
    o.simulate = false;
    return o;
}

TestServer::TestServer(kube::ServerOptions options) {
    if (options.unix_path.empty()) options.unix_path = dir_.path() + "/api.sock";
    auto server = kube::Server::start(options);
    EXPECT_TRUE(server) << server.error().to_string();
    server_ = std::move(*server);
    api_ = std::make_unique<Api>(kube::unix_socket_config(server_->unix_path()));
    // A controller fills the namespaces in the background; without this a watch or a list of ConfigMaps may or may not see its last ones come.
    for (const char* ns : {"default", "kube-node-lease", "kube-public", "kube-system"})
        (void)api_->wait(std::string("/api/v1/namespaces/") + ns + "/configmaps/kube-root-ca.crt", [](const Reply& r) { return r.status == 200; });
}

struct WatchReader::State {
    std::mutex mutex; // guards all
    std::condition_variable changed;
    std::deque<Node> events;
    bool ended = false;
};

WatchReader::WatchReader(const Api& api, std::string path) : state_(std::make_shared<State>()) {
    thread_ = std::jthread([state = state_, http = &api.http(), path = std::move(path)](const std::stop_token& stop) {
        std::string rest;
        const auto answer = http->stream(
            {.target = path, .headers = {{"Accept", "application/json"}}},
            [&](std::string_view chunk) {
                rest += chunk;
                for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
                    auto event = kube::read_json(std::string_view(rest).substr(0, end));
                    rest.erase(0, end + 1);
                    const std::lock_guard lock(state->mutex);
                    state->events.push_back(event ? std::move(*event) : Node());
                    state->changed.notify_all();
                }
                return true;
            },
            stop);
        const std::lock_guard lock(state->mutex);
        if (answer && answer->status != 200)
            if (auto body = kube::read_json(answer->body)) state->events.push_back(std::move(*body));
        state->ended = true;
        state->changed.notify_all();
    });
}

WatchReader::~WatchReader() {
    thread_.request_stop();
    thread_.join();
}

Node WatchReader::next() {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, seconds(20), [&] { return !state_->events.empty() || state_->ended; });
    if (state_->events.empty()) return {};
    Node event = std::move(state_->events.front());
    state_->events.pop_front();
    return event;
}

std::string WatchReader::next_text() {
    const Node event = next();
    std::string out(event.text_at("type"));
    if (const Node* name = event.find_path({"object", "metadata", "name"})) out += " " + std::string(name->text());
    return out;
}

bool WatchReader::ended() {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, seconds(20), [&] { return state_->ended && state_->events.empty(); });
}

} // namespace weber::testing
