#include "tests/kube/server/kubectl.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace weber::testing {

std::string find_kubectl() {
    namespace fs = std::filesystem;
    if (const char* named = std::getenv("KUBECTL")) return named;
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    const fs::path folder = fs::path(cache ? std::string(cache) : std::string(home ? home : "") + "/.cache") / "weber-tools/kubectl";
    std::vector<std::string> found;
    std::error_code none;
    for (const auto& version : fs::directory_iterator(folder, none))
        if (fs::exists(version.path() / "kubectl")) found.push_back((version.path() / "kubectl").string());
    return found.empty() ? "" : *std::max_element(found.begin(), found.end());
}

} // namespace weber::testing
