#include "kube/cel/go_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace weber::cel {

namespace {

std::string special(double v) { return std::isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf"; }

std::string chars(double v, std::chars_format form, int precision = -1) {
    // The longest double in plain form has 309 digits before the point; the precision comes on top.
    std::string out(400 + static_cast<std::size_t>(std::max(precision, 0)), '\0');
    char* const end = out.data() + out.size();
    const auto r = precision < 0 ? std::to_chars(out.data(), end, v, form) : std::to_chars(out.data(), end, v, form, precision);
    out.resize(static_cast<std::size_t>(r.ptr - out.data()));
    return out;
}

std::string lower(std::string_view s) {
    std::string out(s);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

// For a decimal text that from_chars calls out of range: is it too large (or too small, which reads as zero)?
bool is_huge(std::string_view text) {
    const std::size_t e = text.find_first_of("eE");
    const std::string_view mantissa = text.substr(0, e);
    long exponent = 0;
    if (e != std::string_view::npos) {
        std::string_view digits = text.substr(e + 1);
        if (digits.starts_with('+')) digits.remove_prefix(1);
        if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec == std::errc::result_out_of_range)
            return !digits.starts_with('-');
    }
    const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
    const std::size_t first = mantissa.find_first_of("123456789");
    if (first == std::string_view::npos) return false;
    const long scale = first < point ? static_cast<long>(point - first) : -static_cast<long>(first - point) + 1;
    return scale + exponent > 0;
}

// Only what both from_chars and Go take as a number: digits, one point, an exponent with digits. `hex`: 1.8p3, which needs the exponent.
bool is_number(std::string_view s, bool hex) {
    std::size_t i = 0;
    std::size_t digits = 0;
    const auto run = [&](std::string_view set = "0123456789") {
        const std::size_t start = i;
        i = std::min(s.find_first_not_of(set, i), s.size());
        return i - start;
    };
    const std::string_view set = hex ? "0123456789abcdefABCDEF" : "0123456789";
    digits += run(set);
    if (i < s.size() && s[i] == '.') {
        ++i;
        digits += run(set);
    }
    if (digits == 0) return false;
    if (i < s.size() && std::string_view(hex ? "pP" : "eE").find(s[i]) != std::string_view::npos) {
        ++i;
        if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
        if (run() == 0) return false;
    } else if (hex) {
        return false;
    }
    return i == s.size();
}

// Whether each underscore of a number stands between digits or behind the base prefix. Source: Go strconv, underscoreOK.
bool underscores_fit(std::string_view s) {
    if (s.starts_with('-') || s.starts_with('+')) s.remove_prefix(1);
    const bool hex = s.starts_with("0x") || s.starts_with("0X");
    char last = hex ? '0' : '!'; // a digit, an underscore, or neither
    for (const char c : s.substr(hex ? 2 : 0)) {
        const bool digit = (c >= '0' && c <= '9') || (hex && std::isxdigit(static_cast<unsigned char>(c)) != 0);
        if (c == '_' ? last != '0' : !digit && last == '_') return false;
        last = c == '_' ? '_' : digit ? '0' : '!';
    }
    return last != '_';
}

// 0x1.8p3 without sign.
std::optional<double> parse_hex_float(std::string_view s) {
    if (!is_number(s.substr(2), true)) return std::nullopt;
    double v = 0;
    std::string plain(s.substr(2));
    if (const std::size_t plus = plain.find('+'); plus != std::string::npos) plain.erase(plus, 1);
    const auto r = std::from_chars(plain.data(), plain.data() + plain.size(), v, std::chars_format::hex);
    if (r.ec != std::errc{} || r.ptr != plain.data() + plain.size()) return std::nullopt;
    return v;
}

} // namespace

std::string format_general(double v) {
    if (!std::isfinite(v)) return special(v);
    const std::string e = chars(v, std::chars_format::scientific);
    const std::size_t at = e.find('e');
    const int exponent = std::stoi(e.substr(at + 1));
    if (exponent < -4 || exponent >= 6) return e;
    return chars(v, std::chars_format::fixed);
}

std::string format_plain(double v) {
    if (!std::isfinite(v)) return special(v);
    // to_chars writes all digits of a large number; Go writes the shortest ones and zeros.
    std::string e = chars(v, std::chars_format::scientific);
    const std::size_t at = e.find('e');
    const int exponent = std::stoi(e.substr(at + 1));
    if (exponent < 16) return chars(v, std::chars_format::fixed);
    e.resize(at);
    std::erase(e, '.');
    const std::size_t sign = e.starts_with('-') ? 1 : 0;
    return e + std::string(static_cast<std::size_t>(exponent) + 1 + sign - e.size(), '0');
}
std::string format_fixed(double v, int precision) { return chars(v, std::chars_format::fixed, precision); }
std::string format_scientific(double v, int precision) { return chars(v, std::chars_format::scientific, precision); }

std::string format_base(std::uint64_t v, int base) {
    std::array<char, 65> buffer{};
    const auto r = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v, base);
    return {buffer.data(), r.ptr};
}

std::optional<std::int64_t> parse_go_int(std::string_view text, int base) {
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) return std::nullopt;
    }
    std::int64_t v = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), v, base);
    if (text.empty() || r.ec != std::errc{} || r.ptr != text.data() + text.size()) return std::nullopt;
    return v;
}

std::optional<std::uint64_t> parse_go_uint(std::string_view text, int base) {
    if (text.starts_with('-')) return std::nullopt;
    std::uint64_t v = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), v, base);
    if (text.empty() || r.ec != std::errc{} || r.ptr != text.data() + text.size()) return std::nullopt;
    return v;
}

std::optional<double> parse_go_float(std::string_view text) {
    if (text.find('_') != std::string_view::npos) {
        if (!underscores_fit(text)) return std::nullopt;
        std::string plain(text);
        std::erase(plain, '_');
        return parse_go_float(plain);
    }
    const bool negative = text.starts_with('-');
    const double sign = negative ? -1 : 1;
    const bool is_signed = negative || text.starts_with('+');
    if (is_signed) text.remove_prefix(1);
    const std::string word = lower(text);
    if (word == "inf" || word == "infinity") return sign * HUGE_VAL;
    if (word == "nan" && !is_signed) return std::nan("");
    if (word.starts_with("0x")) {
        const auto v = parse_hex_float(text);
        return v ? std::optional(sign * *v) : std::nullopt;
    }
    if (!is_number(text, false)) return std::nullopt;
    double v = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), v);
    if (r.ec == std::errc::result_out_of_range) return is_huge(text) ? std::nullopt : std::optional(sign * 0.0);
    return sign * v;
}

std::optional<bool> parse_go_bool(std::string_view text) {
    for (std::string_view t : {"1", "t", "T", "true", "TRUE", "True"})
        if (text == t) return true;
    for (std::string_view f : {"0", "f", "F", "false", "FALSE", "False"})
        if (text == f) return false;
    return std::nullopt;
}

} // namespace weber::cel
