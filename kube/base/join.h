// Texts in a row.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weber::kube {

// The parts with `separator` between them; empty parts at the beginning leave none.
inline std::string join(std::span<const std::string> parts, std::string_view separator) {
    std::string out;
    for (const std::string& part : parts) {
        if (!out.empty()) out += separator;
        out += part;
    }
    return out;
}

} // namespace weber::kube
