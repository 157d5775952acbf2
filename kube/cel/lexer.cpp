#include "kube/cel/lexer.h"

#include <algorithm>
#include <array>

namespace weber::cel {

namespace {

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_hex(char32_t c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_space(char32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

// Longest match, as ANTLR's lexer does.
class Lexer {
public:
    Lexer(const Source& source, Issues& issues) : source_(source), text_(source.points()), issues_(issues) {}

    Tokens run() {
        while (at_ < text_.size() && !result_.gave_up) step();
        result_.list.push_back({Token::end, offset(text_.size()), offset(text_.size())});
        return std::move(result_);
    }

private:
    static Offset offset(std::size_t i) { return static_cast<Offset>(i); }
    [[nodiscard]] char32_t peek(std::size_t i) const { return i < text_.size() ? text_[i] : 0xFFFF'FFFF; }

    void step() {
        const char32_t c = text_[at_];
        if (is_space(c)) {
            ++at_;
        } else if (c == '/' && peek(at_ + 1) == '/') {
            while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        } else if (is_digit(c) || (c == '.' && is_digit(peek(at_ + 1)))) {
            number();
        } else if (is_letter(c) || c == '_') {
            word();
        } else if (c == '"' || c == '\'') {
            quoted(Token::string, at_, false);
        } else if (c == '`') {
            escaped_identifier();
        } else {
            symbol();
        }
    }

    void emit(Token token, std::size_t end) {
        result_.list.push_back({token, offset(at_), offset(end)});
        at_ = end;
    }

    // `end`: the first character that fits nothing; it is part of the message and skipped.
    void fail(std::size_t end) {
        if (result_.skipped.size() >= kMaxSyntaxErrors) {
            issues_.report(offset(at_), "Syntax error: More than " + std::to_string(kMaxSyntaxErrors) + " syntax errors");
            result_.gave_up = true;
            return;
        }
        issues_.report(offset(at_), "Syntax error: token recognition error at: '" + source_.text(offset(at_), offset(end) + 1) + "'");
        const std::size_t next = std::min(end + 1, text_.size());
        result_.skipped.emplace_back(offset(at_), offset(next));
        at_ = next;
    }

    std::size_t digits(std::size_t i) const {
        while (is_digit(peek(i))) ++i;
        return i;
    }

    // The end of an exponent at `i`, or `i` when there is none.
    std::size_t exponent(std::size_t i) const {
        if ((peek(i) | 32) != 'e') return i;
        const std::size_t first = peek(i + 1) == '+' || peek(i + 1) == '-' ? i + 2 : i + 1;
        return is_digit(peek(first)) ? digits(first) : i;
    }

    void number() {
        if (text_[at_] == '0' && peek(at_ + 1) == 'x' && is_hex(peek(at_ + 2))) {
            std::size_t end = at_ + 2;
            while (is_hex(peek(end))) ++end;
            return integer(end);
        }
        const std::size_t whole = digits(at_);
        std::size_t end = whole;
        if (peek(whole) == '.' && is_digit(peek(whole + 1))) end = digits(whole + 1);
        end = exponent(end);
        if (end != whole) return emit(Token::num_float, end);
        integer(end);
    }

    void integer(std::size_t end) {
        if ((peek(end) | 32) == 'u') return emit(Token::num_uint, end + 1);
        emit(Token::num_int, end);
    }

    void word() {
        if (prefixed_string()) return;
        std::size_t end = at_;
        while (is_letter(peek(end)) || is_digit(peek(end)) || peek(end) == '_') ++end;
        const std::string text = source_.text(offset(at_), offset(end));
        emit(text == "in" ? Token::in : text == "true" ? Token::true_word : text == "false" ? Token::false_word : text == "null" ? Token::null_word : Token::identifier,
             end);
    }

    // r"…", b"…", br"…": only when the literal is complete, else the letters are an identifier.
    bool prefixed_string() {
        std::size_t i = at_;
        const bool bytes = (peek(i) | 32) == 'b';
        if (bytes) ++i;
        const bool raw = (peek(i) | 32) == 'r';
        if (raw) ++i;
        if (i == at_ || (peek(i) != '"' && peek(i) != '\'')) return false;
        const std::size_t end = string_end(i, raw).end;
        if (end == 0) return false;
        emit(bytes ? Token::bytes : Token::string, end);
        return true;
    }

    struct Quoted {
        std::size_t end = 0;    // 0: no string
        std::size_t failed = 0; // then: the character that ended the attempt
    };

    // A string whose first quote is at `i`.
    Quoted string_end(std::size_t i, bool raw) const {
        const char32_t quote = text_[i];
        if (peek(i + 1) == quote && peek(i + 2) == quote)
            if (const std::size_t end = triple_end(i + 3, quote, raw)) return {end};
        for (std::size_t k = i + 1;;) {
            const char32_t c = peek(k);
            if (c == quote) return {k + 1};
            if (k >= text_.size() || c == '\n' || c == '\r') return {0, k};
            if (c != '\\' || raw) {
                ++k;
                continue;
            }
            const auto [end, failed] = escape_end(k + 1);
            if (end == 0) return {0, failed};
            k = end;
        }
    }

    std::size_t triple_end(std::size_t k, char32_t quote, bool raw) const {
        while (k < text_.size()) {
            if (text_[k] == quote && peek(k + 1) == quote && peek(k + 2) == quote) return k + 3;
            if (text_[k] == '\\' && !raw) {
                k = escape_end(k + 1).end;
                if (k == 0) return 0;
            } else {
                ++k;
            }
        }
        return 0;
    }

    // After a backslash at k - 1.
    Quoted escape_end(std::size_t k) const {
        const char32_t c = peek(k);
        const auto run = [&](std::size_t count, bool (*fits)(char32_t)) -> Quoted {
            for (std::size_t i = 1; i <= count; ++i)
                if (!fits(peek(k + i))) return {0, std::min(k + i, text_.size())};
            return {k + count + 1};
        };
        if (c < 128 && std::u32string_view(U"abfnrtv\"'\\?`").find(c) != std::u32string_view::npos) return {k + 1};
        if (c == 'x' || c == 'X') return run(2, is_hex);
        if (c == 'u') return run(4, is_hex);
        if (c == 'U') return run(8, is_hex);
        if (c >= '0' && c <= '3') return run(2, [](char32_t d) { return d >= '0' && d <= '7'; });
        return {0, std::min(k, text_.size())};
    }

    void quoted(Token token, std::size_t i, bool raw) {
        const auto [end, failed] = string_end(i, raw);
        if (end != 0) return emit(token, end);
        fail(failed);
    }

    void escaped_identifier() {
        std::size_t end = at_ + 1;
        const auto fits = [](char32_t c) { return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-' || c == '/' || c == ' '; };
        while (fits(peek(end))) ++end;
        if (peek(end) != '`' || end == at_ + 1) return fail(std::min(end, text_.size()));
        emit(Token::esc_identifier, end + 1);
    }

    void symbol() {
        struct Symbol {
            std::u32string_view text;
            Token token;
        };
        static constexpr std::array kSymbols{
            Symbol{U"==", Token::equals},       Symbol{U"!=", Token::not_equals}, Symbol{U"<=", Token::less_equals}, Symbol{U">=", Token::greater_equals},
            Symbol{U"&&", Token::logical_and},  Symbol{U"||", Token::logical_or}, Symbol{U"<", Token::less},         Symbol{U">", Token::greater},
            Symbol{U"[", Token::l_bracket},     Symbol{U"]", Token::r_bracket},   Symbol{U"{", Token::l_brace},      Symbol{U"}", Token::r_brace},
            Symbol{U"(", Token::l_paren},       Symbol{U")", Token::r_paren},     Symbol{U".", Token::dot},          Symbol{U",", Token::comma},
            Symbol{U"-", Token::minus},         Symbol{U"!", Token::exclam},      Symbol{U"?", Token::question},     Symbol{U":", Token::colon},
            Symbol{U"+", Token::plus},          Symbol{U"*", Token::star},        Symbol{U"/", Token::slash},        Symbol{U"%", Token::percent},
        };
        const std::u32string_view rest = std::u32string_view(text_).substr(at_);
        for (const Symbol& s : kSymbols)
            if (rest.starts_with(s.text)) return emit(s.token, at_ + s.text.size());
        const char32_t c = text_[at_];
        fail(c == '&' || c == '|' || c == '=' ? std::min(at_ + 1, text_.size()) : at_);
    }

    const Source& source_;
    const std::u32string& text_;
    Issues& issues_;
    std::size_t at_ = 0;
    Tokens result_;
};

} // namespace

std::string_view token_name(Token token) {
    static constexpr std::string_view kNames[] = {
        "",       "'=='",   "'!='",  "'in'",   "'<'",       "'<='",      "'>='",     "'>'",     "'&&'",   "'||'",  "'['",        "']'",           "'{'",
        "'}'",    "'('",    "')'",   "'.'",    "','",       "'-'",       "'!'",      "'?'",     "':'",    "'+'",   "'*'",        "'/'",           "'%'",
        "'true'", "'false'", "'null'", "WHITESPACE", "COMMENT", "NUM_FLOAT", "NUM_INT", "NUM_UINT", "STRING", "BYTES", "IDENTIFIER", "ESC_IDENTIFIER"};
    return token == Token::end ? "<EOF>" : kNames[static_cast<std::size_t>(token)];
}

Tokens tokenize(const Source& source, Issues& issues) { return Lexer(source, issues).run(); }

} // namespace weber::cel
