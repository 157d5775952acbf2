#include "kube/cel/time.h"

#include <chrono>
#include <cmath>
#include <cstdio>

#include "kube/cel/go_format.h"

namespace weber::cel {

namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kNanos = 1'000'000'000;

std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
    const std::chrono::sys_days days = std::chrono::year(static_cast<int>(year)) / std::chrono::month(month) / std::chrono::day(day);
    return days.time_since_epoch().count();
}

// Reads fixed parts of a timestamp from left to right.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_(text) {}
    [[nodiscard]] bool done() const { return at_ == text_.size(); }
    [[nodiscard]] bool digit() const { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; }
    bool take(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    // Exactly `count` digits.
    std::optional<int> number(int count) {
        int v = 0;
        for (int i = 0; i < count; ++i, ++at_) {
            if (!digit()) return std::nullopt;
            v = v * 10 + (text_[at_] - '0');
        }
        return v;
    }
    // One or two digits: Go is that lenient with the hour.
    std::optional<int> hour() {
        auto v = number(1);
        if (v && digit()) v = *v * 10 + *number(1);
        return v;
    }
    std::int32_t fraction() {
        std::int32_t nanos = 0;
        std::int32_t unit = 100'000'000;
        for (; digit(); ++at_, unit /= 10) nanos += (text_[at_] - '0') * unit;
        return nanos;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

std::optional<std::int32_t> parse_offset(Cursor& in) {
    if (in.take('Z')) return 0;
    const bool west = in.take('-');
    if (!west && !in.take('+')) return std::nullopt;
    const auto hours = in.number(2);
    if (!hours || !in.take(':')) return std::nullopt;
    const auto minutes = in.number(2);
    if (!minutes || *hours > 24 || *minutes > 60) return std::nullopt;
    const int seconds = *hours * 3600 + *minutes * 60;
    return west ? -seconds : seconds;
}

} // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
    Cursor in(text);
    const auto year = in.number(4);
    if (!year || !in.take('-')) return std::nullopt;
    const auto month = in.number(2);
    if (!month || !in.take('-')) return std::nullopt;
    const auto day = in.number(2);
    if (!day || !in.take('T')) return std::nullopt;
    const auto hour = in.hour();
    if (!hour || !in.take(':')) return std::nullopt;
    const auto minute = in.number(2);
    if (!minute || !in.take(':')) return std::nullopt;
    const auto second = in.number(2);
    if (!second) return std::nullopt;
    std::int32_t nanos = 0;
    if (in.take('.') || in.take(',')) {
        if (!in.digit()) return std::nullopt;
        nanos = in.fraction();
    }
    const auto offset = parse_offset(in);
    if (!offset || !in.done()) return std::nullopt;
    const std::chrono::year_month_day date =
        std::chrono::year(*year) / std::chrono::month(static_cast<unsigned>(*month)) / std::chrono::day(static_cast<unsigned>(*day));
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    const std::int64_t days = days_from_civil(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day));
    return Timestamp{days * kDay + *hour * 3600 + *minute * 60 + *second - *offset, nanos, *offset};
}

std::string format_timestamp(Timestamp t) {
    const Calendar c = calendar(t, t.offset);
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%04lld-%02d-%02dT%02d:%02d:%02d", static_cast<long long>(c.year), c.month, c.day, c.hours, c.minutes, c.seconds);
    std::string out = buffer;
    if (t.nanos != 0) {
        std::snprintf(buffer, sizeof buffer, ".%09d", t.nanos);
        out += buffer;
        out.erase(out.find_last_not_of('0') + 1);
    }
    if (t.offset == 0) return out + "Z";
    const int minutes = std::abs(t.offset) / 60;
    std::snprintf(buffer, sizeof buffer, "%c%02d:%02d", t.offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
    return out + buffer;
}

std::optional<Duration> parse_duration(std::string_view text) {
    struct Unit {
        std::string_view name;
        std::uint64_t nanos;
    };
    static constexpr Unit kUnits[] = {{"ns", 1}, {"us", 1'000}, {"\u00B5s", 1'000}, {"\u03BCs", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000},
                                      {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
    constexpr std::uint64_t kMax = 1ull << 63;
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text == "0") return Duration{};
    if (text.empty()) return std::nullopt;
    std::uint64_t total = 0;
    const auto is_digit = [&] { return !text.empty() && text[0] >= '0' && text[0] <= '9'; };
    while (!text.empty()) {
        std::uint64_t whole = 0, fraction = 0;
        double scale = 1;
        const std::size_t before = text.size();
        for (; is_digit(); text.remove_prefix(1)) {
            if (whole > kMax / 10) return std::nullopt;
            whole = whole * 10 + static_cast<std::uint64_t>(text[0] - '0');
            if (whole > kMax) return std::nullopt;
        }
        bool digits = text.size() != before;
        if (text.starts_with('.')) {
            text.remove_prefix(1);
            // Digits that do not fit any more are dropped, as Go does.
            for (bool full = false; is_digit(); text.remove_prefix(1), digits = true) {
                full = full || fraction > (kMax - 1) / 10;
                const std::uint64_t next = fraction * 10 + static_cast<std::uint64_t>(text[0] - '0');
                full = full || next > kMax;
                if (full) continue;
                fraction = next;
                scale *= 10;
            }
        }
        if (!digits) return std::nullopt;
        const std::size_t end = std::min(text.find_first_of(".0123456789"), text.size());
        const Unit* unit = nullptr;
        for (const Unit& u : kUnits)
            if (u.name == text.substr(0, end)) unit = &u;
        if (unit == nullptr || whole > kMax / unit->nanos) return std::nullopt;
        text.remove_prefix(end);
        whole *= unit->nanos;
        if (fraction > 0) whole += static_cast<std::uint64_t>(static_cast<double>(fraction) * (static_cast<double>(unit->nanos) / scale));
        if (whole > kMax || total + whole > kMax) return std::nullopt;
        total += whole;
    }
    if (negative) return Duration{static_cast<std::int64_t>(~total + 1)};
    if (total > kMax - 1) return std::nullopt;
    return Duration{static_cast<std::int64_t>(total)};
}

std::string format_seconds(Duration d) {
    const double seconds = static_cast<double>(d.nanos / kNanos) + static_cast<double>(d.nanos % kNanos) / 1e9;
    return format_plain(seconds) + "s";
}

Value add(Timestamp t, Duration d) {
    std::int64_t seconds = t.seconds + d.nanos / kNanos; // both are far inside int64
    std::int64_t nanos = t.nanos + d.nanos % kNanos;
    if (nanos < 0) {
        nanos += kNanos;
        --seconds;
    } else if (nanos >= kNanos) {
        nanos -= kNanos;
        ++seconds;
    }
    if (seconds < kMinUnixSeconds || seconds > kMaxUnixSeconds) return Value::error("timestamp overflow");
    return Value::timestamp({seconds, static_cast<std::int32_t>(nanos), t.offset});
}

Value subtract(Timestamp a, Timestamp b) {
    std::int64_t nanos = 0;
    if (__builtin_mul_overflow(a.seconds - b.seconds, kNanos, &nanos) || __builtin_add_overflow(nanos, a.nanos - b.nanos, &nanos))
        return Value::error("integer overflow");
    return Value::duration({nanos});
}

Calendar calendar(Timestamp t, std::int64_t offset) {
    const std::int64_t local = t.seconds + offset;
    const std::int64_t day_number = local / kDay - (local % kDay < 0 ? 1 : 0);
    const auto rest = static_cast<int>(local - day_number * kDay);
    const std::chrono::sys_days days{std::chrono::days(day_number)};
    const std::chrono::year_month_day date{days};
    const std::int64_t year = static_cast<int>(date.year());
    return {.year = year,
            .month = static_cast<int>(static_cast<unsigned>(date.month())),
            .day = static_cast<int>(static_cast<unsigned>(date.day())),
            .day_of_year = static_cast<int>(day_number - days_from_civil(year, 1, 1)),
            .day_of_week = static_cast<int>(std::chrono::weekday(days).c_encoding()),
            .hours = rest / 3600,
            .minutes = rest / 60 % 60,
            .seconds = rest % 60,
            .milliseconds = t.nanos / 1'000'000};
}

} // namespace weber::cel
