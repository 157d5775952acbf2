// ConfigMaps and Secrets from literals, files and env files; expectations recorded from kustomize v5.8.1.
#include <gtest/gtest.h>

#include "kustomize/generators.h"
#include "tests/kustomize/harness.h"

namespace weber::kustomize {
namespace {

TEST(Generators, LiteralsFilesAndEnvs) {
    Harness h;
    h.write_k("/app", R"(
generatorOptions: {disableNameSuffixHash: true}
configMapGenerator:
- name: gen
  literals: [a=b, "c='d e'", 'q="x"']
  files: [x.txt, renamed=dir/y.txt, bin.dat]
  envs: [e.env]
)");
    h.write("/app/x.txt", "line1\nline2\n");
    h.write("/app/dir/y.txt", "why");
    h.write("/app/bin.dat", std::string("\xff\xfe\0abc", 6));
    h.write("/app/e.env", "\xEF\xBB\xBF" "A=1\n# comment\n\n  B=2=3\nC\n");
    h.expect_yaml("/app", R"(apiVersion: v1
binaryData:
  bin.dat: //4AYWJj
data:
  A: "1"
  B: 2=3
  C: ""
  a: b
  c: d e
  q: x
  renamed: why
  x.txt: |
    line1
    line2
kind: ConfigMap
metadata:
  name: gen
)");
}

TEST(Generators, SecretsAreEncodedAndTyped) {
    Harness h;
    h.write_k("/app", R"(
secretGenerator:
- name: s
  type: kubernetes.io/tls
  literals: [password=hunter2]
  options: {disableNameSuffixHash: true, immutable: true, labels: {l: v}}
)");
    h.expect_yaml("/app", R"(apiVersion: v1
data:
  password: aHVudGVyMg==
immutable: true
kind: Secret
metadata:
  labels:
    l: v
  name: s
type: kubernetes.io/tls
)");
}

TEST(Generators, GlobalOptionsGiveWayToLocalOnesSaveForTrue) {
    auto merged = merge_generator_options(GeneratorOptions{.labels = {{"a", "local"}}, .annotations = {}},
                                          GeneratorOptions{.labels = {{"a", "global"}, {"b", "global"}}, .annotations = {{"c", "d"}}, .disable_name_suffix_hash = true});
    ASSERT_TRUE(merged);
    EXPECT_EQ(merged->labels, (StringMap{{"a", "local"}, {"b", "global"}}));
    EXPECT_EQ(merged->annotations, (StringMap{{"c", "d"}}));
    EXPECT_TRUE(merged->disable_name_suffix_hash);
    EXPECT_FALSE(merged->immutable);
}

TEST(Generators, MergeAndReplaceOverABase) {
    Harness h;
    h.write_k("/base", "configMapGenerator:\n- {name: c, literals: [a=1, b=2], options: {disableNameSuffixHash: true, labels: {from: base}}}\n");
    h.write_k("/merge", "resources: [../base]\nconfigMapGenerator:\n- {name: c, behavior: merge, literals: [b=3, c=4], options: {disableNameSuffixHash: true}}\n");
    h.write_k("/replace", "resources: [../base]\nconfigMapGenerator:\n- {name: c, behavior: replace, literals: [z=9], options: {disableNameSuffixHash: true}}\n");
    constexpr std::string_view kTail = "kind: ConfigMap\nmetadata:\n  labels:\n    from: base\n  name: c\n";
    h.expect_yaml("/merge", "apiVersion: v1\ndata:\n  a: \"1\"\n  b: \"3\"\n  c: \"4\"\n" + std::string(kTail));
    h.expect_yaml("/replace", "apiVersion: v1\ndata:\n  z: \"9\"\n" + std::string(kTail));
    h.write_k("/create", "resources: [../base]\nconfigMapGenerator:\n- {name: c, literals: [z=9]}\n");
    h.expect_error("/create", "behavior must be merge or replace");
    h.write_k("/nothing", "configMapGenerator:\n- {name: c, behavior: merge, literals: [z=9]}\n");
    h.expect_error("/nothing", "does not exist; cannot merge or replace");
}

TEST(Generators, ErrorsNameTheGeneratorAndNoSecretValue) {
    struct Case {
        std::string_view args, message;
    };
    for (const Case& c : {Case{"{literals: [a=b]}", "must have a name"}, Case{"{name: s, literals: [hunter2]}", "invalid literal source, expected key=value"},
                          Case{"{name: s, literals: [a=1, a=hunter2]}", "illegally repeats the key `a`"},
                          Case{"{name: s, files: [nope]}", "file sources: [nope]: evalsymlink failure on '/app/nope'"},
                          Case{"{name: s, files: [a=b=c]}", "key name or file path contains '='"},
                          Case{"{name: s, files: [=x]}", "missing key name for file path"},
                          Case{"{name: s, files: [x=]}", "missing file path for key name"},
                          Case{"{name: s, envs: [../out]}", "env source files: [../out]"}}) {
        Harness h;
        h.write_k("/app", "secretGenerator:\n- " + std::string(c.args) + "\n");
        auto output = h.build("/app");
        ASSERT_FALSE(output) << c.args;
        std::string text = output.error().to_string();
        EXPECT_NE(text.find(c.message), std::string::npos) << text;
        EXPECT_NE(text.find("/app/kustomization.yaml:4"), std::string::npos) << text;
        EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
    }
}

} // namespace
} // namespace weber::kustomize
