// When is a request sent again, and after how long? Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "kube/base/clock.h"

namespace weber::kube {

struct RetryPolicy {
    int max_retries = 5;
    int max_asked_retries = 10; // when the server says when (client-go's number)
    int max_connect_retries = 3; // when nobody listens
    std::chrono::milliseconds base{100}; // doubled each time
    std::chrono::milliseconds cap{10'000};
    // A server that wants more patience than this gets its answer passed on to the caller.
    std::chrono::milliseconds max_retry_after{30'000};
};

struct FailedAttempt {
    int number = 1;         // 1 = the first try
    int status = 0;         // HTTP status, 0 = no answer
    bool was_sent = true;   // false: the connection was never made, so sending again is safe
    bool may_repeat = false; // the request is idempotent
    std::optional<std::chrono::milliseconds> retry_after = {};
};

// Time to wait before the next try; nullopt: do not. `jitter` in [0, 1). Rules: an answer 429 or 5xx with Retry-After is always repeated (client-go: the server
// says that nothing was done); without it 429, 502, 503 and 504 when `may_repeat`, a lost connection when `may_repeat`, and a connection never
// made always. A 500 without Retry-After is an answer, not a fault.
std::optional<std::chrono::milliseconds> retry_delay(const RetryPolicy& policy, const FailedAttempt& attempt, double jitter);

// Retry-After: seconds (at most 10^9) or an HTTP date, a past one is 0; nullopt when it is neither.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, SystemTime now);

} // namespace weber::kube
