// .sops.yaml: creation rules.
#include "gitops/decrypt/config.h"

#include <gtest/gtest.h>

namespace weber::gitops::sops {
namespace {

constexpr std::string_view kConfig = R"(
creation_rules:
- path_regex: apps/.*\.yaml$
  encrypted_regex: ^(data|stringData)$
  age: age1a, age1b,
  pgp: [FP1]
- path_regex: groups
  shamir_threshold: 2
  mac_only_encrypted: true
  key_groups:
  - age: [age1a, age1a]
  - merge: [{age: [age1c]}]
    pgp: FP2
    kms: [{arn: x}]
- unencrypted_suffix: _plain
  age: age1d
)";

std::optional<Metadata> rule(std::string_view path) { return creation_rule(kConfig, ".sops.yaml", path).value(); }

TEST(SopsConfig, TheFirstRuleThatFits) {
    const auto apps = rule("apps/db/secret.yaml");
    ASSERT_EQ(apps->groups.size(), 1u);
    ASSERT_EQ(apps->groups[0].size(), 3u);
    EXPECT_EQ(apps->groups[0][1].name, "age1b");
    EXPECT_EQ(apps->groups[0][2].provider, Provider::pgp);
    EXPECT_EQ(apps->rule.encrypted_regex, "^(data|stringData)$");
    EXPECT_EQ(rule("other")->rule.unencrypted_suffix, "_plain");
    EXPECT_FALSE(creation_rule("creation_rules: [{path_regex: x, age: y}]", ".sops.yaml", "a").value());
    EXPECT_FALSE(creation_rule("", ".sops.yaml", "a").value());
}

TEST(SopsConfig, KeyGroups) {
    const auto groups = rule("groups/a");
    ASSERT_EQ(groups->groups.size(), 2u);
    EXPECT_EQ(groups->groups[0].size(), 1u);
    EXPECT_EQ(groups->groups[1].size(), 3u);
    EXPECT_EQ(groups->shamir_threshold, 2);
    EXPECT_TRUE(groups->mac_only_encrypted);
}

TEST(SopsConfig, MistakesAreNamedWithTheirLine) {
    const auto message = [](std::string_view config) { return creation_rule(config, ".sops.yaml", "a").error().to_string(); };
    EXPECT_EQ(message("creation_rules:\n- path_regex: \"[\"\n"), ".sops.yaml:2: '[' is no regular expression");
    EXPECT_EQ(message("creation_rules:\n- encrypted_regex: \"(\"\n"), ".sops.yaml:2: '(' is no regular expression");
    EXPECT_EQ(message("creation_rules:\n- age: {a: b}\n"), ".sops.yaml:2: keys must be a text or a list of texts");
    EXPECT_EQ(message("creation_rules:\n- shamir_threshold: \"2\"\n"), ".sops.yaml:2: shamir_threshold must be a number");
    EXPECT_EQ(message("creation_rules:\n- mac_only_encrypted: \"true\"\n"), ".sops.yaml:2: mac_only_encrypted must be true or false");
    EXPECT_NE(message("creation_rules:\n- encrypted_regex: a\n  encrypted_suffix: b\n").find("cannot use more than one of"), std::string::npos);
}

TEST(SopsConfig, StoresSayTheIndentation) {
    EXPECT_EQ(indentation("stores:\n  yaml: {indent: 2}\n  json: {indent: 3}\n  json_binary: {indent: 0}\n", "c").value(), (Indentation{.yaml = 2, .json = 3, .binary = 0}));
    for (const char* none : {"", "creation_rules: []\n", "stores: {}\n", "stores: {yaml: {}, json: {indent: null}}\n"}) EXPECT_EQ(indentation(none, "c").value(), Indentation()) << none;
    EXPECT_EQ(indentation("stores:\n  json:\n    indent: two\n", "c").error().to_string(), "c:3: stores.json.indent must be a number");
}

TEST(SopsConfig, WhatIsWrittenStandsAtTheIndentation) {
    const Branches tree = load_yaml("a:\n  b:\n  - c: |\n      x\n       y\n    d: 1\n  e: |2\n     z\n").value();
    EXPECT_EQ(emit_yaml(tree, 2).value(), "a:\n  b:\n    - c: |\n        x\n         y\n      d: 1\n  e: |2\n     z\n");
    EXPECT_EQ(emit_yaml(tree, 0).value(), emit_yaml(tree, 4).value());
    EXPECT_EQ(emit_yaml(tree, 12).value(), emit_yaml(tree, 2).value()) << "go-yaml's limit";
    EXPECT_EQ(emit_yaml(tree, -1).error().message, "YAML Negative indentation not accepted");
    const Branches object = load_json(R"({"a": [1, {}], "b": {"c": true}})").value();
    EXPECT_EQ(emit_json(object, 0).value(), "{\n\"a\": [\n1,\n{}\n],\n\"b\": {\n\"c\": true\n}\n}\n");
    EXPECT_EQ(emit_json(object, 1).value(), "{\n \"a\": [\n  1,\n  {}\n ],\n \"b\": {\n  \"c\": true\n }\n}\n");
    EXPECT_EQ(emit_json(object, -2).error().message, "JSON Indentation parameter smaller than -1 is not accepted");
}

} // namespace
} // namespace weber::gitops::sops
