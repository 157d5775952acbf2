// Slash paths, cleaned as Go's path/filepath does (kustomize's messages and rules are written in its terms).
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace weber::kustomize {

// Shortest equivalent path: no ".", no inner "..", no doubled or trailing slash. "" gives ".".
[[nodiscard]] std::string clean_path(std::string_view path);
// Absolute, and clean at a glance: no empty part, none that begins with a dot. Nearly all paths are. False says nothing ("/.git" is clean, too).
[[nodiscard]] bool is_surely_clean(std::string_view path);
// Both parts joined and cleaned; an empty part is left out.
[[nodiscard]] std::string join_path(std::string_view dir, std::string_view path);
// All but the last element ("/" or "." when there is none), and the last element.
[[nodiscard]] std::string dir_of(std::string_view path);
[[nodiscard]] std::string base_of(std::string_view path);
[[nodiscard]] inline bool is_absolute(std::string_view path) { return path.starts_with('/'); }
// Is `dir` the directory `root` or below it? Both absolute and clean.
[[nodiscard]] bool is_in_or_below(std::string_view dir, std::string_view root);

} // namespace weber::kustomize
