#include "kube/base/yaml.h"

#include <gtest/gtest.h>

namespace weber::kube {
namespace {

// kustomize goes through JSON, in which Go writes U+FFFD for each byte that is no text (found by fuzz.yaml: such bytes were written as they were).
TEST(Yaml, BinaryThatIsNoText) {
    const auto map = read_yaml_one("a: !!binary eee1\nb: !!binary aGk=\n");
    ASSERT_TRUE(map) << map.error().to_string();
    EXPECT_EQ(map->text_at("a"), "y\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(map->text_at("b"), "hi");
    const auto again = read_yaml_one(write_yaml(*map));
    ASSERT_TRUE(again) << again.error().to_string();
    EXPECT_EQ(*again, *map);
}

} // namespace
} // namespace weber::kube
