#include "kube/base/selector.h"

#include <gtest/gtest.h>

#include "kube/base/json.h"

namespace weber::kube {
namespace {

Node json(std::string_view text) { return read_json(text).value(); }

struct MatchCase {
    const char* selector;
    const char* labels;
    bool matches;
};

TEST(LabelSelector, Matches) {
    constexpr MatchCase cases[] = {
        {"", R"({})", true},
        {"a=1", R"({"a":"1"})", true},
        {"a==1", R"({"a":"2"})", false},
        {"a=1", R"({})", false},
        {"a!=1", R"({})", true},
        {"a!=1", R"({"a":"1"})", false},
        {"a", R"({"a":""})", true},
        {"!a", R"({"a":""})", false},
        {"!a", R"({"b":"1"})", true},
        {"a in (1,2)", R"({"a":"2"})", true},
        {"a in (1,2)", R"({"a":"3"})", false},
        {"a notin (1,2)", R"({})", true},
        {"a notin (1,2)", R"({"a":"1"})", false},
        {"a in (,x)", R"({"a":""})", true},
        {"a in ()", R"({"a":""})", true},
        {"a=", R"({"a":""})", true},
        {"a=,b=2", R"({"a":"","b":"2"})", true},
        {"a=1,b!=2 , c", R"({"a":"1","b":"3","c":"x"})", true},
        {"a=1,b!=2,c", R"({"a":"1","b":"2","c":"x"})", false},
        {"n>5", R"({"n":"6"})", true},
        {"n<5", R"({"n":"6"})", false},
        {"n>5", R"({"n":"x"})", false},
        {"in in (in,notin)", R"({"in":"notin"})", true},
        {"app.kubernetes.io/name=web", R"({"app.kubernetes.io/name":"web"})", true},
    };
    for (const MatchCase& c : cases) {
        const Result<LabelSelector> selector = LabelSelector::parse(c.selector);
        ASSERT_TRUE(selector) << c.selector << ": " << selector.error().message;
        const Node labels = json(c.labels);
        EXPECT_EQ(selector->matches(&labels), c.matches) << c.selector << " on " << c.labels;
    }
    EXPECT_TRUE(LabelSelector::parse("!a")->matches(nullptr));
    EXPECT_FALSE(LabelSelector::parse("a")->matches(nullptr));
}

// Messages of apimachinery's parser.
TEST(LabelSelector, Errors) {
    constexpr std::pair<const char*, const char*> cases[] = {
        {"=x", "found '=', expected: !, identifier, or 'end of string'"},
        {"a x", "unable to parse requirement: found 'x', expected: in, notin, =, ==, !=, gt, lt"},
        {"a in x", "unable to parse requirement: found 'x' expected: '('"},
        {"a in (x", "unable to parse requirement: found '', expected: ',' or ')'"},
        {"a=b c", "found 'c', expected: ',' or 'end of string'"},
        {"a=b,", "found '', expected: identifier after ','"},
        {"a>b", "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"},
        {"!", "unable to parse requirement: found '', expected: identifier"},
    };
    for (const auto& [text, message] : cases) {
        const Result<LabelSelector> selector = LabelSelector::parse(text);
        ASSERT_FALSE(selector) << text;
        EXPECT_EQ(selector.error().message, message);
        EXPECT_EQ(selector.error().code, ErrorCode::invalid);
    }
    EXPECT_TRUE(LabelSelector::parse("-a=b").error().message.starts_with(
        "unable to parse requirement: invalid label key \"-a\": name part must consist of alphanumeric characters"));
    EXPECT_TRUE(LabelSelector::parse("a=b_").error().message.starts_with(
        "unable to parse requirement: invalid label value: \"b_\": at key: \"a\": a valid label must be"));
}

// Those of API servers, where they differ.
TEST(LabelSelector, ErrorsOfApiServers) {
    constexpr std::pair<const char*, const char*> cases[] = {
        {"-a=b", "unable to parse requirement: <nil>: Invalid value: \"-a\": name part must consist of"},
        {"a=b_", "unable to parse requirement: values[0][a]: Invalid value: \"b_\": a valid label must be"},
        {"a in (x,b_,-c)", "unable to parse requirement: [values[0][a]: Invalid value: \"-c\": a valid label must be"},
        {"a>b", "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer"},
        {"a/b/c", "unable to parse requirement: <nil>: Invalid value: \"a/b/c\": a valid label key must consist of"},
        {"a in (b,=", "unable to parse requirement: found '=', expected: ',', or identifier"},
    };
    for (const auto& [text, message] : cases) {
        const Result<LabelSelector> selector = LabelSelector::parse(text, SelectorWords::api_server);
        ASSERT_FALSE(selector) << text;
        EXPECT_TRUE(selector.error().message.starts_with(message)) << selector.error().message;
    }
}

TEST(LabelRules, KeysAndValues) {
    EXPECT_EQ(label_key_problem("example.com/Name_1.x"), "");
    EXPECT_NE(label_key_problem("Example.com/x"), "");
    EXPECT_NE(label_key_problem("a/b/c"), "");
    EXPECT_NE(label_key_problem("/x"), "");
    EXPECT_NE(label_key_problem(std::string(64, 'a')), "");
    EXPECT_EQ(label_value_problem(""), "");
    EXPECT_EQ(label_value_problem(std::string(63, 'a')), "");
    EXPECT_NE(label_value_problem(std::string(64, 'a')), "");
    EXPECT_NE(label_value_problem("a b"), "");
}

TEST(FieldSelector, MatchesAndErrors) {
    const Node pod = json(R"({"metadata":{"name":"x"},"status":{"phase":"a,b"}})");
    EXPECT_TRUE(FieldSelector::parse("")->matches(pod));
    EXPECT_TRUE(FieldSelector::parse("metadata.name=x,status.phase!=Running")->matches(pod));
    EXPECT_FALSE(FieldSelector::parse("metadata.name==y")->matches(pod));
    EXPECT_TRUE(FieldSelector::parse("status.phase=a\\,b")->matches(pod));
    EXPECT_TRUE(FieldSelector::parse("spec.nodeName=")->matches(pod));
    EXPECT_EQ(FieldSelector::parse("metadata.name").error().message,
              "invalid selector: 'metadata.name'; can't understand 'metadata.name'");
    EXPECT_EQ(FieldSelector::parse("z=1,a=b=c").error().message, "invalid field selector: unescaped character in value: 61");
    EXPECT_EQ(FieldSelector::parse("a=\\x").error().message, "invalid field selector: invalid escape sequence: \\x");
}

} // namespace
} // namespace weber::kube
