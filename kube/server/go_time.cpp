#include "kube/server/go_time.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "kube/base/clock.h"
#include "kube/base/json.h"

namespace weber::kube::server {
namespace {

struct Part {
    std::string_view layout; // as Go writes it
    int width;               // digits; 0: the layout itself
    int most;
    std::string_view name;
};
constexpr std::array<Part, 11> kParts{{{"2006", 4, 9999, "year"}, {"-", 0, 0, ""}, {"01", 2, 12, "month"}, {"-", 0, 0, ""}, {"02", 2, 31, "day"}, {"T", 0, 0, ""},
                                       {"15", 2, 23, "hour"}, {":", 0, 0, ""}, {"04", 2, 59, "minute"}, {":", 0, 0, ""}, {"05", 2, 59, "second"}}};
constexpr std::size_t kMicroDigits = 6;

bool digits(std::string_view s) {
    return std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
}

int number(std::string_view s) { return std::atoi(std::string(s).c_str()); }

bool starts_fraction(std::string_view s) { return s.size() > 1 && (s[0] == '.' || s[0] == ',') && digits(s.substr(1, 1)); }

// What is wrong with the zone that ends a time; "" when nothing is. `wrong(rest, part)` words what does not parse.
template <class Wrong>
std::string zone_error(std::string_view rest, const std::string& start, Wrong wrong) {
    if (rest == "Z") return {};
    if (rest.starts_with('Z')) return start + ": extra text: " + write_json(Node::string(rest.substr(1)));
    if (rest.size() < 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || !digits(rest.substr(1, 2)) || !digits(rest.substr(4, 2))) return wrong(rest, "Z07:00");
    if (number(rest.substr(1, 2)) > 24) return start + ": time zone offset hour out of range";
    if (number(rest.substr(4, 2)) > 60) return start + ": time zone offset minute out of range";
    if (rest.size() > 6) return start + ": extra text: " + write_json(Node::string(rest.substr(6)));
    return {};
}

// What time.Parse says of a text that is no such time; "" for one that is (days that a month lacks aside).
std::string parse_error(std::string_view text, bool micro, const std::string& start) {
    const auto wrong = [&](std::string_view rest, std::string_view part) {
        return start + " as \"2006-01-02T15:04:05" + (micro ? ".000000" : "") + "Z07:00\": cannot parse " + write_json(Node::string(rest)) + " as \"" + std::string(part) + "\"";
    };
    std::string_view rest = text;
    for (const Part& p : kParts) {
        const std::size_t length = p.width == 0 ? p.layout.size() : static_cast<std::size_t>(p.width);
        const auto here = rest.substr(0, length);
        if (here.size() < length || (p.width == 0 ? here != p.layout : !digits(here))) return wrong(rest, p.layout);
        if (const int n = p.width == 0 ? 0 : number(here); n > p.most || (n == 0 && (p.name == "month" || p.name == "day"))) return start + ": " + std::string(p.name) + " out of range";
        rest.remove_prefix(length);
    }
    if (micro) {
        if (!starts_fraction(rest) || rest.size() < kMicroDigits + 1 || !digits(rest.substr(1, kMicroDigits))) return wrong(rest, ".000000");
        rest.remove_prefix(kMicroDigits + 1);
    } else if (starts_fraction(rest)) {
        rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
    }
    return zone_error(rest, start, wrong);
}

} // namespace

Result<std::string> go_time(std::string_view text, bool micro) {
    const std::string start = "parsing time " + write_json(Node::string(text));
    if (const auto why = parse_error(text, micro, start); !why.empty()) return fail(ErrorCode::invalid, why);
    std::string point(text);
    std::ranges::replace(point, ',', '.');
    const auto t = parse_rfc3339(point);
    if (!t) return fail(ErrorCode::invalid, start + ": day out of range");
    return micro ? format_rfc3339_micro(*t) : format_rfc3339(*t);
}

} // namespace weber::kube::server
