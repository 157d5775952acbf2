#include "kube/event_correlator.h"

#include <algorithm>
#include <cstdio>

namespace weber::kube {

namespace {

// Whom and what it is about. Parts are joined with a byte that no name has (client-go joins them with nothing).
std::string subject_key(const EventRecord& e) {
    std::string key = e.component + '\n' + e.host;
    for (const char* field : {"kind", "namespace", "name", "uid", "apiVersion"}) key += '\n' + std::string(e.regarding.text_at(field));
    return key;
}

std::string similar_key(const EventRecord& e) { return subject_key(e) + '\n' + e.type + '\n' + e.reason; }

std::string full_key(const EventRecord& e) {
    return similar_key(e) + '\n' + std::string(e.regarding.text_at("fieldPath")) + '\n' + e.message;
}

} // namespace

constexpr std::string_view kCombined = "(combined from similar events): ";

std::string event_name(std::string_view object_name, SystemTime now) {
    char suffix[32];
    std::snprintf(suffix, sizeof suffix, ".%llx", static_cast<unsigned long long>(std::chrono::nanoseconds(now.time_since_epoch()).count()));
    const std::size_t room = 253 - std::string_view(suffix).size();
    return std::string(object_name.substr(0, room)) + suffix;
}

Object EventRecord::to_object() const {
    Object out(Node::map({{"apiVersion", Node::string("v1")}, {"kind", Node::string("Event")}}));
    out.set_name(name);
    out.set_ns(ns);
    for (const auto& [key, value] : annotations) out.set_annotation(key, value);
    Node& root = out.root();
    root.set("involvedObject", regarding);
    root.set("reason", Node::string(reason));
    root.set("message", Node::string(message));
    root.set("type", Node::string(type));
    root.set("firstTimestamp", Node::string(format_rfc3339(first)));
    root.set("lastTimestamp", Node::string(format_rfc3339(last)));
    root.set("count", Node::integer(count));
    Node source = Node::map({{"component", Node::string(component)}});
    if (!host.empty()) source.set("host", Node::string(host));
    root.set("source", std::move(source));
    root.set("reportingComponent", Node::string(message.starts_with(kCombined) ? "" : component)); // client-go leaves it out of combined ones
    root.set("reportingInstance", Node::string(host));
    return out;
}

// The key under which the event is counted; it becomes the combined one when there were too many alike.
std::string EventCorrelator::combine(EventRecord& event) {
    const SystemTime now = clock_.now();
    const std::string key = similar_key(event);
    Similar* known = similar_.find(key);
    if (!known || now - known->last > options_.similar_interval) known = &similar_.put(key, Similar{});
    known->messages.insert(event.message);
    known->last = now;
    if (known->messages.size() < options_.similar) return full_key(event);
    known->messages.erase(known->messages.begin()); // no larger
    event.name = event_name(event.regarding.text_at("name"), now);
    event.annotations.clear();
    event.message = std::string(kCombined) + event.message;
    event.first = event.last = now;
    event.count = 1;
    return key;
}

bool EventCorrelator::within_budget(const EventRecord& event) {
    const MonotonicTime now = clock_.monotonic();
    const std::string key = subject_key(event);
    Budget* budget = budgets_.find(key);
    if (!budget) budget = &budgets_.put(key, Budget{.tokens = options_.burst, .at = now});
    const std::chrono::duration<double> passed = now - budget->at;
    budget->tokens = std::min(options_.burst, budget->tokens + passed / options_.refill);
    budget->at = now;
    if (budget->tokens < 1) return false;
    budget->tokens -= 1;
    return true;
}

EventCorrelator::Outcome EventCorrelator::correlate(EventRecord event) {
    const std::string key = combine(event);
    Outcome out;
    if (const Seen* before = seen_.find(key); before && before->count > 0) {
        event.name = before->name;
        event.first = before->first;
        event.count = before->count + 1;
        out.update = true;
    }
    seen_.put(key, Seen{.count = event.count, .first = event.first, .name = event.name});
    out.skip = !within_budget(event);
    out.event = std::move(event);
    return out;
}

void EventCorrelator::written(const EventRecord& event) {
    seen_.put(full_key(event), Seen{.count = event.count, .first = event.first, .name = event.name});
}

} // namespace weber::kube
