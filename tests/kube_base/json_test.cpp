#include "kube/base/json.h"

#include <gtest/gtest.h>

namespace weber::kube {
namespace {

TEST(Json, AZeroByteIsNoEnd) {
    for (const std::string_view text : {std::string_view("{}\0", 3), std::string_view("{}\0 x", 5), std::string_view("\0", 1)})
        EXPECT_FALSE(read_json(text)) << text.size();
    EXPECT_TRUE(read_json(R"({"a":"\u0000"})"));
}

} // namespace
} // namespace weber::kube
