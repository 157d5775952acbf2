#include "kube/events.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

#include "kube/pause.h"

namespace weber::kube {

using std::chrono::milliseconds;

namespace {

const GroupVersionKind kEvent{"", "v1", "Event"};

// No answer, so the same request may succeed later; a refusal is final.
bool may_retry(const Error& e) { return e.http_status == 0 && e.code != ErrorCode::cancelled && e.code != ErrorCode::invalid && e.code != ErrorCode::not_found; }

} // namespace

Node object_reference(const Object& object) {
    Node out = Node::map({{"kind", Node::string(object.kind())}});
    if (!object.ns().empty()) out.set("namespace", Node::string(object.ns()));
    out.set("name", Node::string(object.name()));
    if (!object.uid().empty()) out.set("uid", Node::string(object.uid()));
    out.set("apiVersion", Node::string(object.api_version()));
    if (!object.resource_version().empty()) out.set("resourceVersion", Node::string(object.resource_version()));
    return out;
}

struct EventRecorder::Impl {
    Impl(std::shared_ptr<Client> c, EventRecorderOptions o, const Clock& k) : client(std::move(c)), options(std::move(o)), clock(k), correlator(k, options.correlator) {}

    void run(const std::stop_token& stop);
    void send(EventRecord event, const std::stop_token& stop);
    Result<void> write(EventCorrelator::Outcome& what, const std::stop_token& stop);

    const std::shared_ptr<Client> client;
    const EventRecorderOptions options;
    const Clock& clock;
    EventCorrelator correlator; // the thread's

    mutable std::mutex mutex; // guards the rest
    std::condition_variable_any changed;
    std::deque<EventRecord> queue;
    bool busy = false;
    Counts counts;
    std::jthread thread;
};

Result<void> EventRecorder::Impl::write(EventCorrelator::Outcome& what, const std::stop_token& stop) {
    EventRecord& event = what.event;
    const Call call{.stop = stop};
    if (what.update) {
        const Node patch = Node::map({{"count", Node::integer(event.count)},
                                      {"lastTimestamp", Node::string(format_rfc3339(event.last))},
                                      {"message", Node::string(event.message)}});
        auto patched = client->patch({.gvk = kEvent, .ns = event.ns, .name = event.name}, PatchType::strategic, patch, {}, call);
        if (patched) {
            correlator.written(event);
            return {};
        }
        if (patched.error().code != ErrorCode::not_found) return std::unexpected(std::move(patched.error()));
        what.update = false; // events are kept for an hour only: make it anew
    }
    TRY_VOID(client->create(event.to_object(), {}, call));
    correlator.written(event);
    return {};
}

void EventRecorder::Impl::send(EventRecord event, const std::stop_token& stop) {
    auto what = correlator.correlate(std::move(event));
    std::minstd_rand random{std::random_device{}()};
    std::uint64_t Counts::*outcome = &Counts::suppressed;
    for (int tries = 1; !what.skip; ++tries) {
        const auto sent = write(what, stop);
        outcome = !sent ? &Counts::dropped : what.update ? &Counts::updated : &Counts::created;
        if (sent || !may_retry(sent.error()) || tries >= options.max_tries) break;
        milliseconds pause = options.retry_pause;
        if (tries == 1) pause = milliseconds(std::uniform_int_distribution<long>(0, pause.count())(random)); // not all processes at once
        if (!pause_for(pause, stop)) break;
    }
    const std::lock_guard lock(mutex);
    ++(counts.*outcome);
}

void EventRecorder::Impl::run(const std::stop_token& stop) {
    for (;;) {
        std::unique_lock lock(mutex);
        busy = false;
        changed.notify_all();
        if (!changed.wait(lock, stop, [&] { return !queue.empty(); }) || stop.stop_requested()) return;
        EventRecord next = std::move(queue.front());
        queue.pop_front();
        busy = true;
        lock.unlock();
        send(std::move(next), stop);
    }
}

EventRecorder::EventRecorder(std::shared_ptr<Client> client, EventRecorderOptions options, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(client), std::move(options), clock)) {
    impl_->thread = std::jthread([impl = impl_.get()](const std::stop_token& stop) { impl->run(stop); });
}

EventRecorder::~EventRecorder() {
    impl_->thread.request_stop();
    impl_->thread.join();
}

void EventRecorder::record(const Object& regarding, EventType type, std::string_view reason, std::string_view message,
                           const std::map<std::string, std::string>& annotations, std::string_view component) {
    const SystemTime now = impl_->clock.now();
    EventRecord event{.name = event_name(regarding.name(), now),
                      .ns = regarding.ns().empty() ? "default" : std::string(regarding.ns()),
                      .regarding = object_reference(regarding),
                      .type = type == EventType::normal ? "Normal" : "Warning",
                      .reason = std::string(reason),
                      .message = std::string(message),
                      .annotations = annotations,
                      .component = component.empty() ? impl_->options.component : std::string(component),
                      .host = impl_->options.instance,
                      .first = now,
                      .last = now};
    const std::lock_guard lock(impl_->mutex);
    if (impl_->queue.size() >= impl_->options.queue) {
        ++impl_->counts.dropped;
        return;
    }
    impl_->queue.push_back(std::move(event));
    impl_->changed.notify_all();
}

bool EventRecorder::flush(milliseconds timeout) {
    std::unique_lock lock(impl_->mutex);
    return impl_->changed.wait_for(lock, timeout, [&] { return impl_->queue.empty() && !impl_->busy; });
}

EventRecorder::Counts EventRecorder::counts() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->counts;
}

} // namespace weber::kube
