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

} // namespace weber::kube
