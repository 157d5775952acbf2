#include "kube/base/yaml_style.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "kube/base/number.h"
#include "kube/base/utf8.h"
#include "kube/base/yaml.h"

namespace weber::kube {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

// ---- would a plain text read as something else than a string? ---------------------------------------------------

// Reads `count` to `most` digits; false when there are fewer.
bool take_digits(std::string_view s, std::size_t& i, std::size_t least, std::size_t most, int& value) {
    std::size_t from = i;
    value = 0;
    while (i < s.size() && i - from < most && digit(s[i])) value = value * 10 + (s[i++] - '0');
    return i - from >= least;
}

int days_in(int year, int month) {
    constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month != 2) return kDays[static_cast<std::size_t>(month - 1)];
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
}

// A date and time of day as the text has it.
struct Timestamp {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    std::string_view fraction, zone; // "123", "Z" or "+hh:mm" or ""
};

// The rest after "YYYY-M-D": "", " H:M:S[.f]", or [tT]H:M:S[.f] with Z or +hh:mm.
bool parse_time(std::string_view s, Timestamp& t) {
    if (s.empty()) return true;
    const char separator = s.front();
    if (separator != 'T' && separator != 't' && separator != ' ') return false;
    std::size_t i = 1;
    if (!take_digits(s, i, 1, 2, t.hour) || i >= s.size() || s[i++] != ':') return false;
    if (!take_digits(s, i, 1, 2, t.minute) || i >= s.size() || s[i++] != ':') return false;
    if (!take_digits(s, i, 1, 2, t.second)) return false;
    if (t.hour > 23 || t.minute > 59 || t.second > 59) return false;
    if (i + 1 < s.size() && (s[i] == '.' || s[i] == ',') && digit(s[i + 1])) {
        const std::size_t from = ++i;
        while (i < s.size() && digit(s[i])) ++i;
        t.fraction = s.substr(from, i - from);
    }
    t.zone = s.substr(i);
    if (separator == ' ') return t.zone.empty();
    if (t.zone == "Z") return true;
    const std::string_view z = t.zone;
    if (z.size() != 6 || (z[0] != '+' && z[0] != '-') || z[3] != ':') return false;
    return digit(z[1]) && digit(z[2]) && digit(z[4]) && digit(z[5]);
}

// go-yaml: parseTimestamp.
bool parse_timestamp(std::string_view s, Timestamp& t) {
    std::size_t i = 0;
    if (!take_digits(s, i, 4, 4, t.year) || i >= s.size() || s[i++] != '-') return false;
    if (!take_digits(s, i, 1, 2, t.month) || i >= s.size() || s[i++] != '-') return false;
    if (!take_digits(s, i, 1, 2, t.day)) return false;
    if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > days_in(t.year, t.month)) return false;
    return parse_time(s.substr(i), t);
}

bool is_timestamp(std::string_view s) {
    Timestamp t;
    return parse_timestamp(s, t);
}

void append_padded(std::string& out, int value, std::size_t width) {
    const std::string digits = std::to_string(value);
    if (digits.size() < width) out.append(width - digits.size(), '0');
    out += digits;
}

// go-yaml: ^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$
bool is_base_60(std::string_view s) {
    std::size_t i = s.starts_with('-') || s.starts_with('+') ? 1 : 0;
    if (i >= s.size() || !digit(s[i])) return false;
    while (i < s.size() && (digit(s[i]) || s[i] == '_')) ++i;
    bool groups = false;
    while (i + 1 < s.size() && s[i] == ':' && digit(s[i + 1])) {
        groups = true;
        const bool two = i + 2 < s.size() && digit(s[i + 2]);
        if (two && s[i + 1] > '5') return false;
        i += two ? 3 : 2;
    }
    if (!groups) return false;
    if (i < s.size() && s[i] == '.') {
        ++i;
        while (i < s.size() && (digit(s[i]) || s[i] == '_')) ++i;
    }
    return i == s.size();
}

bool reads_as_other_type(std::string_view s) {
    if (s.empty()) return true;
    const char c = s.front();
    if (!digit(c) && c != '+' && c != '-') return resolve_plain(s, YamlSchema::yaml_1_1) != NodeKind::string;
    return resolve_plain(s, YamlSchema::yaml_1_1) != NodeKind::string || is_timestamp(s) || is_base_60(s);
}

// ---- what the characters allow (libyaml: yaml_emitter_analyze_scalar) -------------------------------------------

struct Analysis {
    bool plain = true, single_quoted = true, block = true;
    bool breaks = false;
};

bool is_indicator_at_start(char c) {
    return std::string_view("#,[]{}&*!|>'\"%@`").find(c) != std::string_view::npos;
}

bool is_blank_or_end(std::string_view s, std::size_t i) { return i >= s.size() || s[i] == ' ' || s[i] == '\t'; }

// One bit a class of bytes: a table costs a load for each byte, where comparisons cost ten.
constexpr std::uint8_t kHarmless = 1;   // letters, digits, "-./_"
constexpr std::uint8_t kHarmlessInside = 4; // these and the blank, which only matters at the ends and beside line breaks
constexpr std::uint8_t kMayBreak = 2;   // line feed, carriage return, and what U+0085, U+2028 and U+2029 begin with
constexpr std::array<std::uint8_t, 256> kClasses = [] {
    std::array<std::uint8_t, 256> table{};
    for (unsigned c = 0; c < 256; ++c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/' || c == '_') table[c] |= kHarmless | kHarmlessInside;
        if (c == ' ') table[c] |= kHarmlessInside;
        if (c == '\n' || c == '\r' || c == 0xC2 || c == 0xE2) table[c] |= kMayBreak;
    }
    return table;
}();

std::uint8_t class_of(char c) { return kClasses[static_cast<unsigned char>(c)]; }

// Plain as it stands: nothing in it needs a second look.
bool is_harmless(std::string_view s, std::uint8_t wanted = kHarmless) {
    std::uint8_t common = wanted;
    for (const char c : s) common &= class_of(c);
    return common != 0 && !s.empty() && s.front() != '-' && s.front() != '.' && s.front() != ' ' && s.back() != ' ';
}

Analysis analyze(std::string_view s) {
    Analysis a;
    if (s.empty()) {
        a.block = false;
        return a;
    }
    bool indicators = s.starts_with("---") || s.starts_with("..."), special = false;
    bool leading = false, trailing_space = false, trailing_break = false, break_space = false, space_break = false;
    bool after_blank = true, previous_space = false, previous_break = false;
    for (std::size_t i = 0; i < s.size();) {
        const CodePoint c = decode_utf8(s, i);
        const std::size_t next = i + c.bytes;
        const char ascii = c.bytes == 1 ? s[i] : '\0';
        const bool before_blank = is_blank_or_end(s, next);
        if (i == 0) {
            if (is_indicator_at_start(ascii)) indicators = true;
            if ((ascii == '?' || ascii == ':' || ascii == '-') && before_blank) indicators = true;
        } else {
            if (ascii == ':' && before_blank) indicators = true;
            if (ascii == '#' && after_blank) indicators = true;
        }
        if (!is_yaml_printable(c.value)) special = true;
        const bool space = ascii == ' ', brk = is_yaml_break(c.value);
        if (space || brk) {
            if (i == 0) leading = true;
            if (next == s.size()) (space ? trailing_space : trailing_break) = true;
            if (space && previous_break) break_space = true;
            if (brk && previous_space) space_break = true;
            if (brk) a.breaks = true;
        }
        previous_space = space;
        previous_break = brk;
        after_blank = space || brk || ascii == '\t' || c.value == 0;
        i = next;
    }
    if (leading || trailing_space || trailing_break || break_space || a.breaks || indicators) a.plain = false;
    if (break_space) a.single_quoted = false;
    if (trailing_space) a.block = false;
    if (space_break || special) a.plain = a.single_quoted = a.block = false;
    return a;
}

} // namespace

bool is_plain_yaml_word(std::string_view text) { return is_harmless(text) && !reads_as_other_type(text); }

YamlScalarStyle yaml_scalar_style(std::string_view text, bool simple_key) {
    if (is_harmless(text, kHarmlessInside)) return reads_as_other_type(text) ? YamlScalarStyle::double_quoted : YamlScalarStyle::plain;
    const Analysis a = analyze(text);
    if (text.find('\n') != std::string_view::npos)
        return a.block && !simple_key ? YamlScalarStyle::literal : YamlScalarStyle::double_quoted;
    if (reads_as_other_type(text)) return YamlScalarStyle::double_quoted;
    if (a.plain) return YamlScalarStyle::plain;
    return a.single_quoted ? YamlScalarStyle::single_quoted : YamlScalarStyle::double_quoted;
}

std::string yaml_timestamp(std::string_view text) {
    Timestamp t;
    if (text.size() < 8 || !digit(text.front()) || !parse_timestamp(text, t)) return {};
    std::string out;
    append_padded(out, t.year, 4);
    for (auto [separator, value] : {std::pair{'-', t.month}, {'-', t.day}, {'T', t.hour}, {':', t.minute}, {':', t.second}}) {
        out += separator;
        append_padded(out, value, 2);
    }
    std::string_view fraction = t.fraction.substr(0, 9);
    while (fraction.ends_with('0')) fraction.remove_suffix(1);
    if (!fraction.empty()) out.append(".").append(fraction);
    const bool utc = t.zone.empty() || t.zone == "Z" || t.zone == "+00:00" || t.zone == "-00:00";
    return out.append(utc ? std::string_view("Z") : t.zone);
}

bool has_yaml_break(std::string_view text) {
    std::uint8_t any = 0;
    for (const char c : text) any |= class_of(c);
    if ((any & kMayBreak) == 0) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if ((class_of(text[i]) & kMayBreak) != 0 && is_yaml_break(decode_utf8(text, i).value)) return true;
    return false;
}

std::string_view yaml_chomping(std::string_view text) {
    const auto break_before = [&](std::size_t& end) { // is the character that ends at `end` a break? Moves to its start
        std::size_t i = end - 1;
        while (i > 0 && (text[i] & 0xC0) == 0x80) --i;
        end = i;
        return is_yaml_break(decode_utf8(text, i).value);
    };
    std::size_t end = text.size();
    if (end == 0 || !break_before(end)) return "-";
    if (end == 0 || break_before(end)) return "+";
    return "";
}

// ---- keys -------------------------------------------------------------------------------------------------------

namespace {

// Beyond ASCII everything counts as a letter: right for all but a few symbols.
bool letter(std::uint32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80; }

// Value and end of the digit run at `i`; wraps on overflow like Go's int64.
std::uint64_t digit_run(std::string_view s, std::size_t& i, std::uint64_t start) {
    std::uint64_t n = start;
    for (; i < s.size() && digit(s[i]); ++i) n = n * 10 + static_cast<std::uint64_t>(s[i] - '0');
    return n;
}

bool natural_less(std::string_view a, std::string_view b, std::size_t i) {
    const CodePoint ca = decode_utf8(a, i), cb = decode_utf8(b, i);
    const bool la = letter(ca.value), lb = letter(cb.value);
    if (la && lb) return ca.value < cb.value;
    if (la || lb) return lb;
    std::uint64_t start = 0;
    if (ca.value == '0' || cb.value == '0') {
        for (std::size_t j = i; j > 0 && digit(a[j - 1]); --j)
            if (a[j - 1] != '0') {
                start = 1;
                break;
            }
    }
    std::size_t ai = i, bi = i;
    const auto an = static_cast<std::int64_t>(digit_run(a, ai, start)), bn = static_cast<std::int64_t>(digit_run(b, bi, start));
    if (an != bn) return an < bn;
    if (ai != bi) return ai < bi;
    return ca.value < cb.value;
}

} // namespace

bool yaml_key_less(std::string_view a, std::string_view b) {
    std::size_t i = 0;
    while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
    if (i == a.size() || i == b.size()) return a.size() < b.size();
    while (i > 0 && (a[i] & 0xC0) == 0x80) --i; // to the start of the character that differs
    return natural_less(a, b, i);
}

// ---- numbers ----------------------------------------------------------------------------------------------------

std::string yaml_number_text(std::string_view text) {
    if (const auto i = parse_int(text)) return std::to_string(*i);
    std::uint64_t u = 0;
    if (const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), u);
        error == std::errc() && end == text.data() + text.size() && !text.starts_with('0'))
        return std::to_string(u);
    const auto value = parse_double(text);
    if (!value) return std::string(text);
    const double d = *value;
    if (std::isnan(d)) return ".nan";
    if (std::isinf(d)) return d > 0 ? ".inf" : "-.inf";
    if (d == std::trunc(d) && d >= -9223372036854775808.0 && d < 18446744073709551616.0) return d == 0 ? "0" : format_double(d);
    std::array<char, 64> buffer{};
    const auto scientific = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d, std::chars_format::scientific);
    std::string out(buffer.data(), scientific.ptr);
    const int exponent = std::atoi(out.c_str() + out.find('e') + 1);
    if (exponent < -4 || exponent >= 6) return out; // Go: 'g' with the shortest digits
    const auto fixed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d, std::chars_format::fixed);
    return std::string(buffer.data(), fixed.ptr);
}

Result<std::string> yaml_number_key(std::string_view text, NodeKind kind) {
    const Node number = Node::scalar(kind, Text(text));
    if (kind == NodeKind::integer)
        if (const auto n = number.as_int()) return std::to_string(*n);
    const double value = number.as_double().value_or(0);
    std::string plain(text);
    std::erase(plain, '_');
    std::uint64_t large = 0;
    if (const auto [stop, error] = std::from_chars(plain.data(), plain.data() + plain.size(), large); value >= 0x1p63 && error == std::errc() && stop == plain.data() + plain.size())
        return fail(ErrorCode::invalid, "unsupported map key of type: uint64");
    if (const char* word = std::isnan(value) ? ".nan" : !std::isinf(value) ? nullptr : value > 0 ? ".inf" : "-.inf"; word != nullptr || text.find_first_of("iInN") != std::string_view::npos)
        return std::string(word != nullptr ? word : text.find_first_of("aA") != std::string_view::npos ? ".nan" : text.starts_with('-') ? "-.inf" : ".inf");
    // strconv.FormatFloat(value, 'g', -1, 32)
    const auto single = static_cast<float>(value);
    std::array<char, 64> buffer{};
    const auto written = [&](std::chars_format format) { return std::string(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), single, format).ptr); };
    const std::string scientific = written(std::chars_format::scientific);
    const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
    return single == 0 ? "0" : exponent < -4 || exponent >= 6 ? scientific : written(std::chars_format::fixed);
}

} // namespace weber::kube
