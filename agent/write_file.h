// Files that commands write.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "kube/base/error.h"

namespace weber::agent {

inline constexpr auto kForOwner = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
inline constexpr auto kForEverybody = kForOwner | std::filesystem::perms::group_read | std::filesystem::perms::others_read;

// Beside its place, then renamed: a reader sees the old file or the new one. `mode` is that of a new file; one that exists keeps its own.
// Error unavailable, with the path.
Result<void> write_file(const std::string& path, std::string_view text, std::filesystem::perms mode);

} // namespace weber::agent
