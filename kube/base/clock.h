// Time behind one interface, so that tests move it and never sleep.
#pragma once

#include <chrono>
#include <string>

#include "kube/base/error.h"

namespace weber::kube {

using SystemTime = std::chrono::sys_time<std::chrono::microseconds>;
using MonotonicTime = std::chrono::steady_clock::time_point;

// Implementations are thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual SystemTime now() const = 0;          // wall time, for timestamps
    [[nodiscard]] virtual MonotonicTime monotonic() const = 0; // for durations and deadlines
};

// The machine's clocks; lives for ever.
const Clock& system_clock();

// "2026-11-24T14:11:59Z" (metav1.Time) and "2026-11-24T14:11:59.123456Z" (metav1.MicroTime).
std::string format_rfc3339(SystemTime t);
std::string format_rfc3339_micro(SystemTime t);
// RFC 3339 with optional fraction and any offset.
Result<SystemTime> parse_rfc3339(std::string_view text);

// Go's time.Duration text: "1m30s", "500ms", "1h"; "0s" for zero. Errors: ErrorCode::invalid (`time: invalid duration "x"`).
Result<std::chrono::nanoseconds> parse_go_duration(std::string_view text);
std::string format_go_duration(std::chrono::nanoseconds d);

} // namespace weber::kube
