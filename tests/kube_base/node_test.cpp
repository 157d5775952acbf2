#include "kube/base/node.h"

#include <gtest/gtest.h>

namespace weber::kube {
namespace {

TEST(Node, CopiesShareUntilWritten) {
    Node a = Node::map({{"x", Node::integer(1)}, {"y", Node::map({{"z", Node::string("q")}})}});
    Node b = a;
    EXPECT_TRUE(a.same_tree(b));
    b.find_mut("y")->set("z", Node::string("r"));
    EXPECT_EQ(a.find_path({"y", "z"})->text(), "q");
    EXPECT_EQ(b.find_path({"y", "z"})->text(), "r");
    EXPECT_FALSE(a == b);
}

TEST(Node, ManyKeysAreFoundAfterAppendEraseAndRename) {
    Node m = Node::map();
    for (int i = 0; i < 1000; ++i) m.set("k" + std::to_string(i), Node::integer(i));
    for (int i = 0; i < 1000; i += 3) EXPECT_TRUE(m.erase("k" + std::to_string(i)));
    m.rename_key("k1", "first");
    EXPECT_EQ(m.find("k1"), nullptr);
    EXPECT_EQ(m.find("first")->as_int(), 1);
    for (int i = 2; i < 1000; ++i) EXPECT_EQ(m.contains("k" + std::to_string(i)), i % 3 != 0) << i;
    EXPECT_EQ(m.size(), 666u);
}

TEST(Node, EqualityIsByJsonValue) {
    const Node a = Node::map({{"a", Node::integer(1)}, {"b", Node::list({Node::boolean(true)})}});
    const Node b = Node::map({{"b", Node::list({Node::boolean(true)})}, {"a", Node::scalar(NodeKind::integer, Text("0x1"))}});
    EXPECT_EQ(a, b);
    EXPECT_EQ(a.hash(), b.hash());
    EXPECT_FALSE(Node::integer(1) == Node::floating(1.0));
    EXPECT_FALSE(Node::map() == Node::null());
}

TEST(Node, AssigningAChildToItsParentIsSafe) {
    Node m = Node::map({{"child", Node::map({{"x", Node::integer(7)}})}});
    m = *m.find("child");
    EXPECT_EQ(m.find("x")->as_int(), 7);
    m = std::move(*m.find_mut("x"));
    EXPECT_EQ(m.as_int(), 7);
}

} // namespace
} // namespace weber::kube
