// The built-in tables of field specs stand in the program as kustomize holds them after it has merged and sorted them.
#include <gtest/gtest.h>

#include "kustomize/transform/field_specs.h"

namespace weber::kustomize {
namespace {

TEST(DefaultFieldSpecs, AreSortedAndSettled) {
    const auto merged = merge_configs(TransformerConfig{}, default_transformer_config());
    ASSERT_TRUE(merged.has_value()) << merged.error().message;
    EXPECT_EQ(*merged, default_transformer_config());
}

} // namespace
} // namespace weber::kustomize
