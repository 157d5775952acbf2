// contains, startsWith, endsWith, matches, size of strings, and the extension library "strings".
#include <algorithm>

#include <re2/re2.h>

#include "kube/base/utf8.h"
#include "kube/cel/functions.h"
#include "kube/cel/string_format.h"

namespace weber::cel {

namespace {

using Args = std::span<const Value>;

std::u32string points(std::string_view text, Budget& budget) {
    budget.spend_text(text.size());
    std::u32string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const kube::CodePoint p = kube::decode_utf8(text, i);
        out.push_back(p.value);
        i += p.bytes;
    }
    return out;
}

Value text(std::u32string_view points) {
    std::string out;
    for (const char32_t p : points) kube::append_utf8(out, p);
    return Value::string(out);
}

Value out_of_range(std::int64_t index) { return Value::error("index out of range: " + std::to_string(index)); }

Value join_strings(const List& list, std::string_view separator, Budget& budget) {
    std::string out;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Value item = list.at(i);
        if (!item.is(Kind::string)) return Value::error("join: invalid input: " + display(item, budget));
        if (!budget.spend_text(item.as_string().size() + separator.size())) return {};
        if (i != 0) out += separator;
        out += item.as_string();
    }
    return Value::string(out);
}

// ---- standard library --------------------------------------------------------------------------------

template <bool (*Test)(std::string_view, std::string_view)>
Value test(Args args, Budget& budget) {
    if (!args[0].is(Kind::string) || !args[1].is(Kind::string)) return Value::no_such_overload();
    budget.spend_text(args[0].as_string().size() / 16);
    return Value::boolean(Test(args[0].as_string(), args[1].as_string()));
}
bool has_part(std::string_view s, std::string_view part) { return s.find(part) != std::string_view::npos; }
bool has_start(std::string_view s, std::string_view part) { return s.starts_with(part); }
bool has_end(std::string_view s, std::string_view part) { return s.ends_with(part); }

RE2::Options quiet() {
    RE2::Options options;
    options.set_log_errors(false);
    return options;
}

struct Re2Pattern final : Pattern {
    explicit Re2Pattern(std::string_view text) : re(re2::StringPiece(text.data(), text.size()), quiet()) {}
    [[nodiscard]] Value match(std::string_view text, Budget& budget) const override {
        // The product of both lengths at worst.
        if (!budget.spend(static_cast<std::int64_t>((text.size() + 64) * (re.pattern().size() / 16 + 1) / 16))) return {};
        return Value::boolean(RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), re));
    }
    RE2 re;
};

std::string_view problem_word(RE2::ErrorCode code) {
    switch (code) {
    case RE2::ErrorBadEscape: return "invalid escape sequence";
    case RE2::ErrorBadCharClass: return "invalid character class";
    case RE2::ErrorBadCharRange: return "invalid character class range";
    case RE2::ErrorMissingBracket: return "missing closing ]";
    case RE2::ErrorMissingParen: return "missing closing )";
    case RE2::ErrorUnexpectedParen: return "unexpected )";
    case RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize: return "invalid repeat count";
    case RE2::ErrorRepeatOp: return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8: return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture: return "invalid named capture";
    default: return "expression too large";
    }
}

// A pattern that is no constant is compiled at every call, which costs with its length.
Value match(Args args, Budget& budget) {
    if (!args[1].is(Kind::string)) return Value::no_such_overload();
    if (!budget.spend(static_cast<std::int64_t>(args[1].as_string().size() * 4 + 100))) return {};
    const auto pattern = Pattern::compile(args[1].as_string());
    return pattern ? (*pattern)->match(args[0].as_string(), budget) : Value::error(pattern.error().message);
}

// ---- extension library -------------------------------------------------------------------------------

Value char_at(Args args, Budget& budget) {
    const std::u32string s = points(args[0].as_string(), budget);
    const std::int64_t i = args[1].as_int();
    if (i < 0 || i > static_cast<std::int64_t>(s.size())) return out_of_range(i);
    return text(std::u32string_view(s).substr(static_cast<std::size_t>(i), 1));
}

Value index_of(Args args, Budget& budget) {
    const std::int64_t offset = args.size() == 3 ? args[2].as_int() : 0;
    if (args[1].as_string().empty()) return Value::integer(offset);
    if (offset < 0) return out_of_range(offset);
    const std::u32string s = points(args[0].as_string(), budget);
    const std::u32string part = points(args[1].as_string(), budget);
    if (offset >= static_cast<std::int64_t>(s.size())) return Value::integer(-1);
    const std::size_t found = s.find(part, static_cast<std::size_t>(offset));
    return Value::integer(found == std::u32string::npos ? -1 : static_cast<std::int64_t>(found));
}

Value last_index_of(Args args, Budget& budget) {
    const std::u32string s = points(args[0].as_string(), budget);
    const std::u32string part = points(args[1].as_string(), budget);
    const auto size = static_cast<std::int64_t>(s.size());
    if (part.empty()) return Value::integer(args.size() == 3 ? args[2].as_int() : size);
    if (args.size() == 2 && args[0].as_string().size() < args[1].as_string().size()) return Value::integer(-1);
    const std::int64_t offset = args.size() == 3 ? args[2].as_int() : size - 1;
    if (offset < 0) return out_of_range(offset);
    if (offset >= size || part.size() > s.size()) return Value::integer(-1);
    const std::size_t found = s.rfind(part, static_cast<std::size_t>(offset));
    return Value::integer(found == std::u32string::npos ? -1 : static_cast<std::int64_t>(found));
}

template <char First, char Last, int Shift>
Value change_case(Args args, Budget& budget) {
    budget.spend_text(args[0].as_string().size());
    std::string out = kube::valid_utf8(std::string(args[0].as_string())); // cel-go goes through code points
    for (char& c : out)
        if (c >= First && c <= Last) c = static_cast<char>(c + Shift);
    return Value::string(out);
}

// strings.Replace: at most `limit` times, all for negative ones; an empty pattern matches before each code point and at the end.
Value replace(Args args, Budget& budget) {
    const std::string_view s = args[0].as_string(), old = args[1].as_string(), by = args[2].as_string();
    std::int64_t limit = args.size() == 4 ? args[3].as_int() : -1;
    if (old == by || limit == 0) return args[0];
    std::string out;
    std::size_t at = 0;
    const auto put = [&](std::string_view piece) {
        out += piece;
        return budget.spend_text(piece.size());
    };
    if (old.empty()) {
        for (; limit != 0; --limit) {
            if (!put(by)) return {};
            if (at >= s.size()) break;
            const std::size_t bytes = kube::decode_utf8(s, at).bytes;
            put(s.substr(at, bytes));
            at += bytes;
        }
    } else {
        for (; limit != 0; --limit) {
            const std::size_t found = s.find(old, at);
            if (found == std::string_view::npos || !put(s.substr(at, found - at)) || !put(by)) break;
            at = found + old.size();
        }
    }
    put(s.substr(std::min(at, s.size())));
    return Value::string(out);
}

// strings.SplitN: at most `limit` parts, all for negative ones; an empty separator splits into code points.
Value split(Args args, Budget& budget) {
    const std::string_view s = args[0].as_string(), separator = args[1].as_string();
    std::int64_t limit = args.size() == 3 ? args[2].as_int() : -1;
    std::vector<Value> out;
    const auto put = [&](std::string_view piece) {
        out.push_back(Value::string(piece));
        return budget.spend_elements(1) && budget.spend_text(piece.size());
    };
    std::size_t at = 0;
    if (limit == 0 || (separator.empty() && s.empty())) return Value::list(std::move(out));
    for (; limit != 1; --limit) {
        std::size_t found = 0;
        if (separator.empty()) {
            found = at + kube::decode_utf8(s, at).bytes;
            if (found >= s.size()) break;
        } else {
            found = s.find(separator, at);
            if (found == std::string_view::npos) break;
        }
        if (!put(s.substr(at, found - at))) return {};
        at = found + separator.size();
    }
    put(s.substr(at));
    return Value::list(std::move(out));
}

Value substring(Args args, Budget& budget) {
    const std::u32string s = points(args[0].as_string(), budget);
    const auto size = static_cast<std::int64_t>(s.size());
    const std::int64_t start = args[1].as_int();
    const std::int64_t end = args.size() == 3 ? args[2].as_int() : size;
    if (args.size() == 3 && start > end)
        return Value::error("invalid substring range. start: " + std::to_string(start) + ", end: " + std::to_string(end));
    if (start < 0 || start > size) return out_of_range(start);
    if (end < 0 || end > size) return out_of_range(end);
    return text(std::u32string_view(s).substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)));
}

Value trim(Args args, Budget& budget) {
    const std::u32string s = points(args[0].as_string(), budget);
    std::u32string_view v = s;
    while (!v.empty() && kube::is_unicode_space(v.front())) v.remove_prefix(1);
    while (!v.empty() && kube::is_unicode_space(v.back())) v.remove_suffix(1);
    return text(v);
}

Value reverse(Args args, Budget& budget) {
    std::u32string s = points(args[0].as_string(), budget);
    std::ranges::reverse(s);
    return text(s);
}

Value quote(Args args, Budget& budget) {
    std::u32string out = U"\"";
    for (const char32_t c : points(args[0].as_string(), budget)) {
        constexpr std::u32string_view kPlain = U"\a\b\f\n\r\t\v\\\"";
        constexpr std::u32string_view kLetters = U"abfnrtv\\\"";
        if (const std::size_t i = kPlain.find(c); i != std::u32string_view::npos) {
            out += U'\\';
            out += kLetters[i];
        } else {
            out += c;
        }
    }
    return text(out + U"\"");
}

Value join(Args args, Budget& budget) { return join_strings(args[0].as_list(), args.size() == 2 ? args[1].as_string() : std::string_view(), budget); }

Value format(Args args, Budget& budget) {
    auto out = format_string(args[0].as_string(), args[1].as_list(), budget);
    return out ? Value::string(*out) : Value::error(out.error().message);
}

} // namespace

Result<std::shared_ptr<const Pattern>> Pattern::compile(std::string_view text) {
    auto pattern = std::make_shared<Re2Pattern>(text);
    if (pattern->re.ok()) return pattern;
    // RE2 names no part of a text that is none, Go all of it.
    const std::string part = pattern->re.error_code() == re2::RE2::ErrorBadUTF8 ? std::string(text) : pattern->re.error_arg();
    return fail(ErrorCode::invalid, "error parsing regexp: " + std::string(problem_word(pattern->re.error_code())) + ": `" + part + "`");
}

void add_string_functions(std::vector<Function>& out) {
    const TypePtr s = types::string(), i = types::integer(), b = types::boolean();
    const TypePtr list = types::list(s);
    const auto unguarded = [&](std::string_view name, std::string_view id, Implementation impl) {
        out.push_back({.name = name, .overloads = {member(id, {s, s}, b, impl)}, .guarded = false});
    };
    unguarded("contains", "contains_string", test<has_part>);
    unguarded("endsWith", "ends_with_string", test<has_end>);
    unguarded("startsWith", "starts_with_string", test<has_start>);
    out.push_back({.name = "matches",
                   .overloads = {overload("matches", {s, s}, b), member("matches_string", {s, s}, b)},
                   .impl = match,
                   .shape = Shape::binary,
                   .takes = kinds({Kind::string})});
    out.push_back({.name = "charAt", .overloads = {member("string_char_at_int", {s, i}, s, char_at)}});
    out.push_back({.name = "indexOf",
                   .overloads = {member("string_index_of_string", {s, s}, i, index_of), member("string_index_of_string_int", {s, s, i}, i, index_of)}});
    out.push_back({.name = "lastIndexOf",
                   .overloads = {member("string_last_index_of_string", {s, s}, i, last_index_of),
                                 member("string_last_index_of_string_int", {s, s, i}, i, last_index_of)}});
    out.push_back({.name = "lowerAscii", .overloads = {member("string_lower_ascii", {s}, s, change_case<'A', 'Z', 32>)}});
    out.push_back({.name = "upperAscii", .overloads = {member("string_upper_ascii", {s}, s, change_case<'a', 'z', -32>)}});
    out.push_back({.name = "replace",
                   .overloads = {member("string_replace_string_string", {s, s, s}, s, replace), member("string_replace_string_string_int", {s, s, s, i}, s, replace)}});
    out.push_back({.name = "split", .overloads = {member("string_split_string", {s, s}, list, split), member("string_split_string_int", {s, s, i}, list, split)}});
    out.push_back({.name = "substring",
                   .overloads = {member("string_substring_int", {s, i}, s, substring), member("string_substring_int_int", {s, i, i}, s, substring)}});
    out.push_back({.name = "trim", .overloads = {member("string_trim", {s}, s, trim)}});
    out.push_back({.name = "reverse", .overloads = {member("string_reverse", {s}, s, reverse)}});
    out.push_back({.name = "strings.quote", .overloads = {overload("strings_quote", {s}, s, quote)}});
    out.push_back({.name = "join", .overloads = {member("list_join", {list}, s, join), member("list_join_string", {list, s}, s, join)}});
    Overload with_arguments = member("string_format", {s, types::list(types::dyn())}, s, format);
    with_arguments.shape = Shape::any;
    out.push_back({.name = "format", .overloads = {with_arguments}});
}

} // namespace weber::cel
