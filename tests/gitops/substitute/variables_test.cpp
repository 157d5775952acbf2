// build.md 5.1: where variables come from; items 39 to 41.
#include "gitops/substitute/variables.h"

#include <gtest/gtest.h>

#include "kube/base/yaml.h"

namespace weber::gitops {
namespace {

std::vector<Object> objects_of(std::string_view yaml) {
    std::vector<Object> out;
    const std::vector<Node> documents = kube::read_yaml(yaml, {.file = "values.yaml"}).value();
    for (const Node& n : documents) out.emplace_back(n);
    return out;
}

const std::string_view kObjects = R"(
apiVersion: v1
kind: ConfigMap
metadata: {name: cm, namespace: apps}
data: {zone: a, multi: "\naz-1a\n"}
binaryData: {bin: eHg=}
---
apiVersion: v1
kind: Secret
metadata: {name: secret, namespace: apps}
data: {zone: Yg==}
---
apiVersion: v1
kind: Secret
metadata: {name: broken, namespace: apps}
data: {zone: "hunter2!"}
)";

Result<Variables> load(const PostBuildSpec& spec) { return load_variables(spec, "apps", lookup_in(objects_of(kObjects))); }

TEST(LoadVariables, Item39NewlinesAreDeleted) {
    EXPECT_EQ(load({.substitute = {{"x", "l1\nl2\n"}}})->at("x"), "l1l2");
    EXPECT_EQ(load({.substitute_from = {{"ConfigMap", "cm"}}})->at("multi"), "az-1a");
    EXPECT_FALSE(load({.substitute_from = {{"ConfigMap", "cm"}}})->contains("bin"));
}

TEST(LoadVariables, Item40LaterSourcesAndInlineValuesWin) {
    const std::vector<SubstituteFrom> both = {{"ConfigMap", "cm"}, {"Secret", "secret"}};
    EXPECT_EQ(load({.substitute_from = both})->at("zone"), "b");
    EXPECT_EQ(load({.substitute = {{"zone", "c"}}, .substitute_from = both})->at("zone"), "c");
    EXPECT_EQ(load({.substitute_from = {both[1], both[0]}})->at("zone"), "a");
}

TEST(LoadVariables, Item41OnlyOptionalSourcesMayBeAbsent) {
    EXPECT_TRUE(load({.substitute_from = {{"ConfigMap", "x", true}}})->empty());
    EXPECT_EQ(load({.substitute_from = {{"ConfigMap", "x"}}}).error().message, "substitute from 'ConfigMap/x' error: configmaps \"x\" not found");
    EXPECT_EQ(load({.substitute_from = {{"Secret", "x"}}}).error().message, "substitute from 'Secret/x' error: secrets \"x\" not found");
    const ObjectLookup refused = [](std::string_view, const std::string&, const std::string&) -> Result<Object> {
        return fail(ErrorCode::forbidden, "forbidden");
    };
    EXPECT_EQ(load_variables({.substitute_from = {{"ConfigMap", "x", true}}}, "apps", refused).error().message,
              "substitute from 'ConfigMap/x' error: forbidden");
}

TEST(LoadVariables, OtherNamespacesAreNotRead) {
    EXPECT_FALSE(load_variables({.substitute_from = {{"ConfigMap", "cm"}}}, "other", lookup_in(objects_of(kObjects))));
}

// As the API server has it, for Secrets of files.
TEST(LoadVariables, StringDataWinsOverData) {
    const ObjectLookup lookup = lookup_in(objects_of("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: apps}\ndata: {k: b2xk, d: b2xk}\nstringData: {k: new}\n"));
    const auto loaded = load_variables({.substitute_from = {{"Secret", "s"}}}, "apps", lookup);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->at("k"), "new");
    EXPECT_EQ(loaded->at("d"), "old");
}

// Only what is absent is looked for elsewhere: a value of the fleet must not stand in for one that may not be read.
TEST(LoadVariables, AnErrorEndsTheSearch) {
    const ObjectLookup refused = [](std::string_view, const std::string&, const std::string&) -> Result<Object> { return fail(ErrorCode::forbidden, "forbidden"); };
    const auto loaded = [&](std::vector<ObjectLookup> lookups) { return load_variables({.substitute_from = {{"ConfigMap", "cm"}}}, "apps", first_of(std::move(lookups))); };
    EXPECT_EQ(loaded({refused, lookup_in(objects_of(kObjects))}).error().message, "substitute from 'ConfigMap/cm' error: forbidden");
    EXPECT_TRUE(loaded({lookup_in(std::vector<Object>()), lookup_in(objects_of(kObjects)), refused}));
}

TEST(LoadVariables, ASecretsValueIsNotInTheError) {
    const auto out = load({.substitute_from = {{"Secret", "broken"}}});
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().message, "substitute from 'Secret/broken' error: data.zone is not base64");
    EXPECT_EQ(out.error().to_string().find("hunter2"), std::string::npos);
}

TEST(ValuesFile, HoldsVariablesAndObjects) {
    const auto values = parse_values("zone: eu\nreplicas: 3\n---\n" + std::string(kObjects), "values.yaml");
    ASSERT_TRUE(values) << values.error().message;
    EXPECT_EQ(values->variables.at("replicas"), "3");
    EXPECT_EQ(values->objects.size(), 3u);
    const Variables loaded = *load_variables({.substitute = {{"replicas", "5"}}, .substitute_from = {{"ConfigMap", "cm"}}}, "apps", lookup_in(values->objects), values->variables);
    EXPECT_EQ(loaded.at("zone"), "eu");
    EXPECT_EQ(loaded.at("replicas"), "5");
}

TEST(ValuesFile, RefusesWhatIsNoValue) {
    const auto out = parse_values("zone: eu\nlist: [a]\n", "values.yaml");
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().to_string(), "values.yaml:2: the value of 'list' is a array, not a text");
    EXPECT_FALSE(parse_values("- a\n", "values.yaml"));
}

} // namespace
} // namespace weber::gitops
