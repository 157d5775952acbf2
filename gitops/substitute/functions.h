// What the operators of an expression do to a value (envsubst/funcs.go), and the globs of `#` and `%`. Lengths and offsets are bytes.
//
// Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kube/base/error.h"

namespace weber::gitops {

// nullopt: a malformed pattern. `*` matches any text, also with slashes.
std::optional<bool> pattern_match(std::string_view pattern, std::string_view text);

enum class Extent : std::uint8_t { shortest, longest };

// The value without the prefix (suffix) that matches; unchanged when none does or the pattern is malformed. Suffixes are matched by reversing value and
// pattern, as the reference does. Error too_large: value and pattern together would take too long.
Result<std::string> trim_prefix(std::string_view value, std::string_view pattern, Extent extent);
Result<std::string> trim_suffix(std::string_view value, std::string_view pattern, Extent extent);

// `length` absent: to the end. A text that is no number gives the whole value. Error invalid: a negative length (it crashes the reference).
Result<std::string> substring(std::string_view value, std::string_view offset, std::optional<std::string_view> length);

enum class Occurrence : std::uint8_t { first, all, prefix, suffix };
// An empty `from` stands at each character's start and at the end. Error too_large: more than `limit` bytes.
Result<std::string> replace(std::string_view value, std::string_view from, std::string_view to, Occurrence which, std::size_t limit);

// Upper and lower case as Go's strings and unicode packages have them.
std::string to_upper(std::string_view value);
std::string to_lower(std::string_view value);
std::string to_upper_first(std::string_view value);
std::string to_lower_first(std::string_view value);

} // namespace weber::gitops
