// The grammar is whatever the reference's scanner accepts, so this follows its steps: a token begins at the position, `accept` decides rune by rune
// how long it is (given the length so far), and the mode says which tokens may come (envsubst/parse/scan.go).
#include "gitops/substitute/expression.h"

#include <re2/re2.h>

#include <cstdint>

#include "kube/base/utf8.h"

namespace weber::gitops {

namespace {

constexpr std::uint32_t kMaxDepth = 200; // of expressions inside expressions

enum class Token : std::uint8_t { illegal, end, text, open, close };

using Accept = bool (*)(std::uint32_t rune, std::size_t length);

bool is_letter_or_digit(std::uint32_t rune) {
    if (rune < 0x80) return (rune >= '0' && rune <= '9') || (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z');
    static const re2::RE2 kPattern("[\\p{L}\\p{Nd}]");
    std::string utf8;
    kube::append_utf8(utf8, rune);
    return re2::RE2::FullMatch(utf8, kPattern);
}

bool name_rune(std::uint32_t r, std::size_t) { return r == '_' || is_letter_or_digit(r); }
bool not_closing(std::uint32_t r, std::size_t) { return r != '}'; }
bool not_slash(std::uint32_t r, std::size_t) { return r != '/'; }
bool not_colon_or_closing(std::uint32_t r, std::size_t) { return r != ':' && r != '}'; }
bool colons(std::uint32_t r, std::size_t) { return r == ':'; }
bool slashes(std::uint32_t r, std::size_t) { return r == '/'; }
bool one_colon(std::uint32_t r, std::size_t n) { return n == 1 && r == ':'; }
bool one_equal(std::uint32_t r, std::size_t n) { return n == 1 && r == '='; }
bool one_hash(std::uint32_t r, std::size_t n) { return n == 1 && r == '#'; }
bool two_hashes(std::uint32_t r, std::size_t n) { return n < 3 && r == '#'; }
bool two_percents(std::uint32_t r, std::size_t n) { return n < 3 && r == '%'; }
bool casing(std::uint32_t r, std::size_t n) { return n < 3 && (r == ',' || r == '^'); }
bool fallback_operator(std::uint32_t r, std::size_t n) {
    return (n == 1 && r == ':') || (n == 2 && (r == '=' || r == '-' || r == '?' || r == '+'));
}
bool replace_operator(std::uint32_t r, std::size_t n) {
    return (n == 1 && r == '/') || (n == 2 && (r == '/' || r == '#' || r == '%'));
}

struct Mode {
    bool text = false, open = false, close = false, escapes = false;
};

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<std::vector<TemplatePart>> parse() {
        std::vector<TemplatePart> parts;
        std::size_t from = 0;
        const auto flush = [&](std::size_t to) {
            if (to > from) parts.push_back({text_.substr(from, to - from), nullptr});
        };
        while (at_ < text_.size()) {
            const std::size_t dollar = text_.find_first_of(std::string_view("$\0", 2), at_);
            if (dollar == std::string_view::npos || text_[dollar] == '\0') { // the reference takes NUL for the end
                at_ = std::min(dollar, text_.size());
                break;
            }
            at_ = dollar + 1;
            const char next = at_ < text_.size() ? text_[at_] : '\0';
            if (next == '$') { // "$$": one of them
                flush(dollar);
                from = at_++;
            } else if (next == '{') {
                flush(dollar);
                ++at_;
                auto expression = std::make_unique<Expression>();
                TRY_VOID(parse_expression(*expression, 0));
                parts.push_back({{}, std::move(expression)});
                from = at_;
            }
        }
        flush(at_);
        return parts;
    }

private:
    static std::unexpected<Error> bad_substitution() { return fail(ErrorCode::invalid, "bad substitution"); }
    static std::unexpected<Error> bad_argument() { return fail(ErrorCode::invalid, "unable to parse substitution within function"); }

    [[nodiscard]] kube::CodePoint rune() const {
        if (at_ >= text_.size()) return {0, 0, true};
        return kube::decode_utf8(text_, at_);
    }
    [[nodiscard]] char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

    [[nodiscard]] bool opens() const { return peek() == '$' && peek(1) == '{'; }
    [[nodiscard]] bool escapes() const {
        const char c = peek(), next = peek(1);
        return (c == '$' && next == '$') || (c == '\\' && (next == '/' || next == '\\'));
    }

    // Takes one token; its text without escape characters is `token_`, its extent without escapes `view_`.
    Token scan(const Mode& mode, Accept accept) {
        start_ = at_;
        const kube::CodePoint first = rune();
        if (first.value == 0 && first.valid) return Token::end;
        if (mode.open && opens()) {
            at_ += 2;
            return Token::open;
        }
        if (mode.close && first.value == '}') {
            ++at_;
            return Token::close;
        }
        return mode.text ? scan_text(mode, accept) : Token::illegal;
    }

    Token scan_text(const Mode& mode, Accept accept) {
        token_.clear();
        for (bool first = true;; first = false) {
            const kube::CodePoint r = rune();
            if (r.value == 0 && r.valid) break;
            if (!first && mode.open && opens()) break;
            if (mode.escapes && escapes()) {
                token_ += text_[at_ + 1];
                at_ += 2;
                continue;
            }
            if (!accept(r.value, at_ + r.bytes - start_)) {
                if (first) return Token::illegal;
                break;
            }
            token_ += text_.substr(at_, r.bytes);
            at_ += r.bytes;
        }
        return Token::text;
    }
    [[nodiscard]] std::string_view view() const { return text_.substr(start_, at_ - start_); }

    Result<void> closing_brace() {
        if (scan({.close = true}, not_closing) != Token::close) return bad_substitution();
        return {};
    }

    // An operator's text, `accept` telling which; always there, for its first character was seen.
    Result<void> read_operator(Expression& e, Accept accept) {
        if (scan({.text = true}, accept) != Token::text) return bad_substitution();
        e.op = view();
        return {};
    }

    Result<void> argument(Expression& e, Accept accept, bool escapes, std::uint32_t depth) {
        switch (scan({.text = true, .open = true, .escapes = escapes}, accept)) {
        case Token::open: {
            auto nested = std::make_unique<Expression>();
            TRY_VOID(parse_expression(*nested, depth + 1));
            e.arguments.push_back({{}, std::move(nested)});
            return {};
        }
        case Token::text: e.arguments.push_back({token_, nullptr}); return {};
        default: return bad_argument();
        }
    }

    // After "${".
    Result<void> parse_expression(Expression& e, std::uint32_t depth) {
        if (depth > kMaxDepth) return fail(ErrorCode::too_large, "expressions nest too deeply");
        if (peek() == '#') return length(e);
        if (scan({.text = true}, name_rune) != Token::text) return fail(ErrorCode::invalid, "unable to parse variable name");
        e.name = view();
        switch (peek()) {
        case ':': {
            const char next = peek(1);
            // The reference steps back by the width of the next rune, not of the colon.
            if (at_ + 1 >= text_.size() || kube::decode_utf8(text_, at_ + 1).bytes > 1) return bad_substitution();
            return next == '=' || next == '-' || next == '?' || next == '+' ? fallback(e, fallback_operator, depth) : substring(e, depth);
        }
        case '=': return fallback(e, one_equal, depth);
        case ',':
        case '^': TRY_VOID(read_operator(e, casing)); return closing_brace();
        case '/': return replacement(e, depth);
        case '#': return removal(e, two_hashes, depth);
        case '%': return removal(e, two_percents, depth);
        default: break;
        }
        if (scan({.close = true}, name_rune) != Token::close) return fail(ErrorCode::invalid, "missing closing brace");
        return {};
    }

    // ${#name}
    Result<void> length(Expression& e) {
        TRY_VOID(read_operator(e, one_hash));
        if (scan({.text = true}, name_rune) != Token::text) return bad_substitution();
        e.name = view();
        return closing_brace();
    }

    // ${name=word} ${name:=word} …: any mix of text and expressions up to the closing brace.
    Result<void> fallback(Expression& e, Accept accept, std::uint32_t depth) {
        TRY_VOID(read_operator(e, accept));
        while (peek() != '}') TRY_VOID(argument(e, not_closing, false, depth));
        return closing_brace();
    }

    // ${name:offset} ${name:offset:length}
    Result<void> substring(Expression& e, std::uint32_t depth) {
        TRY_VOID(read_operator(e, one_colon));
        TRY_VOID(argument(e, not_colon_or_closing, false, depth));
        switch (scan({.text = true, .close = true}, colons)) {
        case Token::close: return {};
        case Token::text: break;
        default: return bad_substitution();
        }
        TRY_VOID(argument(e, not_closing, false, depth));
        return closing_brace();
    }

    // ${name#pattern} ${name%%pattern}
    Result<void> removal(Expression& e, Accept accept, std::uint32_t depth) {
        TRY_VOID(read_operator(e, accept));
        TRY_VOID(argument(e, not_closing, false, depth));
        return closing_brace();
    }

    // ${name/pattern/replacement}
    Result<void> replacement(Expression& e, std::uint32_t depth) {
        TRY_VOID(read_operator(e, replace_operator));
        TRY_VOID(argument(e, not_slash, true, depth));
        if (scan({.text = true}, slashes) != Token::text) return bad_substitution();
        if (peek() != '}') TRY_VOID(argument(e, not_closing, true, depth));
        return closing_brace();
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t start_ = 0;
    std::string token_;
};

} // namespace

Result<std::vector<TemplatePart>> parse_template(std::string_view text) { return Parser(text).parse(); }

} // namespace weber::gitops
