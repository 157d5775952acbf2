// The version this server says it is.
#pragma once

#include <string>

namespace weber::kube::server {

inline constexpr const char* kGitVersion = "v1.36.3+weber";

inline std::string version_json() {
    return std::string(R"({"major":"1","minor":"36","emulationMajor":"1","emulationMinor":"36","minCompatibilityMajor":"1",)") +
           R"("minCompatibilityMinor":"35","gitVersion":")" + kGitVersion +
           R"(","gitCommit":"","gitTreeState":"clean","buildDate":"1970-01-01T00:00:00Z","goVersion":"","compiler":"gcc","platform":"linux/amd64"})";
}

} // namespace weber::kube::server
