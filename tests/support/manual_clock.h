// A clock that stands still until a test moves it.
#pragma once

#include <atomic>

#include "kube/base/clock.h"

namespace weber::testing {

// Thread-safe. Begins at 2026-01-02T03:04:05Z.
class ManualClock : public kube::Clock {
public:
    [[nodiscard]] kube::SystemTime now() const override { return *kube::parse_rfc3339("2026-01-02T03:04:05Z") + passed(); }
    [[nodiscard]] kube::MonotonicTime monotonic() const override { return kube::MonotonicTime() + std::chrono::hours(1) + passed(); }
    void advance(std::chrono::microseconds by) { passed_ += by.count(); }

private:
    [[nodiscard]] std::chrono::microseconds passed() const { return std::chrono::microseconds(passed_.load()); }
    std::atomic<std::int64_t> passed_{0};
};

} // namespace weber::testing
