// A hash of short texts (keys, names, identities) for tables of one process: eight bytes a step, inlined, several times as fast as std::hash at these lengths.
// Not for anything that is stored or sent, and no protection against texts made to collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weber::kube {

inline std::size_t text_hash(std::string_view s) noexcept {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15, kOther = 0xd1b54a32d192ed03;
    const auto mix = [](std::uint64_t a, std::uint64_t b) {
        const auto product = static_cast<unsigned __int128>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    };
    const auto word = [](const char* at, std::size_t n) {
        std::uint64_t w = 0;
        std::memcpy(&w, at, n);
        return w;
    };
    std::uint64_t h = s.size() * kOther;
    const char* at = s.data();
    std::size_t left = s.size();
    for (; left > 8; left -= 8, at += 8) h = mix(h ^ word(at, 8), kOdd);
    if (s.size() >= 8) return mix(h ^ word(s.data() + s.size() - 8, 8), kOther); // the last eight, some of them a second time
    if (left >= 4) return mix(h ^ (word(at, 4) | word(at + left - 4, 4) << 32), kOther);
    if (left > 0) h ^= static_cast<std::uint64_t>(static_cast<unsigned char>(at[0])) << 16 | static_cast<std::uint64_t>(static_cast<unsigned char>(at[left / 2])) << 8 | static_cast<unsigned char>(at[left - 1]);
    return mix(h, kOther);
}

} // namespace weber::kube
