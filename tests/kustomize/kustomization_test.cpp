// Reading a kustomization file: strict, with lines, deprecated fields moved.
#include "kustomize/kustomization.h"

#include <gtest/gtest.h>

#include "kube/base/yaml.h"
#include "tests/kustomize/harness.h"

namespace weber::kustomize {
namespace {

Result<Kustomization> read(std::string_view text) {
    TRY(Node document, kube::read_yaml_one(text, {.file = "k.yaml", .schema = kube::YamlSchema::yaml_1_1}));
    return read_kustomization(document, "/app");
}

TEST(Kustomization, BadFilesAreRefusedWithTheirLine) {
    struct Case {
        std::string_view text, message;
    };
    for (const Case& c : {
             Case{"resourcs: []\n", "k.yaml:1: invalid Kustomization: unknown field \"resourcs\" (did you mean \"resources\"?)"},
             Case{"a: 1\n", "unknown field \"a\""},
             Case{"namePrefix: x\nimages:\n- name: a\n  newTga: b\n", "k.yaml:4: invalid Kustomization: images: unknown field \"newTga\" (did you mean \"newTag\"?)"},
             Case{"namePrefix: 5\n", "k.yaml:1: invalid Kustomization: namePrefix: expected a string, found integer"},
             Case{"namePrefix: yes\n", "expected a string, found boolean"},
             Case{"resources: a.yaml\n", "expected a list, found string"},
             Case{"commonLabels:\n  a: 1\n", "k.yaml:2: invalid Kustomization: commonLabels: a: expected a string"},
             Case{"- a\n", "expected a map, found array"},
             Case{"{}\n", "kustomization.yaml is empty"},
             Case{"kind: Kustomization\nnamePrefix: ''\n", "kustomization.yaml is empty"},
             Case{"kind: Foo\nresources: []\n", "kind should be Kustomization or Component"},
             Case{"apiVersion: v1\nresources: []\n", "apiVersion for Kustomization should be kustomize.config.k8s.io/v1beta1"},
             Case{"kind: Component\napiVersion: kustomize.config.k8s.io/v1beta1\nresources: []\n", "apiVersion for Component should be kustomize.config.k8s.io/v1alpha1"},
         }) {
        auto k = read(c.text);
        ASSERT_FALSE(k) << c.text;
        EXPECT_NE(k.error().to_string().find(c.message), std::string::npos) << k.error().to_string();
    }
}

TEST(Kustomization, DeprecatedFieldsMoveToTheirSuccessors) {
    auto k = read("bases: [b]\nresources: [a]\nimageTags: [{name: x, newTag: '1'}]\nconfigMapGenerator: [{name: c, env: e, envs: [f]}]\n");
    ASSERT_TRUE(k) << k.error().to_string();
    ASSERT_EQ(k->resources.size(), 2u);
    EXPECT_EQ(k->resources[0].text, "a");
    EXPECT_EQ(k->resources[1].text, "b");
    ASSERT_EQ(k->images.size(), 1u);
    EXPECT_EQ(k->config_map_generator[0].envs, (std::vector<std::string>{"f", "e"}));
    EXPECT_EQ(k->kind, "Kustomization");
    ASSERT_EQ(k->warnings.size(), 2u);
    EXPECT_EQ(k->warnings[0], "# Warning: 'bases' is deprecated. Please use 'resources' instead. Run 'kustomize edit fix' to update your Kustomization automatically.");
}

TEST(Kustomization, FieldNamesMatchWhateverTheirCase) {
    auto k = read("nameprefix: p-\nRESOURCES: [a]\n");
    ASSERT_TRUE(k) << k.error().to_string();
    EXPECT_EQ(k->name_prefix, "p-");
    EXPECT_EQ(k->resources.size(), 1u);
}

TEST(Kustomization, NullLeavesAFieldAlone) {
    auto k = read("resources:\nnamePrefix:\nnamespace: x\n");
    ASSERT_TRUE(k) << k.error().to_string();
    EXPECT_TRUE(k->resources.empty());
    EXPECT_EQ(k->ns, "x");
}

TEST(Kustomization, CallersMayGiveTheRootDocument) {
    Harness h;
    h.write("/app/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n");
    auto document = kube::read_yaml_one("resources: [cm.yaml]\nnamePrefix: x-\n");
    ASSERT_TRUE(document);
    h.options.root_kustomization = *document;
    h.expect_yaml("/app", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x-a\n");
}

} // namespace
} // namespace weber::kustomize
