#include "kube/base/yaml.h"

#include <gtest/gtest.h>

#include "kube/base/json.h"

namespace weber::kube {
namespace {

// kustomize goes through JSON, in which Go writes U+FFFD for each byte that is no text (found by fuzz.yaml: such bytes were written as they were).
// go-yaml v2 and v3 alike: what a tag of somebody's own stands before is a text as it stands.
TEST(Yaml, ScalarsWithTagsOfOnesOwnAreTexts) {
    for (const YamlSchema schema : {YamlSchema::go_yaml_v3, YamlSchema::yaml_1_1}) {
        const auto map = read_yaml_one("a: !Ref 5\nb: !0755\nc: !t true\nd: !<tag:x.org,2000:y> null\ne: !t x\n!t yes: f\n", {.schema = schema});
        ASSERT_TRUE(map);
        EXPECT_EQ(write_json(*map), R"({"a":"5","b":"","c":"true","d":"null","e":"x","yes":"f"})");
    }
}

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
