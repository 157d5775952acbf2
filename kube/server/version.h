// The version this server says it is.
#pragma once

#include <string_view>

namespace weber::kube::server {

inline constexpr std::string_view kGitVersion = "v1.36.3+weber";

inline constexpr std::string_view kVersionJson =
    R"({"major":"1","minor":"36","emulationMajor":"1","emulationMinor":"36","minCompatibilityMajor":"1",)"
    R"("minCompatibilityMinor":"35","gitVersion":"v1.36.3+weber","gitCommit":"","gitTreeState":"clean",)"
    R"("buildDate":"1970-01-01T00:00:00Z","goVersion":"","compiler":"gcc","platform":"linux/amd64"})";

} // namespace weber::kube::server
