#include "kube/cel/environment.h"

namespace weber::cel {

std::vector<std::string> candidate_names(std::string_view container, std::string_view name) {
    if (name.starts_with('.')) return {std::string(name.substr(1))};
    std::vector<std::string> out;
    while (!container.empty()) {
        out.push_back(std::string(container) + "." + std::string(name));
        const std::size_t dot = container.rfind('.');
        container = dot == std::string_view::npos ? std::string_view() : container.substr(0, dot);
    }
    out.emplace_back(name);
    return out;
}

} // namespace weber::cel
