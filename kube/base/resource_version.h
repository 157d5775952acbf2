// resourceVersions that count up: since Kubernetes 1.35 clients may rely on it.
// Thread-safety: pure functions.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weber::kube {

// Both are numbers, and the first is the smaller one; nothing is known of versions that are none.
[[nodiscard]] inline bool is_older(std::string_view resource_version, std::string_view than) {
    const auto number = [](std::string_view text) -> std::optional<std::uint64_t> {
        std::uint64_t n = 0;
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), n);
        return code == std::errc() && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
    };
    const auto a = number(resource_version), b = number(than);
    return a && b && *a < *b;
}

} // namespace weber::kube
