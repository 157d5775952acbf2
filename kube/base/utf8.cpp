#include "kube/base/utf8.h"

#include <cstring>

namespace weber::kube {

void append_utf8(std::string& out, std::uint32_t c) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | (c >> 6)), put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | (c >> 12)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | (c >> 18)), put(0x80 | ((c >> 12) & 0x3F)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
    }
}

bool is_valid_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        if (std::uint64_t eight = 0; text.size() - i >= sizeof eight) { // ASCII, as nearly all is
            std::memcpy(&eight, text.data() + i, sizeof eight);
            if ((eight & 0x8080808080808080) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        const CodePoint c = decode_utf8(text, i);
        if (!c.valid) return false;
        i += c.bytes;
    }
    return true;
}

std::string valid_utf8(std::string text) {
    if (is_valid_utf8(text)) return text;
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint c = decode_utf8(text, i);
        append_utf8(out, c.value);
        i += c.bytes;
    }
    return out;
}

bool is_unicode_space(std::uint32_t c) {
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

std::string_view without_leading_space(std::string_view text) {
    while (!text.empty()) {
        const CodePoint c = decode_utf8(text, 0);
        if (!is_unicode_space(c.value)) break;
        text.remove_prefix(c.bytes);
    }
    return text;
}

std::string_view without_outer_space(std::string_view text) {
    text = without_leading_space(text);
    for (;;) {
        std::size_t last = text.size();
        while (last > 0 && text.size() - last < 3 && (last == text.size() || (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80)) --last;
        if (text.empty() || !is_unicode_space(decode_utf8(text, last).value) || last + decode_utf8(text, last).bytes != text.size()) return text;
        text = text.substr(0, last);
    }
}

} // namespace weber::kube
