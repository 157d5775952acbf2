// Timestamps and durations of CEL: texts, arithmetic, calendar fields, time zones.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kube/cel/value.h"

namespace weber::cel {

// Years 1 … 9999, as google.protobuf.Timestamp.
inline constexpr std::int64_t kMinUnixSeconds = -62'135'596'800;
inline constexpr std::int64_t kMaxUnixSeconds = 253'402'300'799;

// Go's time.Parse(time.RFC3339, …): the offset is kept. nullopt: no timestamp. The range is not checked.
std::optional<Timestamp> parse_timestamp(std::string_view text);
// RFC 3339 with as many digits of the second as needed, in the timestamp's own zone.
std::string format_timestamp(Timestamp t);
// Go's time.ParseDuration, exact to the nanosecond; nullopt: no duration, or out of range.
std::optional<Duration> parse_duration(std::string_view text);
// "3600s", "0.5s": seconds as a plain decimal.
std::string format_seconds(Duration d);

// An error value on overflow.
Value add(Timestamp t, Duration d);
Value subtract(Timestamp a, Timestamp b);

struct Calendar {
    std::int64_t year = 1970;
    int month = 1;       // 1 … 12
    int day = 1;         // 1 … 31
    int day_of_year = 0; // 0 …
    int day_of_week = 0; // 0 = Sunday
    int hours = 0, minutes = 0, seconds = 0, milliseconds = 0;
};

// The fields of `t`, `offset` seconds east of UTC.
Calendar calendar(Timestamp t, std::int64_t offset);

// Seconds east of UTC at `t` of a zone: "-08:00", "UTC", "" (UTC), or a name of the machine's zone database. Errors: message as Go's ("unknown time zone X").
Result<std::int64_t> zone_offset(std::string_view zone, Timestamp t);

} // namespace weber::cel
