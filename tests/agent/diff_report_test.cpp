// The report of `diff kustomization` on every kind of change. The expectations are what dyff 1.10.2 printed for the same documents.
#include "agent/flux/diff_report.h"

#include <gtest/gtest.h>

#include "agent/flux/line_diff.h"
#include "kube/base/json.h"

namespace weber::agent {
namespace {

std::string report(const std::string& before, const std::string& after, std::size_t width = kReportWidth) {
    const auto b = kube::read_json(before), a = kube::read_json(after);
    EXPECT_TRUE(b && a);
    return b && a ? diff_report(*b, *a, width) : "";
}

struct Case {
    const char *name, *before, *after, *report;
};

class DiffReport : public ::testing::TestWithParam<Case> {};

const Case kCases[] = {
    {"Values", R"({"a": "1", "n": 1, "f": 1.5, "t": true, "z": null, "e": ""})",
     R"({"a": "2", "n": 2, "f": 2.5, "t": false, "z": null, "e": "x"})",
     R"(
a
± value change
- 1
+ 2

e
± value change
-
+ x

f
± value change
- 1.5
+ 2.5

n
± value change
- 1
+ 2

t
± value change
- true
+ false
)"},
    {"Types", R"({"a": "1", "b": 1, "c": null, "d": {"x": 1}, "e": [1], "f": true, "g": 1})",
     R"({"a": 1, "b": 1.5, "c": "x y", "d": "s", "e": {"x": "- y"}, "f": "true", "g": null})",
     R"(
a
± type change from string to int
- 1
+ 1

b
± type change from int to float
- 1
+ 1.5

c
± type change from <nil> to string
- <nil>
+ "x y"

d
± type change from map to string
- x: 1
+ s

e
± type change from list to map
- - 1
+ x: "- y"

f
± type change from bool to string
- true
+ "true"

g
± type change from int to <nil>
- 1
+ <nil>
)"},
    {"EntriesSideBySide", R"({"m": {"old": "x", "keep": 1}})",
     R"({"m": {"new": "y", "keep": 1}})",
     R"(
m
- one map entry removed:   + one map entry added:
old: x                       new: y
)"},
    {"EntriesBelowEachOther", R"({"m": {"old": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "keep": 1}})",
     R"({"m": {"new": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "keep": 1}})",
     R"(
m
- one map entry removed:
old: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx

+ one map entry added:
  new: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx

)"},
    {"OnlyAdded", R"({"m": {"k": 1}})",
     R"({"m": {"k": 1, "a": {"name": "x", "b": {"c": [1, 2]}, "list": [], "map": {}, "n": null, "s": "two words", "t": "true", "d": "-x", "i": 5, "text": "one\ntwo\n"}}})",
     R"(
m
+ one map entry added:
  a:
    name: x
    d: "-x"
    i: 5
    list: []
    map: {}
    n: null
    s: "two words"
    t: "true"
    text: |
      one
      two

    b:
      c:
      - 1
      - 2
)"},
    {"OnlyRemoved", R"({"m": {"k": 1, "a": {"z": 1, "b": [{"name": "x", "v": 1}, {"name": "y", "v": 2}]}}})",
     R"({"m": {"k": 1}})",
     R"(
m
- one map entry removed:
a:
  b:
  - name: x
    v: 1
  - name: y
    v: 2
  z: 1
)"},
    {"Root", R"({"a": 1, "b": 2})",
     R"({"b": 2, "c": 3})",
     R"(
(root level)
- one map entry removed:   + one map entry added:
a: 1                         c: 3
)"},
    {"NamedLists", R"({"l": [{"name": "a", "v": 1}, {"name": "b", "v": 2}, {"name": "c", "v": 3}]})",
     R"({"l": [{"name": "b", "v": 2}, {"name": "a", "v": 9}, {"name": "d", "v": 4}]})",
     R"(
l
⇆ order changed   - one list entry removed:   + one list entry added:
- a, b            - name: c                     - name: d
+ b, a              v: 3                          v: 4

l.a.v
± value change
- 1
+ 9
)"},
    {"PortsWithoutNames", R"({"l": [{"port": 80, "protocol": "TCP"}, {"port": 443, "protocol": "TCP"}]})",
     R"({"l": [{"port": 80, "protocol": "TCP"}, {"port": 444, "protocol": "TCP"}]})",
     R"(
l
- one list entry removed:   + one list entry added:
- port: 443                   - port: 444
  protocol: TCP                 protocol: TCP
)"},
    {"GuessedIdentity", R"({"l": [{"host": "h0", "v": 0}, {"host": "h1", "v": 1}, {"host": "h2", "v": 2}, {"host": "h3", "v": 3}]})",
     R"({"l": [{"host": "h0", "v": 0}, {"host": "h1", "v": 1}, {"host": "h2", "v": 3}, {"host": "h3", "v": 3}]})",
     R"(
l.h2.v
± value change
- 2
+ 3
)"},
    {"OneEntryEach", R"({"l": [{"port": 80}]})",
     R"({"l": [{"port": 81}]})",
     R"(
l.0.port
± value change
- 80
+ 81
)"},
    {"PlainLists", R"({"l": ["a", "b", "c", "c", "d"]})",
     R"({"l": ["b", "a", "c", "e", "f", "f"]})",
     R"(
l
- two list entries removed:   + three list entries added:
- c                             - e
- d                             - f
                                - f
)"},
    {"OrderOnly", R"({"l": ["a", "b", "c"]})",
     R"({"l": ["c", "b", "a"]})",
     R"(
l
⇆ order changed
- a, b, c
+ c, b, a
)"},
    {"LongOrder", R"({"l": ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]})",
     R"({"l": ["bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]})",
     R"(
l
⇆ order changed
  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa   bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb   aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)"},
    {"Blanks", R"({"t": "a b\n", "u": " x"})",
     R"({"t": "a b", "u": "x"})",
     R"(
t
± whitespace only change
- a·b↵   + a·b


u
± whitespace only change
- ·x   + x
)"},
    {"Texts", R"({"t": "one\ntwo\nthree\nfour\nfive\n"})",
     R"({"t": "one\n2\nthree\nfour\nfive\nsix\n"})",
     R"(
t
± value change in multiline text (two inserts, one deletion)
- two
+ 2
+ six

)"},
    {"TextToOneLine", R"({"t": "one\ntwo\n"})",
     R"({"t": "one"})",
     R"(
t
± value change in multiline text (one insert, one deletion)
- one
- two
+ one

)"},
    {"NoNewlineAtEnd", R"({"t": "one\ntwo"})",
     R"({"t": "one\nthree"})",
     R"(
t
± value change in multiline text (one insert, one deletion)
- two
+ three

)"},
    {"Containers", R"({"spec": {"containers": [{"name": "app", "image": "x:1"}]}})",
     R"({"spec": {"containers": [{"name": "app", "image": "x:2", "resources": {"limits": {"cpu": "1"}}, "env": [{"name": "A", "value": "1"}]}, {"name": "side", "image": "y", "ports": [{"containerPort": 80, "name": "http"}], "args": ["-a", "b: c"]}]}})",
     R"(
spec.containers
+ one list entry added:
  - name: side
    image: y
    args:
    - "-a"
    - "b: c"
    ports:
    - name: http
      containerPort: 80

spec.containers.app
+ two map entries added:
  resources:
    limits:
      cpu: 1
  env:
  - name: A
    value: 1

spec.containers.app.image
± value change
- x:1
+ x:2
)"},
    {"EmptyList", R"({"l": [], "m": {}})",
     R"({"l": ["x"], "m": {"k": "v"}})",
     R"(
l
+ one list entry added:
  - x

m
+ one map entry added:
  k: v
)"},
    {"DotsInKeys", R"({"m": {"a.b/c": "1", "_x_y_": "1", "*s*": "1"}})",
     R"({"m": {"a.b/c": "2", "_x_y_": "2", "*s*": "2"}})",
     R"(
m.*s*
± value change
- 1
+ 2

m._x_y_
± value change
- 1
+ 2

m.a.b/c
± value change
- 1
+ 2
)"},
    {"Percent", R"({"m": "100%", "t": "a %s\nb"})",
     R"({"m": "50% %d", "t": "a %d\nc"})",
     R"(
m
± value change
- 100%
+ 50% %d

t
± value change in multiline text (one insert, one deletion)
- a %s
- b
+ a %d
+ c

)"},
    {"Wide", R"({"m": {"a": "漢字漢字"}})",
     R"({"m": {"b": "ünï"}})",
     R"(
m
- one map entry removed:   + one map entry added:
a: 漢字漢字                      b: ünï
)"},
    {"Manager", R"({"l": [{"manager": "a", "x": 1}, {"manager": "b", "x": 1}]})",
     R"({"l": [{"manager": "a", "x": 2}, {"manager": "b", "x": 1}]})",
     R"(
l.a.x
± value change
- 1
+ 2
)"},
    {"Nested", R"({"l": [[1, 2], [3]]})",
     R"({"l": [[1, 2], [4], {}]})",
     R"(
l
- one list entry removed:   + two list entries added:
- - 3                         - - 4
                              -)"},
    {"MixedNames", R"({"l": [{"name": "a"}, {"x": 1}]})",
     R"({"l": [{"name": "b"}, {"x": 1}]})",
     R"(
l
- one list entry removed:   + one list entry added:
- name: a                     - name: b
)"},
    {"Quotes", R"({"m": {}})",
     R"({"m": {"a": "x \"y\" z", "b": "tab\there", "c": "a,b", "d": "null", "e": "*", "f": "é é", "g": "a\\b c", "h": "it's", "i": "#no", "j": "a: b", "k": "1", "l": "2024-01-01", "m": "yes"}})",
     R"(
m
+ 13 map entries added:
  a: "x \"y\" z"
  b: tab	here
  c: "a,b"
  d: "null"
  e: "*"
  f: "é é"
  g: "a\\b c"
  h: it's
  i: #no
  j: "a: b"
  k: 1
  l: 2024-01-01
  m: yes
)"},
};
INSTANTIATE_TEST_SUITE_P(As, DiffReport, ::testing::ValuesIn(kCases), [](const auto& info) { return std::string(info.param.name); });

TEST_P(DiffReport, Dyff) { EXPECT_EQ(report(GetParam().before, GetParam().after), GetParam().report); }

TEST(DiffReports, SameDocumentsHaveNone) { EXPECT_EQ(report(R"({"b": 1, "a": [1, "x"]})", R"({"a": [1, "x"], "b": 1})"), ""); }

// What is too wide for the terminal stands one below the other.
TEST(DiffReports, FitTheTerminal) {
    const std::string before = R"({"m": {"old": "x"}})", after = R"({"m": {"new": "y"}})";
    EXPECT_EQ(report(before, after, 200), "\nm\n- one map entry removed:   + one map entry added:\nold: x                       new: y\n");
    EXPECT_EQ(report(before, after, 40), "\nm\n- one map entry removed:\nold: x\n\n+ one map entry added:\n  new: y\n\n");
}

// Edits over repeated lines slide as far as diff-match-patch lets them.
TEST(LineDiff, SlidesOverEqualLines) {
    std::string told;
    for (const LineRun& run : line_diff("a\nx\nb\nx\nc\n", "a\nx\nb\nx\nb\nx\nc\n"))
        told += (run.change == LineChange::same ? "=" : run.change == LineChange::added ? "+" : "-") + run.text;
    EXPECT_EQ(told, "=a\nx\nb\nx\n+b\nx\n=c\n");
}

TEST(LineDiff, OfNothing) {
    EXPECT_TRUE(line_diff("", "").empty());
    ASSERT_EQ(line_diff("", "a").size(), 1u);
    EXPECT_EQ(line_diff("", "a")[0].change, LineChange::added);
}

} // namespace
} // namespace weber::agent
