#include "kube/retry.h"

#include <charconv>
#include <ctime>
#include <string>

namespace weber::kube {

using std::chrono::milliseconds;

namespace {

milliseconds backoff(const RetryPolicy& policy, int number, double jitter) {
    milliseconds delay = policy.base;
    for (int i = 1; i < number && delay < policy.cap; ++i) delay *= 2;
    delay = std::min(delay, policy.cap);
    // Between one half and one and a half: callers that failed together do not come back together.
    return milliseconds(static_cast<milliseconds::rep>(static_cast<double>(delay.count()) * (0.5 + jitter)));
}

} // namespace

std::optional<milliseconds> retry_delay(const RetryPolicy& policy, const FailedAttempt& attempt, double jitter) {
    const bool connected = attempt.status != 0 || attempt.was_sent;
    const bool asks = attempt.status == 429 || attempt.status >= 500;
    if (asks && attempt.retry_after) {
        if (*attempt.retry_after > policy.max_retry_after || attempt.number > policy.max_asked_retries) return std::nullopt;
        return *attempt.retry_after + milliseconds(static_cast<int>(jitter * 100));
    }
    if (attempt.number > (connected ? policy.max_retries : policy.max_connect_retries)) return std::nullopt;
    const bool busy = attempt.status == 429 || (attempt.status >= 502 && attempt.status <= 504);
    const bool lost = attempt.status == 0;
    if ((busy || lost) && (attempt.may_repeat || !connected)) return backoff(policy, attempt.number, jitter);
    return std::nullopt;
}

std::optional<milliseconds> parse_retry_after(std::string_view value, SystemTime now) {
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    long seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error != std::errc::invalid_argument && end == value.data() + value.size()) {
        if (value.front() == '-') return std::nullopt;
        const long most = 1'000'000'000;
        return std::chrono::seconds(error == std::errc() ? std::min(seconds, most) : most);
    }
    std::tm tm{};
    const std::string text(value);
    const char* rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (!rest || *rest != '\0') return std::nullopt;
    const milliseconds at = std::chrono::seconds(timegm(&tm)); // the system clock's nanoseconds end in the years 1677 and 2262
    return std::max(at - std::chrono::duration_cast<milliseconds>(now.time_since_epoch()), milliseconds(0));
}

} // namespace weber::kube
