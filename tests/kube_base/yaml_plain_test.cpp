// The quick reader of YAML beside libyaml: whatever it reads, libyaml reads the same; and what it is meant for, it reads.
#include <gtest/gtest.h>
#include <test_paths.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "kube/base/yaml_plain.h"

namespace weber::kube {
namespace {

namespace fs = std::filesystem;

::testing::AssertionResult same(const Node& a, const Node& b) {
    if (a.kind() != b.kind() || a.style() != b.style() || a.line() != b.line() || a.file() != b.file() || a.size() != b.size())
        return ::testing::AssertionFailure() << "a node of line " << b.line() << " differs (" << a.line() << ", style " << static_cast<int>(a.style()) << " and " << static_cast<int>(b.style()) << ")";
    if (a.is_map()) {
        for (std::size_t i = 0; i < a.size(); ++i) {
            if (a.entries()[i].key != b.entries()[i].key) return ::testing::AssertionFailure() << "key of line " << b.line();
            if (auto values = same(a.entries()[i].value, b.entries()[i].value); !values) return values;
        }
    } else if (a.is_list()) {
        for (std::size_t i = 0; i < a.size(); ++i)
            if (auto items = same(a.items()[i], b.items()[i]); !items) return items;
    } else if (a.text() != b.text()) {
        return ::testing::AssertionFailure() << "text of line " << b.line() << ": " << a.text() << " and " << b.text();
    }
    return ::testing::AssertionSuccess();
}

// 1: read the quick way, 0: left to libyaml.
int compare(const std::string& text, const YamlReadOptions& options = {.file = "f.yaml", .first_line = 7}) {
    const auto quick = read_plain_yaml(text, options);
    if (!quick) return 0;
    const auto full = read_any_yaml(text, options);
    EXPECT_TRUE(full.has_value()) << full.error().to_string() << "\n" << text;
    if (!full) return 1;
    EXPECT_EQ(quick->size(), full->size()) << text;
    for (std::size_t i = 0; i < std::min(quick->size(), full->size()); ++i) EXPECT_TRUE(same((*quick)[i], (*full)[i])) << text;
    return 1;
}

const std::string kManifest = R"yaml(# head
apiVersion: apps/v1 # of apps
kind: Deployment
metadata:
  name: web-1
  labels: {}
  annotations:
    example.com/a.b: "true"
    checksum: 'a: b # c'
    empty:
    none: null
    tilde: ~
spec:
  replicas: 3
  paused: false
  ratio: 1.50
  template:
    spec:
      containers:
      - name: web
        image: reg:5000/nginx:1.2
        args:
        - --port=80
        - -v
        - "$(VAR)"
        - (x)
        command: []
        flags: ["--a", 'b c', d-e, 8080, true, null, --f]
        verbs: [get, "list", -1] # verbs
        # between
        env:
          -   name: A
              value: x y  z

          - name: B
            value: |
              two
                lines

              # no comment
          - name: C
            value: |-

              stripped

      volumes:
        - plain
        - 1e3
---
apiVersion: v1
kind: List
items:
- a: 1
  b:
  - c
  - d: e
    f: g
- on
- - nested
  - "x": 1
-
  alone: in its line
# tail
--- # CRDs are full of these
description: One of several lines
  that go on, and on:here

  after a gap
quoted: "of two
  lines\twith \"escapes\" \u00e9\
  joined  \n

  end"
'single': 'it''s
  also two'
folded: >-
  folded
  lines

  and a gap
    deeper
  end
kept: |+
  kept	x
  	deep

folded2: >
  a
  	b
  c	
"f:metadata":
  f:spec: {}
  with space: "a"
next:
  "below the key"
flow: {a: b, "c":"d", e: [x, {f: g h}, [1, 2.5]], i: { j: k }}
over: [ "lines",
  two, three ]
named: é and ü
=x: y
---
{"kind": "JSON", "list": [1, "two", null, true, {"a": {}}],
  "b": "c"}
)yaml";

TEST(YamlPlain, ReadsManifests) {
    EXPECT_EQ(compare(kManifest), 1);
    EXPECT_EQ(compare(kManifest, {.file = "f.yaml", .schema = YamlSchema::yaml_1_1}), 1);
    EXPECT_EQ(compare("- a\n- b: c\n"), 1);
    for (const char* text : {"---\n", "---\n---\n", "---\na: b\n---\n# nothing\n\n---\nc: d\n---\n", "a: b\n---\n"}) EXPECT_EQ(compare(text), 1) << text;
}

TEST(YamlPlain, LeavesTheRest) {
    for (const char* text : {"", "a", "a: b", "\n", "a: [b,c]]\n", "a: [b\n", "a: [b]c\n", "a: {b: c\n", "a: |\n  x\n b: c\n", "a: @x\n", "a: `x\n", "a: b\na: c\n",
                             "a: b: c\n", "a: - b\n", "a: b\n c: d\n", "  a: b\n c: d\n", "...\n", "a: b\n...\n", "%YAML 1.1\n---\na: b\n", "a: b #c\n  d\n", "- a: 1\n  - b\n", "a: \"\\q\"\n",
                             "a: \"\\ud800\"\n", "a: \"x\n---\ny\"\n", "a: *x\n", "a: b\r\n", "a: \xff\n"})
        EXPECT_FALSE(read_plain_yaml(text, {}).has_value()) << text;
    EXPECT_EQ(compare("y: b\n", {.file = "f.yaml", .schema = YamlSchema::yaml_1_1}), 1);
    EXPECT_FALSE(read_plain_yaml("a:\n  b:\n    c: d\n", {.limits = {.depth = 2}}).has_value());
    EXPECT_FALSE(read_plain_yaml("a: [[b]]\n", {.limits = {.depth = 2}}).has_value());
    EXPECT_FALSE(read_plain_yaml("a: &a [x, x]\nb: [*a, *a]\n---\na: &a [x, x]\nb: [*a, *a]\n", {.limits = {.alias_expansion = 10}}).has_value());
    EXPECT_TRUE(read_plain_yaml("a: &a [x, x]\nb: [*a, *a]\n---\na: &a [x, x]\nb: [*a, *a]\n", {.limits = {.alias_expansion = 12}}).has_value());
    EXPECT_FALSE(read_plain_yaml("a: b\n---\na: b\n", {.limits = {.documents = 1}}).has_value());
    EXPECT_FALSE(read_plain_yaml("a: b\nc: d\n", {.limits = {.nodes = 2}}).has_value());
}

// Documents with what only libyaml reads, among others.
TEST(YamlPlain, LeavesSingleDocuments) {
    const std::string odd[] = {"a: &x b\nc: *x\n", "a: !!str 1\n", "? a\n: b\n", "a: [b, # c\n  d]\n", "<<: {a: b}\n", "a: |2\n   b\n", "-\n- a\n", "[]: a\n"};
    for (const std::string& text : odd) {
        for (const std::string& all : {"a: b\n---\n" + text + "---\nc: d\n", "# head\n---\n" + text + "---\nc: d\n", "a: b\n---\n# c\n" + text, "---\n" + text + "--- # more\na: b\n", text + "---\n---\n"})
            EXPECT_EQ(compare(all), text == "[]: a\n" ? 0 : 1) << all;
    }
    EXPECT_EQ(compare("a: &x b\n...\n---\nc: d\n"), 0);
    EXPECT_EQ(compare("a: &x b\n---\nc: *x\n"), 0);
}

// Damaged manifests: lines moved, characters changed.
TEST(YamlPlain, ReadsNothingThatLibyamlReadsOtherwise) {
    std::mt19937 random(20251125);
    const auto upto = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
    const std::string letters = " \n-:#'\"|[]{}&*!>?%@`~.,ab1\\\t";
    int quick = 0;
    for (int round = 0; round < 40000; ++round) {
        const std::size_t begin = kManifest.find('\n', upto(kManifest.size() - 1)) + 1;
        std::string text = kManifest.substr(begin, 20 + upto(200));
        for (std::size_t changes = upto(4); changes > 0; --changes) {
            const std::size_t at = upto(text.size() + 1);
            const char c = letters[upto(letters.size())];
            switch (upto(4)) {
            case 0: text.insert(at, 1, c); break;
            case 1: if (at < text.size()) text[at] = c; break;
            case 2: if (at < text.size()) text.erase(at, 1 + upto(3)); break;
            default: text.insert(at, upto(2) == 0 ? "\n" + std::string(upto(6), ' ') : std::string(1 + upto(3), ' ')); break;
            }
        }
        if (!text.ends_with('\n')) text += '\n';
        quick += compare(text);
        if (::testing::Test::HasFailure()) break;
    }
    EXPECT_GT(quick, 1000);
}

TEST(YamlPlain, RealFiles) {
    const fs::path root = fs::path(WEBER_SHARED_DIR) / "conformance" / "kustomize";
    if (!fs::is_directory(root)) GTEST_SKIP() << root << " is not there";
    int quick = 0, all = 0;
    for (const auto& file : fs::recursive_directory_iterator(root)) {
        if (file.path().extension() != ".yaml") continue;
        std::ifstream in(file.path(), std::ios::binary);
        quick += compare(std::string(std::istreambuf_iterator<char>(in), {}));
        ++all;
    }
    EXPECT_GT(quick * 2, all);
}

} // namespace
} // namespace weber::kube
