// UTF-8, one code point at a time.
//
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weber::kube {

// A decoded code point and the bytes it took; an invalid sequence gives {0xFFFD, 1, false}.
struct CodePoint {
    std::uint32_t value = 0;
    std::uint8_t bytes = 1;
    bool valid = true;
};

// At `text[at]`; `at` must be inside the text. Surrogates, overlong forms and values over U+10FFFF are invalid.
inline CodePoint decode_utf8(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
    const std::uint8_t lead = byte(0);
    if (lead < 0x80) return {lead, 1, true};
    const std::uint8_t n = lead >= 0xF0 && lead < 0xF8 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
    if (n == 0 || lead >= 0xF8 || at + n > text.size()) return {0xFFFD, 1, false};
    std::uint32_t v = lead & (0xFFu >> (n + 1));
    for (std::uint8_t i = 1; i < n; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {0xFFFD, 1, false};
        v = (v << 6) | (byte(i) & 0x3Fu);
    }
    const bool overlong = (n == 3 && v < 0x800) || (n == 4 && v < 0x10000);
    if (overlong || v > 0x10FFFF || (v >= 0xD800 && v < 0xE000)) return {0xFFFD, 1, false};
    return {v, n, true};
}

// Unicode's White_Space, as Go's unicode.IsSpace.
bool is_unicode_space(std::uint32_t code_point);
// `text` without such characters at its start, or at both ends (Go's strings.TrimSpace); a part of it.
std::string_view without_leading_space(std::string_view text);
std::string_view without_outer_space(std::string_view text);

void append_utf8(std::string& out, std::uint32_t code_point);
bool is_valid_utf8(std::string_view text);
// With U+FFFD for each byte that is none of a valid sequence, as Go's encoding/json writes it.
std::string valid_utf8(std::string text);

} // namespace weber::kube
