#include "kube/base/number.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace weber::kube {

namespace {

struct Signed {
    bool negative = false;
    std::string_view digits;
};

Signed split_sign(std::string_view text) {
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) return {text.front() == '-', text.substr(1)};
    return {false, text};
}

// Copies without underscores; a plain view when there are none.
std::string_view without_underscores(std::string_view text, std::string& buffer) {
    if (text.find('_') == std::string_view::npos) return text;
    for (char c : text)
        if (c != '_') buffer += c;
    return buffer;
}

bool digit(char c) { return c >= '0' && c <= '9'; }

} // namespace

std::optional<std::int64_t> parse_int(std::string_view text) {
    std::string buffer;
    auto [negative, digits] = split_sign(without_underscores(text, buffer));
    int base = 10;
    if (digits.size() > 1 && digits[0] == '0') {
        const char c = digits[1];
        if (c == 'x' || c == 'X') base = 16;
        else if (c == 'o' || c == 'O') base = 8;
        else if (c == 'b' || c == 'B') base = 2;
        if (base != 10) digits.remove_prefix(2);
        else base = 8;
    }
    std::uint64_t magnitude = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
    if (digits.empty() || ec != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (magnitude > kMax + (negative ? 1 : 0)) return std::nullopt;
    return negative ? static_cast<std::int64_t>(0 - magnitude) : static_cast<std::int64_t>(magnitude);
}

std::optional<double> parse_double(std::string_view text) {
    std::string buffer;
    const auto [negative, body] = split_sign(without_underscores(text, buffer));
    const double sign = negative ? -1 : 1;
    if (body == ".inf" || body == ".Inf" || body == ".INF") return sign * std::numeric_limits<double>::infinity();
    if (body == ".nan" || body == ".NaN" || body == ".NAN") return std::numeric_limits<double>::quiet_NaN();
    if (body.empty() || !(digit(body[0]) || body[0] == '.')) return std::nullopt;
    double value = 0;
    const auto [end, ec] = std::from_chars(body.data(), body.data() + body.size(), value);
    if (end != body.data() + body.size() || (ec != std::errc() && ec != std::errc::result_out_of_range)) return std::nullopt;
    if (ec == std::errc::result_out_of_range) value = std::strtod(std::string(body).c_str(), nullptr);
    return sign * value;
}

// Of a whole number beyond 2^53: the shortest digits that read back, then zeros, as Go writes them; C++ would write all digits.
static std::string large_integer(double value) {
    char buf[40];
    const std::string_view text(buf, static_cast<std::size_t>(std::to_chars(buf, buf + sizeof buf, value, std::chars_format::scientific).ptr - buf));
    const std::size_t e = text.find('e');
    std::size_t exponent = 0;
    std::from_chars(text.data() + e + 2, text.data() + text.size(), exponent);
    std::string out(text.substr(0, e));
    std::erase(out, '.');
    const std::size_t sign = out.starts_with('-') ? 1 : 0;
    out.append(exponent + 1 - (out.size() - sign), '0');
    return out;
}

std::string format_double(double value) {
    char buf[40];
    const double magnitude = std::abs(value);
    const bool exponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
    if (!exponent && magnitude >= 9007199254740992.0) return large_integer(value);
    const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
    std::string out(buf, std::to_chars(buf, buf + sizeof buf, value, format).ptr);
    // Go cleans e-09 to e-9; C++ writes at least two digits too.
    if (const auto e = out.find('e'); e != std::string::npos && out.size() - e == 4 && out[e + 1] == '-' && out[e + 2] == '0')
        out.erase(e + 2, 1);
    return out;
}

bool is_json_number(std::string_view text) {
    std::size_t i = 0;
    const auto digits = [&] {
        const std::size_t from = i;
        while (i < text.size() && digit(text[i])) ++i;
        return i > from;
    };
    if (i < text.size() && text[i] == '-') ++i;
    if (i < text.size() && text[i] == '0') ++i;
    else if (!digits()) return false;
    if (i < text.size() && text[i] == '.') {
        ++i;
        if (!digits()) return false;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
        if (!digits()) return false;
    }
    return i == text.size() && !text.empty();
}

} // namespace weber::kube
