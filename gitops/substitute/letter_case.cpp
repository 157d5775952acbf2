// Case mapping rune by rune, by the table that Go's unicode package has (no locale, no special casing).
#include <algorithm>
#include <array>
#include <cstdint>

#include "gitops/substitute/functions.h"
#include "kube/base/utf8.h"

namespace weber::gitops {

namespace {

struct CaseRange {
    std::uint32_t first, last;
    std::int32_t upper, lower;
};
constexpr CaseRange kRanges[] = {
#include "gitops/substitute/case_ranges.inc"
};
constexpr std::int32_t kAlternating = 0x110000; // upper and lower follow each other, upper first

std::uint32_t mapped(std::uint32_t rune, std::int32_t CaseRange::*which) {
    const auto* range = std::ranges::lower_bound(kRanges, rune, {}, &CaseRange::last);
    if (range == std::end(kRanges) || rune < range->first) return rune;
    const std::int32_t delta = range->*which;
    if (delta != kAlternating) return static_cast<std::uint32_t>(static_cast<std::int32_t>(rune) + delta);
    const std::uint32_t bit = which == &CaseRange::lower ? 1 : 0;
    return range->first + (((rune - range->first) & ~1u) | bit);
}

std::string mapped_text(std::string_view text, std::int32_t CaseRange::*which, bool first_only) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const kube::CodePoint c = kube::decode_utf8(text, i);
        kube::append_utf8(out, mapped(c.value, which)); // an invalid byte becomes U+FFFD
        i += c.bytes;
        if (first_only) return out.append(text.substr(i));
    }
    return out;
}

} // namespace

std::string to_upper(std::string_view value) { return mapped_text(value, &CaseRange::upper, false); }
std::string to_lower(std::string_view value) { return mapped_text(value, &CaseRange::lower, false); }
std::string to_upper_first(std::string_view value) { return mapped_text(value, &CaseRange::upper, true); }
std::string to_lower_first(std::string_view value) { return mapped_text(value, &CaseRange::lower, true); }

} // namespace weber::gitops
