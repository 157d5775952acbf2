#include "kube/cel/string_format.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "kube/cel/go_format.h"
#include "kube/cel/time.h"

namespace weber::cel {

namespace {

constexpr int kDefaultPrecision = 6;
// cel-go has no limit; the text would grow without one.
constexpr int kMaxPrecision = 1'000;

struct Clause {
    char letter = 0;
    int precision = kDefaultPrecision;
    std::size_t length = 0; // after the %
};

Result<Clause> parse_clause(std::string_view text) {
    Clause c;
    const auto refuse = [](std::string why) { return fail(ErrorCode::invalid, "could not parse formatting clause: " + std::move(why)); };
    if (text[0] == '.') {
        std::size_t end = 1;
        while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
        if (end == text.size()) return refuse("error while parsing precision: could not find end of precision specifier");
        const std::string digits(text.substr(1, end - 1));
        const auto precision = parse_go_int(digits);
        if (!precision)
            return refuse("error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing \"" + digits +
                          "\": " + (digits.empty() ? "invalid syntax" : "value out of range"));
        if (*precision > kMaxPrecision) return refuse("precision " + digits + " exceeds " + std::to_string(kMaxPrecision));
        c.precision = static_cast<int>(*precision);
        c.length = end;
    }
    c.letter = text[c.length++];
    if (std::string_view("sdfebxXo").find(c.letter) == std::string_view::npos) return refuse("unrecognized formatting clause \"" + std::string(1, c.letter) + "\"");
    return c;
}

// Plain text and clauses in turn; `clause(index, Clause)` gives the text or an error. `checking`: before the run, where cel-go finds a lone % at the end first.
template <class Take>
Result<std::size_t> walk(std::string_view format, std::size_t args, bool checking, std::string& out, Take take) {
    std::size_t index = 0;
    for (std::size_t i = 0; i < format.size();) {
        if (format[i] != '%') {
            out += format[i++];
            continue;
        }
        if (i + 1 < format.size() && format[i + 1] == '%') {
            out += '%';
            i += 2;
            continue;
        }
        const bool ends = i + 1 >= format.size();
        if (index >= args && !(checking && ends)) return fail(ErrorCode::invalid, "index " + std::to_string(index) + " out of range");
        if (ends) return fail(ErrorCode::invalid, "unexpected end of string");
        TRY(const Clause clause, parse_clause(format.substr(i + 1)));
        TRY(const std::string text, take(index, clause));
        out += text;
        i += 1 + clause.length;
        ++index;
    }
    return index;
}

std::string special_or(double v, std::string (*form)(double)) {
    if (std::isnan(v)) return "NaN";
    if (std::isinf(v)) return v > 0 ? "Infinity" : "-Infinity";
    return form(v);
}

std::string plain_text(const Value& v, Budget& budget, std::string& bad_kind);

std::string list_text(const List& list, Budget& budget, std::string& bad_kind) {
    std::string out = "[";
    for (std::size_t i = 0; i < list.size() && !budget.exhausted(); ++i) out += (i != 0 ? ", " : "") + plain_text(list.at(i), budget, bad_kind);
    budget.spend_text(out.size());
    return out + "]";
}

std::string map_text(const Map& map, Budget& budget, std::string& bad_kind) {
    std::multimap<std::string, std::string> entries;
    for (std::size_t i = 0; i < map.size() && !budget.exhausted(); ++i) {
        std::string key = plain_text(map.key_at(i), budget, bad_kind);
        entries.emplace(std::move(key), plain_text(map.value_at(i), budget, bad_kind));
    }
    std::string out = "{";
    for (const auto& [key, value] : entries) out += (out.size() > 1 ? ", " : "") + key + ": " + value;
    budget.spend_text(out.size());
    return out + "}";
}

// %s. `bad_kind` gets the type of a value that has no text.
std::string plain_text(const Value& v, Budget& budget, std::string& bad_kind) {
    budget.spend();
    switch (v.kind()) {
    case Kind::null: return "null";
    case Kind::boolean: return v.as_bool() ? "true" : "false";
    case Kind::integer: return std::to_string(v.as_int());
    case Kind::unsigned_integer: return std::to_string(v.as_uint());
    case Kind::floating: return special_or(v.as_double(), format_plain);
    case Kind::string: budget.spend_text(v.as_string().size()); return std::string(v.as_string());
    case Kind::bytes: budget.spend_text(v.as_bytes().size()); return std::string(v.as_bytes());
    case Kind::duration: return format_seconds(v.as_duration());
    case Kind::timestamp: {
        Timestamp t = v.as_timestamp();
        t.offset = 0;
        return format_timestamp(t);
    }
    case Kind::type: return std::string(v.as_type());
    case Kind::list: return list_text(v.as_list(), budget, bad_kind);
    case Kind::map: return map_text(v.as_map(), budget, bad_kind);
    default: bad_kind = type_name(v.kind()); return {};
    }
}

std::string in_base(const Value& v, int base) {
    if (v.is(Kind::unsigned_integer)) return format_base(v.as_uint(), base);
    const std::int64_t i = v.as_int();
    return i < 0 ? "-" + format_base(~static_cast<std::uint64_t>(i) + 1, base) : format_base(static_cast<std::uint64_t>(i), base);
}

std::string hex(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += kDigits[static_cast<std::uint8_t>(c) >> 4];
        out += kDigits[static_cast<std::uint8_t>(c) & 15];
    }
    return out;
}

std::string upper(std::string s) {
    for (char& c : s)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    return s;
}

// Go's fmt prints an integer under a floating verb as a mistake, the precision as its least number of digits: %!f(int64=000001).
std::string wrong_verb(const Value& v, const Clause& c) {
    const bool is_signed = v.is(Kind::integer);
    const bool negative = is_signed && v.as_int() < 0;
    std::string digits = in_base(v, 10).substr(negative ? 1 : 0);
    const auto least = static_cast<std::size_t>(c.precision);
    if (least == 0 && digits == "0") digits = c.letter == 'e' ? " " : "";
    else if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
    return std::string("%!") + c.letter + "(" + (is_signed ? "int64=" : "uint64=") + (negative ? "-" : "") + digits + ")";
}

Result<std::string> clause_text(const Clause& c, const Value& v, Budget& budget) {
    const auto refuse = [&](std::string_view kind) { return fail(ErrorCode::invalid, "error during formatting: " + clause_problem(c.letter, kind)); };
    const bool whole = v.is(Kind::integer) || v.is(Kind::unsigned_integer);
    switch (c.letter) {
    case 's': {
        std::string bad_kind;
        std::string out = plain_text(v, budget, bad_kind);
        if (!bad_kind.empty()) return refuse(bad_kind);
        return out;
    }
    case 'd':
        if (whole) return in_base(v, 10);
        if (v.is(Kind::floating)) return special_or(v.as_double(), format_plain);
        break;
    case 'f':
    case 'e':
        budget.spend_text(400 + static_cast<std::size_t>(c.precision));
        if (whole) return wrong_verb(v, c);
        if (!v.is(Kind::floating)) break;
        if (!std::isfinite(v.as_double())) return special_or(v.as_double(), format_plain);
        return c.letter == 'f' ? format_fixed(v.as_double(), c.precision) : format_scientific(v.as_double(), c.precision);
    case 'b':
        if (v.is(Kind::boolean)) return std::string(v.as_bool() ? "1" : "0");
        if (whole) return in_base(v, 2);
        break;
    case 'o':
        if (whole) return in_base(v, 8);
        break;
    default: { // x, X
        std::string out;
        if (whole) out = in_base(v, 16);
        else if (v.is(Kind::string)) out = hex(v.as_string());
        else if (v.is(Kind::bytes)) out = hex(v.as_bytes());
        else break;
        budget.spend_text(out.size());
        return c.letter == 'X' ? upper(std::move(out)) : out;
    }
    }
    return refuse(type_name(v.kind()));
}

} // namespace

std::string clause_problem(char clause, std::string_view type_name) {
    const auto text = [&] {
        switch (clause) {
        case 's':
            return "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps";
        case 'd': return "decimal clause can only be used on ints, uints, and doubles";
        case 'f': return "fixed-point clause can only be used on ints, uints, and doubles";
        case 'e': return "scientific clause can only be used on ints, uints, and doubles";
        case 'b': return "only ints, uints, and bools can be formatted as binary";
        case 'o': return "octal clause can only be used on ints and uints";
        default: return "only ints, uints, bytes, and strings can be formatted as hex";
        }
    };
    return std::string(text()) + ", was given " + std::string(type_name);
}

Result<std::string> format_string(std::string_view format, const List& args, Budget& budget) {
    std::string out;
    budget.spend_text(format.size());
    TRY_VOID(walk(format, args.size(), false, out, [&](std::size_t index, const Clause& c) { return clause_text(c, args.at(index), budget); }));
    return out;
}

std::optional<FormatProblem> check_format(std::string_view format, std::size_t args, const std::function<std::string(std::size_t, char)>& check,
                                          std::size_t& used) {
    std::string out;
    bool bad_argument = false;
    const auto result = walk(format, args, true, out, [&](std::size_t index, const Clause& c) -> Result<std::string> {
        used = index + 1;
        std::string problem = check(index, c.letter);
        if (problem.empty()) return std::string();
        bad_argument = true;
        return fail(ErrorCode::invalid, "error during formatting: " + problem);
    });
    if (result) return std::nullopt;
    return FormatProblem{result.error().message, bad_argument};
}

} // namespace weber::cel
