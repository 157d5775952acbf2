#include "kube/cel/unescape.h"

#include "kube/base/utf8.h"

namespace weber::cel {

namespace {

// \r\n and \r become \n.
std::string normalize_newlines(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\r') {
            out += text[i];
            continue;
        }
        out += '\n';
        if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    }
    return out;
}

std::string_view strip_quotes(std::string_view s) {
    if (s.size() >= 6 && (s.starts_with("'''") || s.starts_with("\"\"\""))) return s.substr(3, s.size() - 6);
    return s.substr(1, s.size() - 2);
}

std::uint32_t digits(std::string_view& s, std::size_t count, std::uint32_t base) {
    std::uint32_t v = 0;
    for (std::size_t i = 0; i < count && !s.empty(); ++i, s.remove_prefix(1)) {
        const char c = s[0];
        v = v * base + static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return v;
}

std::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

Result<void> numeric_escape(char c, std::string_view& rest, bool bytes, std::string& out) {
    std::uint32_t v = 0;
    if (c == 'x' || c == 'X') v = digits(rest, 2, 16);
    else if (c == 'u' || c == 'U') {
        if (bytes) return refuse("unable to unescape string");
        v = digits(rest, c == 'u' ? 4 : 8, 16);
    } else {
        v = static_cast<std::uint32_t>(c - '0') * 64 + digits(rest, 2, 8);
    }
    if (bytes) {
        out += static_cast<char>(v);
        return {};
    }
    if (v > 0x10FFFF || (v >= 0xD800 && v < 0xE000)) return refuse("invalid unicode code point");
    kube::append_utf8(out, v);
    return {};
}

} // namespace

Result<std::string> unescape(std::string_view literal, bool bytes) {
    const std::string text = normalize_newlines(literal);
    std::string_view rest = text;
    const bool raw = rest.starts_with('r') || rest.starts_with('R');
    if (raw) rest.remove_prefix(1);
    rest = strip_quotes(rest);
    if (raw) return std::string(rest);
    std::string out;
    while (!rest.empty()) {
        const char c = rest[0];
        rest.remove_prefix(1);
        if (c != '\\') {
            out += c;
            continue;
        }
        const char e = rest[0];
        rest.remove_prefix(1);
        constexpr std::string_view kLetters = "abfnrtv";
        constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v";
        if (const std::size_t i = kLetters.find(e); i != std::string_view::npos) out += kMeanings[i];
        else if (e == 'x' || e == 'X' || e == 'u' || e == 'U' || (e >= '0' && e <= '3')) {
            TRY_VOID(numeric_escape(e, rest, bytes, out));
        } else out += e;
    }
    return out;
}

} // namespace weber::cel
