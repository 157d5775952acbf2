// build.md 5.1 and the checklist of section 8, items 35 to 47: objects.
#include "gitops/substitute/substitute.h"

#include <gtest/gtest.h>

#include "kube/base/yaml.h"

namespace weber::gitops {
namespace {

Object object_of(std::string_view yaml) { return Object(kube::read_yaml_one(yaml, {.file = "a.yaml"}).value()); }

Object config_map(std::string_view value) {
    return object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: " + std::string(value) + "\n");
}

Result<Object> substituted(const Object& object, Variables variables, SubstituteOptions options = {}) {
    return Substitution(std::move(variables), options).apply(object);
}

// The node that `k: ${v}` becomes.
Node typed(std::string value) {
    const auto out = substituted(config_map("${v}"), {{"v", std::move(value)}});
    EXPECT_TRUE(out) << out.error().message;
    return out ? *out->at({"data", "k"}) : Node::string("error");
}

TEST(Substitute, Item35QuotesAroundAnExpressionDoNotMakeAString) {
    EXPECT_EQ(*substituted(config_map("\"${v}\""), {{"v", "123"}})->at({"data", "k"}), Node::integer(123));
    EXPECT_EQ(typed("\"123\""), Node::string("123"));
    EXPECT_EQ(typed("!!str 123"), Node::string("123"));
    EXPECT_EQ(*substituted(config_map("${q}${v}${q}"), {{"v", "123"}, {"q", "\""}})->at({"data", "k"}), Node::string("123"));
}

TEST(Substitute, Item36PlainTextsBecomeTyped) {
    for (const char* text : {"y", "yes", "on", "TRUE"}) EXPECT_EQ(typed(text), Node::boolean(true)) << text;
    for (const char* text : {"off", "No"}) EXPECT_EQ(typed(text), Node::boolean(false)) << text;
    for (const char* text : {"", "~", "null"}) EXPECT_TRUE(typed(text).is_null()) << text;
    EXPECT_EQ(typed("0755"), Node::integer(493));
    EXPECT_EQ(typed("0o17"), Node::integer(15));
    EXPECT_EQ(typed("0x1F"), Node::integer(31));
    EXPECT_EQ(typed("1_000"), Node::integer(1000));
    EXPECT_EQ(typed("1e3"), Node::integer(1000));
    EXPECT_EQ(typed("1.10"), Node::floating(1.1));
    EXPECT_EQ(typed("9007199254740993"), Node::integer(9007199254740992)); // float64 on the way
}

TEST(Substitute, Item37DatesAreStringsAndYamlIsParsed) {
    for (const char* text : {"2024-01-01", "12:30:45", "1.2.3"}) EXPECT_EQ(typed(text), Node::string(text));
    EXPECT_EQ(typed("{x: 1}"), Node::map({{"x", Node::integer(1)}}));
    EXPECT_EQ(typed("a #b"), Node::string("a"));
    const auto colon = substituted(config_map("${v}"), {{"v", "a: b"}});
    ASSERT_FALSE(colon);
    EXPECT_EQ(colon.error().message, "envsubst error: YAMLToJSON: yaml: line 3: mapping values are not allowed in this context");
    EXPECT_EQ(colon.error().where.file, "a.yaml");
    const auto alias = substituted(config_map("${v}"), {{"v", "*x"}});
    ASSERT_FALSE(alias);
    EXPECT_EQ(alias.error().message, "envsubst error: YAMLToJSON: yaml: unknown anchor '<redacted>' referenced"); // its name may be a secret's value
}

TEST(Substitute, AnchorNamesFromValuesAreNotShown) {
    const auto out = substituted(config_map("${v}"), {{"v", "*hunter2"}});
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().to_string().find("hunter2"), std::string::npos) << out.error().to_string();
}

TEST(Substitute, Item38ValuesMayBreakOrKeepTheYaml) {
    EXPECT_EQ(*substituted(config_map("\"pre: ${v}\""), {{"v", "x: y"}})->at({"data", "k"}), Node::string("pre: x: y"));
    const auto quote = substituted(config_map("\"@${v}\""), {{"v", "it's"}});
    ASSERT_FALSE(quote);
    EXPECT_EQ(quote.error().message, "envsubst error: YAMLToJSON: yaml: line 2: did not find expected key");
}

TEST(Substitute, Item42WithoutVariablesNothingHappensUnlessAlways) {
    EXPECT_EQ(*substituted(config_map("${x:=d}"), {}), config_map("${x:=d}"));
    EXPECT_EQ(*substituted(config_map("${x:=d}"), {}, {.always = true})->at({"data", "k"}), Node::string("d"));
}

TEST(Substitute, Item43LabelOrAnnotationSwitchesItOff) {
    const auto with = [](std::string_view field, std::string_view value) {
        return object_of("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  " + std::string(field) + ": {kustomize.toolkit.fluxcd.io/substitute: \"" + std::string(value) +
                         "\"}\ndata: {k: \"${h}\"}\n");
    };
    const auto k_of = [](const Object& o) { return substituted(o, {{"h", "hello"}, {"st", "disabled"}}, {.strict = true, .always = true})->root().find("data")->text_at("k"); };
    EXPECT_EQ(std::string(k_of(with("labels", "disabled"))), "${h}");
    EXPECT_EQ(std::string(k_of(with("annotations", "disabled"))), "${h}");
    const Object capital = *substituted(with("labels", "Disabled"), {{"h", "hello"}});
    EXPECT_EQ(capital.root().find("data")->text_at("k"), "hello");
    const Object variable = *substituted(with("labels", "${st}"), {{"h", "hello"}, {"st", "disabled"}});
    EXPECT_EQ(variable.root().find("data")->text_at("k"), "hello");
}

TEST(Substitute, Item44OneBadNameFailsEveryObject) {
    for (const char* name : {"a-b", "1a", "\xC3\xA9", "app.yaml", ""}) {
        const auto out = substituted(config_map("plain"), {{name, "x"}});
        ASSERT_FALSE(out);
        EXPECT_EQ(out.error().message, "envsubst error: '" + std::string(name) + "' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'");
    }
}

TEST(Substitute, Item45CommentsAndLoneDollars) {
    const Object object = object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a} # ${bad\ndata:\n  k: |\n    cost $5\n    and $$6\n");
    const Object plain = object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: |\n    cost $5\n");
    EXPECT_EQ(*substituted(plain, {{"v", "1"}}), plain);
    EXPECT_EQ(substituted(object, {{"v", "1"}})->root().find("data")->text_at("k"), "cost $5\nand $6\n");
}

TEST(Substitute, Item46NamesKeysKindsAndNumbers) {
    const auto out = substituted(object_of("apiVersion: apps/v1\nkind: ${k}\nmetadata: {name: \"${n}\", labels: {\"${n}-key\": x}}\nspec: {replicas: \"${r}\"}\n"),
                                 {{"k", "Deployment"}, {"n", "web"}, {"r", "3"}});
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(out->kind(), "Deployment");
    EXPECT_EQ(out->name(), "web");
    EXPECT_EQ(out->label("web-key"), "x");
    EXPECT_EQ(*out->at({"spec", "replicas"}), Node::integer(3));
}

TEST(Substitute, ErrorsNameWhatIsWrong) {
    const auto out = substituted(config_map("${a.b}"), {{"v", "1"}});
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().message, "envsubst error: variable substitution failed: missing closing brace");
    EXPECT_EQ(out.error().where.to_string(), "a.yaml:1");
}

TEST(Substitute, PositionsOfTheFileStay) {
    const auto out = substituted(object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: \"${v}\"\n  \"${v}\": y\n"), {{"v", "x"}});
    ASSERT_TRUE(out);
    EXPECT_EQ(out->where().to_string(), "a.yaml:1");
    EXPECT_EQ(out->at({"data", "k"})->where().to_string(), "a.yaml:5");
}

} // namespace
} // namespace weber::gitops
