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

} // namespace
} // namespace weber::gitops::sops
