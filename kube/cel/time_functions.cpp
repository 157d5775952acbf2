// getFullYear() and its siblings, with and without a time zone.
#include "kube/cel/functions.h"
#include "kube/cel/time.h"

namespace weber::cel {

namespace {

using Args = std::span<const Value>;

template <auto Field, int Offset = 0>
Value of_timestamp(Args args, Budget& budget) {
    std::int64_t offset = 0;
    if (args.size() == 2) {
        budget.spend(100); // the first use of a zone reads its file
        const auto found = zone_offset(args[1].as_string(), args[0].as_timestamp());
        if (!found) return Value::error(found.error().message);
        offset = *found;
    }
    return Value::integer(static_cast<std::int64_t>(calendar(args[0].as_timestamp(), offset).*Field) + Offset);
}

Value milliseconds(Args args, Budget&) { return Value::integer(args[0].as_duration().nanos / 1'000'000); }

// Go counts these by doubles, which rounds the last nanoseconds of long durations up.
template <std::int64_t Unit>
Value of_duration(Args args, Budget&) {
    const std::int64_t nanos = args[0].as_duration().nanos;
    return Value::integer(static_cast<std::int64_t>(static_cast<double>(nanos / Unit) + static_cast<double>(nanos % Unit) / static_cast<double>(Unit)));
}

Function field(std::string_view name, std::string_view id, std::string_view zone_id, Implementation impl) {
    const TypePtr t = types::timestamp();
    return {.name = name,
            .overloads = {member(id, {t}, types::integer(), impl), member(zone_id, {t, types::string()}, types::integer(), impl)}};
}

} // namespace

void add_time_functions(std::vector<Function>& out) {
    out.push_back(field("getFullYear", "timestamp_to_year", "timestamp_to_year_with_tz", of_timestamp<&Calendar::year>));
    out.push_back(field("getMonth", "timestamp_to_month", "timestamp_to_month_with_tz", of_timestamp<&Calendar::month, -1>));
    out.push_back(field("getDayOfYear", "timestamp_to_day_of_year", "timestamp_to_day_of_year_with_tz", of_timestamp<&Calendar::day_of_year>));
    out.push_back(field("getDayOfMonth", "timestamp_to_day_of_month", "timestamp_to_day_of_month_with_tz", of_timestamp<&Calendar::day, -1>));
    out.push_back(field("getDate", "timestamp_to_day_of_month_1_based", "timestamp_to_day_of_month_1_based_with_tz", of_timestamp<&Calendar::day>));
    out.push_back(field("getDayOfWeek", "timestamp_to_day_of_week", "timestamp_to_day_of_week_with_tz", of_timestamp<&Calendar::day_of_week>));
    out.push_back(field("getHours", "timestamp_to_hours", "timestamp_to_hours_with_tz", of_timestamp<&Calendar::hours>));
    out.push_back(field("getMinutes", "timestamp_to_minutes", "timestamp_to_minutes_with_tz", of_timestamp<&Calendar::minutes>));
    out.push_back(field("getSeconds", "timestamp_to_seconds", "timestamp_to_seconds_tz", of_timestamp<&Calendar::seconds>));
    out.push_back(field("getMilliseconds", "timestamp_to_milliseconds", "timestamp_to_milliseconds_with_tz", of_timestamp<&Calendar::milliseconds>));
    const auto duration = [&](std::string_view name, std::string_view id, Implementation impl) {
        for (Function& f : out)
            if (f.name == name) f.overloads.push_back(member(id, {types::duration()}, types::integer(), impl));
    };
    duration("getHours", "duration_to_hours", of_duration<3'600'000'000'000>);
    duration("getMinutes", "duration_to_minutes", of_duration<60'000'000'000>);
    duration("getSeconds", "duration_to_seconds", of_duration<1'000'000'000>);
    duration("getMilliseconds", "duration_to_milliseconds", milliseconds);
}

} // namespace weber::cel
