#include "gitops/decrypt/yaml_events.h"

#include <gtest/gtest.h>

namespace weber::gitops::sops {
namespace {

std::string shown(const YamlEvents& events) {
    std::string out;
    for (const YamlEvent& e : events.list) {
        if (e.kind == YamlEventKind::other) continue; // the stream's start
        out += std::to_string(static_cast<int>(e.kind)) + (e.plain ? " plain" : "") + " <" + std::string(e.text) + "> " + std::string(e.tag) + std::string(e.anchor);
        if (e.kind == YamlEventKind::scalar && !e.text.empty()) out += " line " + std::to_string(e.start.line);
        out += "\n";
    }
    return out;
}

// Whatever the quick reader takes, it reads as libyaml does.
TEST(SimpleYaml, ReadsWhatSopsWrites) {
    for (const std::string text : {
             "a: 1\n",
             "a:\nb: x\n",
             "a:\n    b: c\n    d:\n        e: ENC[AES256_GCM,data:aGk=,iv:aGk=,tag:aGk=,type:str]\nf: \"2026-01-02T03:04:05Z\"\n",
             "a:\n    - x\n    - y: 1\n      z:\n        - q\n    - 'it is'\nb: \"\"\n",
             "a:\n- x\n- k: v\n  l: |\n    one\n      two\n    three\nb: ^(data|stringData)$\n",
             "sops:\n    age:\n        - enc: |\n            -----BEGIN AGE ENCRYPTED FILE-----\n            YWdl==\n            -----END AGE ENCRYPTED FILE-----\n          recipient: age1\n",
             "a: |-\n  x\nb:\n  c: null\n",
             "- a\n- b: c\n",
             "a b: c d\nhttp://x: y:z\n",
         }) {
        const auto slow = yaml_events(text);
        ASSERT_TRUE(slow) << text;
        const auto quick = simple_yaml_events(text);
        ASSERT_TRUE(quick) << text;
        EXPECT_EQ(shown(*quick), shown(*slow)) << text;
    }
}

TEST(SimpleYaml, LeavesEverythingElseToLibyaml) {
    for (const std::string_view text : {"", "\n", "a: 1", "a: 1\n\n", "# c\na: 1\n", "a: 1 # c\n", "a: &x 1\n", "a: *x\n", "a: !!str 1\n", "a: {b: c}\n", "a: [b]\n", "---\na: 1\n", "a: 1\n---\nb: 2\n",
                                   "a: 1\n...\n", "a: b\n  c\n", "a: \"x\\n\"\n", "a: \"x\n  y\"\n", "a: >\n  x\n", "a: |2\n    x\n", "a: |\n", "a: \xC3\xA4\n", "a:\tb\n", "a: b\r\n", "\"a\": 1\n",
                                   "? a\n: b\n", "a: b: c\n", "a:\n  b: 1\n c: 2\n", "  a: 1\n", "just text\n", "- - a\n", "a: 1\n  b: 2\n", "a:\n  - b\n  c: d\n", "a: x \n", "%YAML 1.1\n", "a: 'it''s'\n",
                                   "a: |\n    x\n  y\n", "a: -1\n", "a:\n  -\n", "...: x\n"})
        EXPECT_FALSE(simple_yaml_events(text)) << text;
}

} // namespace
} // namespace weber::gitops::sops
