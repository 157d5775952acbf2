#include "kube/retry.h"

#include <gtest/gtest.h>

using namespace weber;
using namespace weber::kube;
using std::chrono::milliseconds;

namespace {

long delay(FailedAttempt attempt, double jitter = 0.5) {
    const auto d = retry_delay({}, attempt, jitter);
    return d ? d->count() : -1;
}

TEST(Retry, AnswersThatSayWhenAreRepeatedWhateverTheMethod) {
    EXPECT_EQ(delay({.status = 429, .retry_after = milliseconds(2000)}, 0), 2000);
    EXPECT_EQ(delay({.status = 500, .retry_after = milliseconds(0)}, 0), 0);
    EXPECT_EQ(delay({.status = 503, .retry_after = milliseconds(31'000)}), -1) << "more patience than we have";
    EXPECT_EQ(delay({.number = 10, .status = 429, .retry_after = milliseconds(1000)}, 0), 1000);
    EXPECT_EQ(delay({.number = 11, .status = 429, .retry_after = milliseconds(1000)}), -1);
    EXPECT_EQ(delay({.status = 403, .retry_after = milliseconds(0)}), -1);
}

TEST(Retry, BusyAnswersOnlyForIdempotentRequests) {
    for (const int status : {429, 502, 503, 504}) {
        EXPECT_EQ(delay({.status = status, .may_repeat = true}), 100) << status;
        EXPECT_EQ(delay({.status = status}), -1) << status;
    }
    EXPECT_EQ(delay({.status = 500, .may_repeat = true}), -1) << "a 500 is an answer: the merge's type error";
    EXPECT_EQ(delay({.status = 409, .may_repeat = true}), -1);
}

TEST(Retry, LostConnections) {
    EXPECT_EQ(delay({.was_sent = true, .may_repeat = true}), 100);
    EXPECT_EQ(delay({.was_sent = true, .may_repeat = false}), -1);
    EXPECT_EQ(delay({.was_sent = false, .may_repeat = false}), 100) << "nobody saw it";
    EXPECT_EQ(delay({.number = 4, .was_sent = false, .may_repeat = true}), -1);
}

TEST(Retry, GrowsAndEnds) {
    EXPECT_EQ(delay({.number = 2, .status = 503, .may_repeat = true}), 200);
    EXPECT_EQ(delay({.number = 5, .status = 503, .may_repeat = true}), 1600);
    EXPECT_EQ(delay({.number = 6, .status = 503, .may_repeat = true}), -1);
    EXPECT_EQ(delay({.number = 1, .status = 503, .may_repeat = true}, 0.0), 50);
    EXPECT_EQ(delay({.number = 1, .status = 503, .may_repeat = true}, 0.99), 149);
}

TEST(Retry, ReadsRetryAfter) {
    const SystemTime now = *parse_rfc3339("2026-01-01T00:00:00Z");
    EXPECT_EQ(parse_retry_after("3", now), milliseconds(3000));
    EXPECT_EQ(parse_retry_after(" 0 ", now), milliseconds(0));
    EXPECT_EQ(parse_retry_after("Thu, 01 Jan 2026 00:00:05 GMT", now), milliseconds(5000));
    EXPECT_EQ(parse_retry_after("Thu, 01 Jan 2026 00:00:00 GMT", now + std::chrono::seconds(9)), milliseconds(0));
    EXPECT_EQ(parse_retry_after("Fri, 2 Jan 6 03:04:05 GMT", now), milliseconds(0)); // found by fuzz.client
    EXPECT_GT(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now), milliseconds(std::chrono::hours(24 * 365 * 7000L)));
    EXPECT_EQ(parse_retry_after("", now), std::nullopt);
    EXPECT_EQ(parse_retry_after("-1", now), std::nullopt);
    EXPECT_EQ(parse_retry_after("99999999999999999999", now), std::chrono::seconds(1'000'000'000)) << "more than we have patience for, not nothing";
    EXPECT_EQ(parse_retry_after("2000000000", now), std::chrono::seconds(1'000'000'000));
    EXPECT_EQ(parse_retry_after("soon", now), std::nullopt);
}

} // namespace
