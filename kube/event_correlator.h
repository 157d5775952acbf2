// Which Kubernetes Events are worth a request: client-go's EventCorrelator. Events about one object that differ only in their message are
// combined, equal ones counted, and a flood about one object is cut off. Pure but for the clock; not thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "kube/base/clock.h"
#include "kube/base/object.h"

namespace weber::kube {

// A core/v1 Event that is being made.
struct EventRecord {
    std::string name; // of the Event object
    std::string ns;
    Node regarding;   // involvedObject: an ObjectReference
    std::string type; // Normal or Warning
    std::string reason;
    std::string message;
    std::map<std::string, std::string> annotations = {};
    std::string component; // source.component and reportingComponent
    std::string host;      // source.host and reportingInstance, may be empty
    SystemTime first{};
    SystemTime last{};
    std::int64_t count = 1;

    [[nodiscard]] Object to_object() const;
};

// The most recently used `capacity` values.
template <class V>
class LruMap {
public:
    explicit LruMap(std::size_t capacity) : capacity_(capacity) {}
    V* find(const std::string& key) {
        const auto at = index_.find(key);
        if (at == index_.end()) return nullptr;
        order_.splice(order_.begin(), order_, at->second);
        return &at->second->second;
    }
    V& put(const std::string& key, V value) {
        if (V* known = find(key)) return *known = std::move(value);
        order_.emplace_front(key, std::move(value));
        index_[key] = order_.begin();
        if (index_.size() > capacity_) {
            index_.erase(order_.back().first);
            order_.pop_back();
        }
        return order_.front().second;
    }

private:
    const std::size_t capacity_;
    std::list<std::pair<std::string, V>> order_;
    std::unordered_map<std::string, typename std::list<std::pair<std::string, V>>::iterator> index_;
};

struct CorrelatorOptions {
    std::size_t cache = 4096;                       // entries of each cache
    std::size_t similar = 10;                       // so many different messages within …
    std::chrono::seconds similar_interval{600};     // … this time are combined
    double burst = 25;                              // events about one object at once
    std::chrono::duration<double> refill{300};      // then one more after each of these
};

class EventCorrelator {
public:
    explicit EventCorrelator(const Clock& clock, CorrelatorOptions options = {})
        : clock_(clock), options_(options), similar_(options.cache), seen_(options.cache), budgets_(options.cache) {}

    struct Outcome {
        EventRecord event;
        bool skip = false;   // do nothing
        bool update = false; // it exists: patch `count`, `lastTimestamp`, `message`
    };
    Outcome correlate(EventRecord event);

    // The server has it under this name now.
    void written(const EventRecord& event);

private:
    struct Similar {
        std::set<std::string> messages = {};
        SystemTime last{};
    };
    struct Seen {
        std::int64_t count = 0;
        SystemTime first{};
        std::string name = {};
    };
    struct Budget {
        double tokens = 0;
        MonotonicTime at{};
    };
    std::string combine(EventRecord& event);
    bool within_budget(const EventRecord& event);

    const Clock& clock_;
    const CorrelatorOptions options_;
    LruMap<Similar> similar_;
    LruMap<Seen> seen_;
    LruMap<Budget> budgets_;
};

// "<name>.<nanoseconds in hex>", not longer than 253 bytes.
std::string event_name(std::string_view object_name, SystemTime now);

} // namespace weber::kube
