// Waiting that somebody can cut short.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace weber::kube {

// False when `stop` was requested before the time was over.
inline bool pause_for(std::chrono::milliseconds time, std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, time, [&] { return stop.stop_requested(); });
    return !stop.stop_requested();
}

// A mutex whose waiters give up when they are stopped or their time is over: for what is held while a server is asked.
class StoppableMutex {
public:
    // False when `stop` was requested first, or `timeout` (0: none) was over; then it is not held.
    bool lock(std::stop_token stop, std::chrono::milliseconds timeout = {}) {
        std::unique_lock guard(mutex_);
        const auto is_free = [&] { return !taken_; };
        if (timeout.count() > 0 ? !free_.wait_for(guard, std::move(stop), timeout, is_free) : !free_.wait(guard, std::move(stop), is_free)) return false;
        taken_ = true;
        return true;
    }
    void lock() { (void)lock(std::stop_token()); }
    void unlock() {
        {
            const std::lock_guard guard(mutex_);
            taken_ = false;
        }
        free_.notify_one();
    }

private:
    std::mutex mutex_;
    std::condition_variable_any free_;
    bool taken_ = false;
};

} // namespace weber::kube
