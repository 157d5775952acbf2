#include "agent/work_queue.h"

#include <algorithm>
#include <array>

namespace weber::agent {

void QueueState::add(const std::string& key, Priority priority) {
    if (const auto due = due_of_.find(key); due != due_of_.end()) {
        delayed_.erase({due->second, key});
        due_of_.erase(due);
    }
    const auto [at, is_new] = priority_of_.try_emplace(key, priority);
    if (is_new) ++adds_;
    if (!is_new && at->second <= priority) return;
    if (!working_.contains(key)) {
        if (!is_new) std::erase(waiting_[static_cast<int>(at->second)], key);
        waiting_[static_cast<int>(priority)].push_back(key);
    }
    at->second = priority;
}

void QueueState::add_at(const std::string& key, Tick due) {
    if (priority_of_.contains(key)) return;
    if (const auto at = due_of_.find(key); at != due_of_.end()) {
        if (at->second <= due) return;
        delayed_.erase({at->second, key});
    }
    due_of_[key] = due;
    delayed_.emplace(due, key);
}

std::chrono::milliseconds QueueState::next_backoff(const std::string& key) {
    const int n = std::min(failures_[key]++, 40);
    std::chrono::milliseconds pause = backoff_.min;
    for (int i = 0; i < n && pause < backoff_.max; ++i) pause *= 2;
    return std::min(pause, backoff_.max);
}

void QueueState::promote(Tick now) {
    while (!delayed_.empty() && delayed_.begin()->first <= now) {
        const std::string key = delayed_.begin()->second;
        add(key, Priority::event);
    }
}

std::optional<std::string> QueueState::pop(Tick now) {
    promote(now);
    for (std::deque<std::string>& lane : waiting_) {
        if (lane.empty()) continue;
        std::string key = std::move(lane.front());
        lane.pop_front();
        priority_of_.erase(key);
        working_.insert(key);
        return key;
    }
    return std::nullopt;
}

void QueueState::done(const std::string& key) {
    working_.erase(key);
    if (const auto again = priority_of_.find(key); again != priority_of_.end()) waiting_[static_cast<int>(again->second)].push_back(key);
}

std::optional<Tick> QueueState::next_due() const {
    return delayed_.empty() ? std::nullopt : std::optional(delayed_.begin()->first);
}

std::size_t QueueState::ready() const {
    std::size_t n = 0;
    for (const auto& lane : waiting_) n += lane.size();
    return n;
}

void WorkQueue::observe(QueueObserver observer) {
    const std::lock_guard lock(mutex_);
    observer_ = std::move(observer);
}

void WorkQueue::add(const std::string& key, Priority priority) {
    {
        const std::lock_guard lock(mutex_);
        state_.add(key, priority);
        if (observer_.waited) added_.try_emplace(key, std::chrono::steady_clock::now());
    }
    changed_.notify_one();
}

void WorkQueue::add_after(const std::string& key, std::chrono::nanoseconds delay) {
    {
        const std::lock_guard lock(mutex_);
        state_.add_at(key, std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(delay));
        if (delay.count() > 0) ++retries_;
    }
    changed_.notify_one();
}

void WorkQueue::add_with_backoff(const std::string& key) {
    {
        const std::lock_guard lock(mutex_);
        state_.add_at(key, std::chrono::steady_clock::now() + state_.next_backoff(key));
        ++retries_;
    }
    changed_.notify_one();
}

void WorkQueue::forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    state_.forget(key);
}

std::optional<std::string> WorkQueue::next(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        if (auto key = state_.pop(std::chrono::steady_clock::now())) {
            const Tick now = std::chrono::steady_clock::now();
            if (const auto added = added_.extract(*key); observer_.waited) observer_.waited(added.empty() ? Tick::duration{} : now - added.mapped());
            started_[*key] = now;
            if (state_.ready() > 0 || state_.next_due()) changed_.notify_one(); // another worker takes over the watch of the clock
            return key;
        }
        const auto woken = [&] { return state_.ready() > 0 || stop.stop_requested(); };
        if (const auto due = state_.next_due())
            changed_.wait_until(lock, stop, *due, [&] { return woken() || state_.next_due() != due; });
        else
            changed_.wait(lock, stop, [&] { return woken() || state_.next_due(); });
    }
    return std::nullopt;
}

void WorkQueue::done(const std::string& key) {
    {
        const std::lock_guard lock(mutex_);
        state_.done(key);
        if (const auto started = started_.extract(key); !started.empty() && observer_.worked) observer_.worked(std::chrono::steady_clock::now() - started.mapped());
    }
    changed_.notify_one();
}

WorkQueue::Numbers WorkQueue::numbers() const {
    const std::lock_guard lock(mutex_);
    Numbers out{.ready = state_.ready(), .working = state_.working(), .delayed = state_.delayed(), .sweep = state_.ready(Priority::sweep), .adds = state_.adds(), .retries = retries_};
    const Tick now = std::chrono::steady_clock::now();
    for (const auto& [key, start] : started_) {
        out.unfinished += now - start;
        out.longest = std::max<std::chrono::nanoseconds>(out.longest, now - start);
    }
    return out;
}

} // namespace weber::agent
