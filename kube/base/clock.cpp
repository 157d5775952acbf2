#include "kube/base/clock.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace weber::kube {

namespace {

class SystemClock final : public Clock {
public:
    [[nodiscard]] SystemTime now() const override {
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    [[nodiscard]] MonotonicTime monotonic() const override { return std::chrono::steady_clock::now(); }
};

struct Unit {
    std::string_view name;
    std::int64_t nanos;
};
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1'000},
                                      {"\xC2\xB5s", 1'000},
                                      {"\xCE\xBCs", 1'000},
                                      {"ms", 1'000'000},
                                      {"s", 1'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"h", 3'600'000'000'000}}};

bool digit(char c) { return c >= '0' && c <= '9'; }

std::string format(SystemTime t, bool micros) {
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(t - day);
    char buf[64];
    int n = std::snprintf(buf, sizeof buf, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                          static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                          static_cast<int>(time.seconds().count()));
    if (micros) n += std::snprintf(buf + n, sizeof buf - static_cast<std::size_t>(n), ".%06d", static_cast<int>(time.subseconds().count()));
    return std::string(buf, static_cast<std::size_t>(n)) + "Z";
}

} // namespace

const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
}

std::string format_rfc3339(SystemTime t) { return format(t, false); }
std::string format_rfc3339_micro(SystemTime t) { return format(t, true); }

Result<SystemTime> parse_rfc3339(std::string_view text) {
    const auto bad = [&] { return fail(ErrorCode::invalid, "invalid RFC 3339 time: " + std::string(text)); };
    const std::string s(text);
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
    if (std::sscanf(s.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used) != 6 || used != 19) return bad();
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60 || hour < 0 || minute < 0 || second < 0) return bad();
    std::size_t at = 19;
    std::int64_t micros = 0;
    if (at < s.size() && s[at] == '.') {
        std::int64_t scale = 100'000;
        if (++at >= s.size() || !digit(s[at])) return bad();
        for (; at < s.size() && digit(s[at]); ++at, scale /= 10) micros += (s[at] - '0') * scale;
    }
    int offset = 0;
    if (at < s.size() && (s[at] == 'Z' || s[at] == 'z')) {
        ++at;
    } else {
        int h = 0, m = 0, n = 0;
        if (at >= s.size() || (s[at] != '+' && s[at] != '-') || std::sscanf(s.c_str() + at + 1, "%2d:%2d%n", &h, &m, &n) != 2 || n != 5) return bad();
        offset = (s[at] == '-' ? -1 : 1) * (h * 60 + m);
        at += 6;
    }
    if (at != s.size()) return bad();
    return SystemTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute - offset) +
           std::chrono::seconds(second) + std::chrono::microseconds(micros);
}

Result<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
    const auto bad = [&] { return fail(ErrorCode::invalid, "time: invalid duration \"" + std::string(text) + "\""); };
    std::string_view rest = text;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    if (rest == "0") return std::chrono::nanoseconds(0);
    if (rest.empty()) return bad();
    double total = 0;
    while (!rest.empty()) {
        std::size_t n = 0;
        while (n < rest.size() && (digit(rest[n]) || rest[n] == '.')) ++n;
        const std::string number(rest.substr(0, n));
        char* end = nullptr;
        const double value = std::strtod(number.c_str(), &end);
        if (n == 0 || number == "." || *end != '\0') return bad();
        rest.remove_prefix(n);
        n = 0;
        while (n < rest.size() && !digit(rest[n]) && rest[n] != '.') ++n;
        const Unit* unit = nullptr;
        for (const Unit& u : kUnits)
            if (u.name == rest.substr(0, n)) unit = &u;
        if (unit == nullptr)
            return n == 0 ? fail(ErrorCode::invalid, "time: missing unit in duration \"" + std::string(text) + "\"")
                          : fail(ErrorCode::invalid, "time: unknown unit \"" + std::string(rest.substr(0, n)) + "\" in duration \"" + std::string(text) + "\"");
        rest.remove_prefix(n);
        total += value * static_cast<double>(unit->nanos);
    }
    if (total > 9.2e18) return bad();
    return std::chrono::nanoseconds(static_cast<std::int64_t>(negative ? -total : total));
}

std::string format_go_duration(std::chrono::nanoseconds d) {
    if (d.count() == 0) return "0s";
    std::string out = d.count() < 0 ? "-" : "";
    std::uint64_t n = d.count() < 0 ? 0 - static_cast<std::uint64_t>(d.count()) : static_cast<std::uint64_t>(d.count());
    const auto fraction = [](std::uint64_t value, std::uint64_t unit) {
        std::string text = std::to_string(value / unit);
        std::string rest = std::to_string(value % unit + unit).substr(1);
        while (!rest.empty() && rest.back() == '0') rest.pop_back();
        return rest.empty() ? text : text + "." + rest;
    };
    if (n < 1'000) return out + std::to_string(n) + "ns";
    if (n < 1'000'000) return out + fraction(n, 1'000) + "\xC2\xB5s";
    if (n < 1'000'000'000) return out + fraction(n, 1'000'000) + "ms";
    const std::uint64_t minutes = n / 60'000'000'000;
    n %= 60'000'000'000;
    if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
    if (minutes > 0) out += std::to_string(minutes % 60) + "m";
    return out + fraction(n, 1'000'000'000) + "s";
}

} // namespace weber::kube
