#include "agent/event_sink.h"

#include <unistd.h>

#include "gitops/source/git_url.h"
#include "kube/base/clock.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/http_client.h"
#include "kube/pause.h"
#include "kube/retry.h"

namespace weber::agent {

namespace {

constexpr std::size_t kMaxWaiting = 1000; // events for a service that does not answer
constexpr std::chrono::seconds kTimeout{5}, kLongestPause{30};
constexpr int kTries = 5;

std::string host_name() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

Node event_body(const Object& o, const gitops::Event& event, const std::string& controller, const std::string& instance) {
    Node metadata = Node::map();
    for (const auto& [key, value] : event.metadata) metadata.set(key, Node::string(value));
    Node body = Node::map({{"involvedObject", kube::object_reference(o)},
                           {"severity", Node::string(event.warning ? "error" : "info")},
                           {"timestamp", Node::string(kube::format_rfc3339(kube::system_clock().now()))},
                           {"message", Node::string(event.message)},
                           {"reason", Node::string(event.reason)}});
    if (!metadata.empty()) body.set("metadata", std::move(metadata));
    body.set("reportingController", Node::string(controller));
    body.set("reportingInstance", Node::string(instance));
    return body;
}

struct Address {
    std::string server; // http://host:port
    std::string target = "/";
    std::string authorization = {}; // a header's value, of the name and password in it
};

Address parse_address(const std::string& text) {
    const std::size_t scheme = text.find("://"), begin = scheme == text.npos ? 0 : scheme + 3, slash = std::min(text.find_first_of("/?", begin), text.size());
    const std::size_t at = text.substr(0, slash).rfind('@');
    Address out{.server = text.substr(0, slash)};
    if (slash < text.size()) out.target = (text[slash] == '/' ? "" : "/") + text.substr(slash);
    if (at == text.npos || at < begin) return out;
    out.server = text.substr(0, begin) + text.substr(at + 1, slash - at - 1);
    const gitops::UrlUser user = gitops::user_of(text);
    out.authorization = "Basic " + kube::base64_encode(user.name + ":" + user.password);
    return out;
}

Result<std::shared_ptr<kube::HttpClient>> client_for(const Address& address) {
    kube::ClientConfig config;
    config.server = address.server;
    kube::HttpClientOptions options{.timeout = kTimeout};
    options.retry = {.max_retries = 0, .max_asked_retries = 0, .max_connect_retries = 0}; // EventSink's own rules
    return kube::HttpClient::create(std::move(config), options);
}

std::chrono::milliseconds pause_after(const Result<kube::HttpResponse>& answer, std::chrono::milliseconds usual) {
    const auto asked = answer && answer->status == 503 ? kube::parse_retry_after(answer->header("Retry-After"), kube::system_clock().now()) : std::nullopt;
    return std::min<std::chrono::milliseconds>(asked.value_or(usual), kLongestPause);
}

} // namespace

Result<void> check_events_address(const std::string& address) {
    const Address parsed = parse_address(address);
    const std::string& server = parsed.server;
    if (!server.starts_with("http://") && !server.starts_with("https://")) return fail(ErrorCode::invalid, "the address must begin with http:// or https://");
    if (server.find_first_of(" \t\r\n") != server.npos) return fail(ErrorCode::invalid, "there is a blank in the address");
    TRY_VOID(client_for(parsed));
    return {};
}

EventSink::EventSink(std::shared_ptr<kube::Client> client, const std::string& controller, std::string address, Log log, std::chrono::milliseconds first_pause)
    : controller_(controller), instance_(host_name()), address_(std::move(address)), log_(std::move(log)), first_pause_(first_pause),
      recorder_(std::move(client), {.component = controller}), // Flux's events name no host
      poster_([this](const std::stop_token& stop) { post_all(stop); }) {}

EventSink::~EventSink() = default;

void EventSink::send_trace(const Object& regarding, const gitops::Event& event) {
    recorder_.record(regarding, event.warning ? kube::EventType::warning : kube::EventType::normal, event.reason, event.message, event.metadata);
}

void EventSink::send(const Object& regarding, const gitops::Event& event) {
    send_trace(regarding, event);
    if (address_.empty()) return;
    Letter letter{.body = kube::write_json(event_body(regarding, event, controller_, instance_), kube::JsonEscape::html),
                  .about = {{"name", Node::string(regarding.name())}, {"namespace", Node::string(regarding.ns())}, {"reconciler kind", Node::string(regarding.kind())}}};
    const std::lock_guard lock(mutex_);
    if (letters_.size() == kMaxWaiting) letters_.pop_front();
    letters_.push_back(std::move(letter));
    changed_.notify_all();
}

bool EventSink::flush(std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const bool recorded = recorder_.flush(timeout);
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, [&] { return letters_.empty() && !posting_; }) && recorded;
}

void EventSink::post_all(const std::stop_token& stop) {
    if (address_.empty()) return;
    for (;;) {
        std::unique_lock lock(mutex_);
        posting_ = false;
        changed_.notify_all();
        if (!changed_.wait(lock, stop, [&] { return !letters_.empty(); }) || stop.stop_requested()) return;
        const Letter letter = std::move(letters_.front());
        letters_.pop_front();
        posting_ = true;
        lock.unlock();
        post(letter, stop);
    }
}

void EventSink::post(const Letter& letter, const std::stop_token& stop) {
    const Address to = parse_address(address_);
    const auto http = client_for(to); // connections are the process's: they stay open
    if (!http) return log_.error("unable to record event", http.error().message, letter.about);
    kube::HttpRequest request{.method = "POST", .target = to.target, .headers = {{"Content-Type", "application/json"}}, .body = letter.body};
    if (!to.authorization.empty()) request.headers.push_back({"Authorization", to.authorization});
    auto pause = first_pause_;
    for (int tried = 1;; ++tried, pause *= 2) {
        const auto answer = (*http)->send(request, stop);
        if (answer && (answer->status < 300 || answer->status == 429)) return;
        const bool may_pass = !answer || (answer->status >= 500 && answer->status != 501);
        if (may_pass && tried < kTries && kube::pause_for(pause_after(answer, pause), stop)) continue;
        const std::string why = answer ? "unexpected HTTP status " + std::to_string(answer->status) : answer.error().message;
        return log_.error("unable to record event", "giving up after " + std::to_string(tried) + " attempt(s): " + why, letter.about);
    }
}

} // namespace weber::agent
