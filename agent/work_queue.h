// The queue of a controller: keys, never events. A key waits at most once, is never worked on twice at once, and runs again when it was added while it
// was worked on (client-go: util/workqueue).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

namespace weber::agent {

using Tick = std::chrono::steady_clock::time_point;

// A person's wish goes before events, events before the sweep at start.
enum class Priority : std::uint8_t { user, event, sweep };

struct BackoffSettings {
    std::chrono::milliseconds min{750};     // --min-retry-delay
    std::chrono::milliseconds max{900'000}; // --max-retry-delay
};

// What the queue knows, without threads or clock, so that tests move time. Not thread-safe.
class QueueState {
public:
    explicit QueueState(BackoffSettings backoff = {}) : backoff_(backoff) {}

    // Now. A delayed wish for the key is dropped: this run fulfils it.
    void add(const std::string& key, Priority priority);
    // At `due`, or earlier if that was wished already. Nothing when the key waits to run.
    void add_at(const std::string& key, Tick due);
    // After the key's own pause: min, doubled with every call until `forget`, at most max.
    std::chrono::milliseconds next_backoff(const std::string& key);
    void forget(const std::string& key) { failures_.erase(key); }

    // The next key to work on, if one is due; it counts as worked on until `done`.
    std::optional<std::string> pop(Tick now);
    void done(const std::string& key);

    [[nodiscard]] std::optional<Tick> next_due() const; // of the delayed ones
    [[nodiscard]] std::size_t ready() const;
    [[nodiscard]] std::size_t ready(Priority priority) const { return waiting_[static_cast<int>(priority)].size(); }
    [[nodiscard]] std::size_t working() const { return working_.size(); }
    [[nodiscard]] std::size_t delayed() const { return due_of_.size(); }
    // How often a key began to wait, also because its time had come; wishes for one that waits already count nothing (controller-runtime's workqueue_adds_total).
    [[nodiscard]] std::uint64_t adds() const { return adds_; }

private:
    void promote(Tick now);

    BackoffSettings backoff_;
    std::deque<std::string> waiting_[3];           // by priority
    std::map<std::string, Priority> priority_of_;  // of keys that wait, or are to run again
    std::set<std::string> working_;
    std::set<std::pair<Tick, std::string>> delayed_;
    std::map<std::string, Tick> due_of_;
    std::map<std::string, int> failures_;
    std::uint64_t adds_ = 0;
};

// Told how long keys wait for a worker and how long one is worked on; under the queue's lock, so it must be quick.
struct QueueObserver {
    std::function<void(std::chrono::nanoseconds)> waited = {}, worked = {};
};

// Thread-safe.
class WorkQueue {
public:
    explicit WorkQueue(BackoffSettings backoff = {}) : state_(backoff) {}
    void observe(QueueObserver observer); // before its first use

    void add(const std::string& key, Priority priority = Priority::event);
    void add_after(const std::string& key, std::chrono::nanoseconds delay);
    void add_with_backoff(const std::string& key);
    void forget(const std::string& key);

    // Blocks until a key is due; nullopt when `stop` was requested.
    std::optional<std::string> next(std::stop_token stop);
    void done(const std::string& key);

    struct Numbers {
        std::size_t ready = 0, working = 0, delayed = 0;
        std::size_t sweep = 0; // of those that are ready
        std::uint64_t adds = 0, retries = 0; // retries: all that were to wait, for whatever reason
        std::chrono::nanoseconds unfinished{}, longest{}; // of keys that are worked on now
    };
    [[nodiscard]] Numbers numbers() const;

private:
    mutable std::mutex mutex_; // guards all below
    std::condition_variable_any changed_;
    QueueState state_;
    QueueObserver observer_;
    std::map<std::string, Tick> added_;   // of keys that wait for a worker; those whose time came by itself are not among them
    std::map<std::string, Tick> started_; // of keys that are worked on
    std::uint64_t retries_ = 0;
};

} // namespace weber::agent
