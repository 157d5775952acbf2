#include "kube/base/json_patch.h"

#include <gtest/gtest.h>

#include "kube/base/json.h"

namespace weber::kube {
namespace {

Node json(std::string_view text) { return read_json(text).value(); }

struct PatchCase {
    const char* name;
    const char* document;
    const char* patch;
    const char* result; // or the error's message
};

class JsonPatchTable : public testing::TestWithParam<PatchCase> {};

TEST_P(JsonPatchTable, GivesResultOrError) {
    const Node before = json(GetParam().document);
    Node document = before;
    const Result<JsonPatch> patch = JsonPatch::from_node(json(GetParam().patch));
    ASSERT_TRUE(patch) << patch.error().message;
    const Result<void> applied = patch->apply(document);
    if (applied) {
        EXPECT_EQ(write_json(document), GetParam().result);
    } else {
        EXPECT_EQ(applied.error().message, GetParam().result);
        EXPECT_EQ(document, before) << "a failed patch must change nothing";
    }
}

// Expectations of the error rows: evanphx/json-patch v4.13.
constexpr PatchCase kPatchCases[] = {
    {"Add", R"({"a":1})", R"([{"op":"add","path":"/b","value":[2]}])", R"({"a":1,"b":[2]})"},
    {"AddReplacesAKey", R"({"a":1})", R"([{"op":"add","path":"/a","value":2}])", R"({"a":2})"},
    {"AddWithoutValueIsNull", R"({})", R"([{"op":"add","path":"/a"}])", R"({"a":null})"},
    {"AddIntoList", R"({"a":[1,3]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2,3]})"},
    {"AddAtTheEnd", R"({"a":[1]})", R"([{"op":"add","path":"/a/-","value":2}])", R"({"a":[1,2]})"},
    {"AddAtMinusOneIsTheEnd", R"({"a":[1]})", R"([{"op":"add","path":"/a/-1","value":2}])", R"({"a":[1,2]})"},
    {"AddBeyondTheEnd", R"({"a":[1]})", R"([{"op":"add","path":"/a/3","value":2}])",
     "error in add for path: '/a/3': Unable to access invalid index: 3: invalid index referenced"},
    {"AddAtAWord", R"({"a":[1]})", R"([{"op":"add","path":"/a/x","value":2}])",
     R"(error in add for path: '/a/x': value was not a proper array index: 'x': strconv.Atoi: parsing "x": invalid syntax)"},
    {"AddNeedsTheParent", R"({})", R"([{"op":"add","path":"/a/b","value":2}])",
     R"(add operation does not apply: doc is missing path: "/a/b": missing value)"},
    {"AddNeedsAContainer", R"({"a":"s"})", R"([{"op":"add","path":"/a/b","value":2}])",
     R"(add operation does not apply: doc is missing path: "/a/b": missing value)"},
    {"AddNeedsASlash", R"({})", R"([{"op":"add","path":"a","value":2}])",
     R"(add operation does not apply: doc is missing path: "a": missing value)"},
    {"AddNeedsAPath", R"({})", R"([{"op":"add","value":2}])", "add operation failed to decode path: missing value"},
    {"Escapes", R"({"a/b":{"c~d":1}})", R"([{"op":"replace","path":"/a~1b/c~0d","value":2}])", R"({"a/b":{"c~d":2}})"},
    {"EscapeOfAnEscape", R"({"~1":1})", R"([{"op":"remove","path":"/~01"}])", "{}"},
    {"Remove", R"({"a":1,"b":2})", R"([{"op":"remove","path":"/a"}])", R"({"b":2})"},
    {"RemoveLast", R"({"a":[1,2,3]})", R"([{"op":"remove","path":"/a/-1"}])", R"({"a":[1,2]})"},
    {"RemoveMissing", R"({"a":1})", R"([{"op":"remove","path":"/b"}])",
     "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value"},
    {"RemoveInMissing", R"({"a":1})", R"([{"op":"remove","path":"/b/c"}])",
     R"(remove operation does not apply: doc is missing path: "/b/c": missing value)"},
    {"Replace", R"({"a":[1,2]})", R"([{"op":"replace","path":"/a/0","value":{"x":1}}])", R"({"a":[{"x":1},2]})"},
    {"ReplaceOfAnAbsentKeyAdds", R"({})", R"([{"op":"replace","path":"/a","value":1}])", R"({"a":1})"},
    {"ReplaceBeyondTheEnd", R"({"a":[]})", R"([{"op":"replace","path":"/a/0","value":1}])",
     "replace operation does not apply: doc is missing key: /a/0: missing value"},
    {"ReplaceAll", R"({"a":1})", R"([{"op":"replace","path":"","value":{"b":2}}])", R"({"b":2})"},
    {"Move", R"({"a":{"x":1},"b":{}})", R"([{"op":"move","from":"/a/x","path":"/b/y"}])", R"({"a":{},"b":{"y":1}})"},
    {"MoveInList", R"({"a":[1,2,3]})", R"([{"op":"move","from":"/a/0","path":"/a/2"}])", R"({"a":[2,3,1]})"},
    {"MoveMissing", R"({"a":1})", R"([{"op":"move","from":"/x","path":"/y"}])",
     "error in move for path: 'x': Unable to remove nonexistent key: x: missing value"},
    {"Copy", R"({"a":{"x":[1]}})", R"([{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/b/x/-","value":2}])",
     R"({"a":{"x":[1]},"b":{"x":[1,2]}})"},
    {"Test", R"({"a":{"x":1,"y":[2]}})", R"([{"op":"test","path":"/a","value":{"y":[2],"x":1}}])", R"({"a":{"x":1,"y":[2]}})"},
    {"TestAbsentIsNull", R"({})", R"([{"op":"test","path":"/a","value":null}])", "{}"},
    {"TestFails", R"({"a":1})", R"([{"op":"test","path":"/a","value":"1"}])", "testing value /a failed: test failed"},
    {"UnknownOperation", R"({})", R"([{"op":"frob","path":"/a"}])", "Unexpected kind: frob"},
    {"NoOperation", R"({})", R"([{"path":"/a"}])", "Unexpected kind: unknown"},
    {"FirstStepsAreUndone", R"({"a":1})", R"([{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}])",
     "error in remove for path: '/a': Unable to remove nonexistent key: a: missing value"},
};
INSTANTIATE_TEST_SUITE_P(, JsonPatchTable, testing::ValuesIn(kPatchCases), [](const auto& info) { return info.param.name; });

TEST(JsonPatch, IsAListOfMaps) {
    EXPECT_FALSE(JsonPatch::from_node(json("{}")));
    EXPECT_FALSE(JsonPatch::from_node(json("[1]")));
    EXPECT_TRUE(JsonPatch::from_node(json("[]"))->empty());
}

// The table of RFC 7386, appendix A.
TEST(MergePatch, Rfc7386) {
    const char* cases[][3] = {
        {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        {R"({"a":"b"})", R"({"a":null})", R"({})"},
        {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
        {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
        {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
        {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
        {R"({"a":"foo"})", "null", "null"},
        {R"({"a":"foo"})", R"("bar")", R"("bar")"},
        {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
        {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
        {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
    };
    for (const auto& [target, patch, result] : cases) {
        Node node = json(target);
        apply_merge_patch(node, json(patch));
        EXPECT_EQ(write_json(node), result) << target << " + " << patch;
    }
}

} // namespace
} // namespace weber::kube
