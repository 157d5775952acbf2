// Letters without a locale: only A to Z and a to z have a case, every other byte stays as it is.
// Header names (RFC 9110), methods, DNS names and resource names are compared and written this way.
// Thread-safety: pure functions.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace weber::kube {

[[nodiscard]] constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
[[nodiscard]] constexpr char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

[[nodiscard]] inline std::string ascii_lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = ascii_lower(c);
    return out;
}

[[nodiscard]] inline std::string ascii_upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = ascii_upper(c);
    return out;
}

// Equal but for the case of ASCII letters.
[[nodiscard]] constexpr bool same_but_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

[[nodiscard]] constexpr bool starts_with_but_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && same_but_case(text.substr(0, prefix.size()), prefix);
}

} // namespace weber::kube
