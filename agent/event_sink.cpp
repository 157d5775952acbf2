#include "agent/event_sink.h"

#include <unistd.h>

#include "kube/base/clock.h"
#include "kube/base/json.h"
#include "kube/http_client.h"
#include "kube/pause.h"

namespace weber::agent {

namespace {

constexpr std::size_t kMaxWaiting = 1000; // events for a service that does not answer
constexpr std::chrono::seconds kTimeout{5};
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

} // namespace

EventSink::EventSink(std::shared_ptr<kube::Client> client, const std::string& controller, std::string address, Log log)
    : controller_(controller), instance_(host_name()), address_(std::move(address)), log_(std::move(log)),
      recorder_(std::move(client), {.component = controller}), // Flux's events name no host
      poster_([this](std::stop_token stop) { post_all(std::move(stop)); }) {}

EventSink::~EventSink() = default;

void EventSink::send_trace(const Object& regarding, const gitops::Event& event) {
    recorder_.record(regarding, event.warning ? kube::EventType::warning : kube::EventType::normal, event.reason, event.message, event.metadata);
}

void EventSink::send(const Object& regarding, const gitops::Event& event) {
    send_trace(regarding, event);
    if (address_.empty()) return;
    std::string body = kube::write_json(event_body(regarding, event, controller_, instance_), kube::JsonEscape::html); // as Go writes it
    const std::lock_guard lock(mutex_);
    if (bodies_.size() == kMaxWaiting) bodies_.pop_front();
    bodies_.push_back(std::move(body));
    changed_.notify_one();
}

void EventSink::post_all(std::stop_token stop) {
    if (address_.empty()) return;
    for (;;) {
        std::string body;
        {
            std::unique_lock lock(mutex_);
            if (!changed_.wait(lock, stop, [&] { return !bodies_.empty(); })) return;
            body = std::move(bodies_.front());
            bodies_.pop_front();
        }
        post(body, stop);
    }
}

// Connection errors and 5xx are tried again; 429 says that the service has it already.
void EventSink::post(const std::string& body, std::stop_token stop) {
    const std::size_t slash = address_.find('/', address_.find("://") == std::string::npos ? 0 : address_.find("://") + 3);
    kube::ClientConfig config;
    config.server = address_.substr(0, slash);
    const auto http = kube::HttpClient::create(std::move(config), {.timeout = kTimeout});
    if (!http) return log_.error("unable to send event", http.error().message);
    for (int tried = 1;; ++tried) {
        const auto answer = (*http)->send({.method = "POST", .target = slash == std::string::npos ? "/" : address_.substr(slash),
                                           .headers = {{"Content-Type", "application/json"}}, .body = body}, stop);
        if (answer && answer->status < 500) {
            if (answer->status >= 400 && answer->status != 429) log_.error("unable to send event", "status " + std::to_string(answer->status));
            return;
        }
        if (tried == kTries || !kube::pause_for(std::chrono::milliseconds(100 << tried), stop))
            return log_.error("unable to send event", answer ? "status " + std::to_string(answer->status) : answer.error().message);
    }
}

} // namespace weber::agent
