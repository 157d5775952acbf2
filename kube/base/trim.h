// Blanks at the ends of texts.
#pragma once

#include <string_view>

namespace weber::kube {

inline constexpr std::string_view kBlanks = " \t\n\v\f\r"; // C's isspace

// `text` without `blanks` at both ends; a part of it.
inline std::string_view trimmed(std::string_view text, std::string_view blanks = kBlanks) {
    const std::size_t from = text.find_first_not_of(blanks);
    return from == std::string_view::npos ? std::string_view() : text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

} // namespace weber::kube
