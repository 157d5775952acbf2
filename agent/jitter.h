// Intervals, a little longer or shorter each time, so that objects made together do not run together for ever (kustomization.md 6.1).
#pragma once

#include <chrono>
#include <random>

namespace weber::agent {

// time × (1 + share × u), u uniform in [−1, 1). Thread-safe.
inline std::chrono::nanoseconds jittered(std::chrono::nanoseconds time, double share) {
    thread_local std::mt19937_64 random{std::random_device{}()};
    const double factor = 1 + share * std::uniform_real_distribution(-1.0, 1.0)(random);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time * factor);
}

} // namespace weber::agent
