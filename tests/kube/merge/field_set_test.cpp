// Sets of field paths in their wire form.
#include <gtest/gtest.h>

#include "kube/base/json.h"
#include "kube/merge/field_set.h"

namespace weber::kube::merge {
namespace {

FieldSet set(std::string_view json) {
    auto node = read_json(json);
    EXPECT_TRUE(node) << json;
    return FieldSet(node ? std::move(*node) : Node());
}

using Paths = std::vector<std::string>;

TEST(FieldSet, NamesItsPaths) {
    EXPECT_EQ(set(R"({"f:a":{}})").paths(), Paths{".a"});
    EXPECT_EQ(set(R"({"f:a":{"f:b":{}}})").paths(), Paths{".a.b"});
    EXPECT_EQ(set(R"({"f:a":{".":{},"f:b":{}}})").paths(), (Paths{".a", ".a.b"}));
    EXPECT_EQ(set(R"({"f:l":{"k:{\"name\":\"c\",\"port\":80}":{"f:x":{}},"v:\"s\"":{},"v:3":{},"i:0":{}}})").paths(),
              (Paths{".l[0]", R"(.l[="s"])", ".l[=3]", R"(.l[name="c",port=80].x)"}));
}

TEST(FieldSet, IsTheReferencesOrder) { // members of a level first
    EXPECT_EQ(set(R"({"f:b":{},"f:a":{"f:z":{}},"f:c":{}})").paths(), (Paths{".b", ".c", ".a.z"}));
}

struct Operation {
    const char *a, *b, *united, *common, *without;
};
constexpr Operation kOperations[] = {
    {R"({"f:a":{}})", R"({"f:b":{}})", R"({"f:a":{},"f:b":{}})", "{}", R"({"f:a":{}})"},
    {R"({"f:a":{}})", R"({"f:a":{}})", R"({"f:a":{}})", R"({"f:a":{}})", "{}"},
    {R"({"f:a":{}})", R"({"f:a":{"f:b":{}}})", R"({"f:a":{".":{},"f:b":{}}})", "{}", R"({"f:a":{}})"},
    {R"({"f:a":{".":{},"f:b":{},"f:c":{}}})", R"({"f:a":{"f:b":{}}})", R"({"f:a":{".":{},"f:b":{},"f:c":{}}})", R"({"f:a":{"f:b":{}}})",
     R"({"f:a":{".":{},"f:c":{}}})"},
    {"{}", R"({"f:a":{}})", R"({"f:a":{}})", "{}", "{}"},
};

TEST(FieldSet, IsUnitedIntersectedAndSubtracted) {
    for (const auto& op : kOperations) {
        SCOPED_TRACE(std::string(op.a) + " with " + op.b);
        EXPECT_EQ(unite(set(op.a), set(op.b)), set(op.united));
        EXPECT_EQ(intersect(set(op.a), set(op.b)), set(op.common));
        EXPECT_EQ(subtract(set(op.a), set(op.b)), set(op.without));
    }
    EXPECT_EQ(subtract_deep(set(R"({"f:a":{"f:b":{}},"f:c":{}})"), set(R"({"f:a":{}})")), set(R"({"f:c":{}})"));
}

TEST(FieldSet, HasLeaves) { EXPECT_EQ(set(R"({"f:a":{".":{},"f:b":{".":{},"f:c":{}}},"f:d":{}})").leaves(), set(R"({"f:a":{"f:b":{"f:c":{}}},"f:d":{}})")); }

} // namespace
} // namespace weber::kube::merge
