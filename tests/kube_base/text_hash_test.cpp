#include "kube/base/text_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>

namespace weber::kube {
namespace {

// Each byte counts, wherever it stands, and so does the length: no two of these are the same.
TEST(TextHash, EachByteAndTheLengthCount) {
    std::set<std::size_t> seen;
    std::size_t texts = 0;
    for (std::size_t size = 0; size <= 40; ++size) {
        seen.insert(text_hash(std::string(size, 'a')));
        ++texts;
        for (std::size_t at = 0; at < size; ++at) {
            for (const char other : {'b', '\0', '\xff'}) {
                std::string text(size, 'a');
                text[at] = other;
                seen.insert(text_hash(text));
                ++texts;
            }
        }
    }
    EXPECT_EQ(seen.size(), texts);
}

// Tables take the low bits: names that differ in a number fill 1,024 places about as evenly as chance would.
TEST(TextHash, NumberedNamesSpreadInTheLowBits) {
    std::unordered_map<std::size_t, int> places;
    for (int i = 0; i < 4096; ++i) ++places[text_hash("config-" + std::to_string(i)) % 1024];
    int most = 0;
    for (const auto& [place, n] : places) most = std::max(most, n);
    EXPECT_GT(places.size(), 980u);
    EXPECT_LT(most, 16);
}

} // namespace
} // namespace weber::kube
