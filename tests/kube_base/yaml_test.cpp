#include "kube/base/yaml.h"

#include <gtest/gtest.h>

#include "kube/base/json.h"

namespace weber::kube {
namespace {

// As go-yaml, and unlike libyaml: \' is an escape, \/ is none.
TEST(Yaml, EscapesInDoubleQuotes) {
    const auto json = [](std::string_view text) {
        const auto node = read_yaml_one(text);
        return node ? write_json(*node) : node.error().message;
    };
    EXPECT_EQ(json(R"(a: "don\'t")"), R"({"a":"don't"})");
    EXPECT_EQ(json("# \xC3\xA9\n&x a: \"h\xC3\xA9 \\'q\\' \\\\' \\\"'\" # c\nb: 'x\\'\nc: \\'\nd: |\n  \"\\'\ne: [\"\\'\", \"\\n\\'\"]\n"), R"({"a":"hé 'q' \\' \"'","b":"x\\","c":"\\'","d":"\"\\'\n","e":["'","\n'"]})");
    EXPECT_EQ(json("a: b\nc: \"x\\/y\"\n"), "yaml: line 2: found unknown escape character");
    EXPECT_EQ(json("a: &x b\nc: \"x\\/y\"\n"), "yaml: line 2: found unknown escape character");
    EXPECT_EQ(json("&x a: x\\/y\nb: 'x\\/y'\nc: \"\\\\/\"\n"), R"({"a":"x\\/y","b":"x\\/y","c":"\\/"})");
    EXPECT_EQ(json("a: b\nc: \"x\n  y\\/z\nd: e\n"), "yaml: line 3: found unknown escape character") << "before the end that is missing";
    std::string many = "&x a:\n";
    for (int i = 0; i < 20'000; ++i) many += "- \"\\'\"\n";
    EXPECT_FALSE(read_yaml_one(many)) << "bounded work: what is left after it is refused";
}

// kustomize goes through JSON, in which Go writes U+FFFD for each byte that is no text (found by fuzz.yaml: such bytes were written as they were).
// go-yaml v2 and v3 alike: what a tag of somebody's own stands before is a text as it stands.
// go-yaml takes brackets and commas for parts of a tag; libyaml ends it there, or refuses it.
TEST(Yaml, TagsMayHoldBrackets) {
    const auto json = [](std::string_view text) { return write_json(read_yaml_one(text).value()); };
    EXPECT_EQ(json("a: !x] v\nb: [!x, y, !z[0] w]\nc: !!int] 5\nd: !<t:]> z\ne: !q]\n- \"!r]\"\nf: é !x] v\n"),
              R"({"a":"v","b":["y","w"],"c":"5","d":"z","e":["!r]"],"f":"é !x] v"})");
    EXPECT_EQ(json("a: {b: !x, c}\n"), R"({"a":{"b":"c"}})");
    EXPECT_EQ(read_yaml("a: {b: !x, c: d}\n").error().message, "yaml: line 1: did not find expected ',' or '}'");
    EXPECT_EQ(read_yaml("a: 1\nb: [!x]\n").error().message, "yaml: line 3: did not find expected ',' or ']'") << "the tag took the bracket";
    std::string many;
    for (int i = 0; i < 20'000; ++i) many += "- !x] y\n";
    EXPECT_TRUE(read_yaml(many + "- " + std::string(5'000'000, '!') + "\n").error().message.find("yaml:") == 0); // in bounded time
}

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
