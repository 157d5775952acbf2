// cel::Program: limits that keep any expression from hanging, lazy values, threads, and the error texts of readiness.md 6.
#include "kube/cel/program.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "kube/base/json.h"
#include "tests/kube/cel/format_value.h"

namespace weber::cel {
namespace {

const Environment kParseOnly{.check = Check::none};

Environment ready_expression() {
    const TypePtr fields = types::map(types::string(), types::dyn());
    return {.variables = {{"self", fields}, {"dep", fields}}, .result = types::boolean()};
}

std::string compile_error(const std::string& text, const Environment& environment) {
    const auto program = Program::compile(text, environment);
    return program ? "compiles" : program.error().message;
}

// The value as an expression, or the error's text.
std::string run(const std::string& text, const std::string& json = "{}") {
    const auto program = Program::compile(text, kParseOnly);
    if (!program) return program.error().message;
    const auto value = program->evaluate(ObjectBindings(*kube::read_json(json)));
    return value ? format_value(*value) : value.error().message;
}

struct Row {
    std::string text, wanted;
};

// The error table of readiness.md 6.
TEST(CelProgram, ErrorTextsOfParseOnlyExpressions) {
    const std::vector<Row> rows{
        {"foo.", "failed to parse the CEL expression 'foo.': ERROR: <input>:1:5: Syntax error: no viable alternative at input '.'\n | foo.\n | ....^"},
        {"now()", "failed to create CEL program: no such overload: now()"},
        {"name.matches('(')", "failed to create CEL program: error parsing regexp: missing closing ): `(`"},
        {"timestamp('x') == t", "failed to create CEL program: type conversion error from 'string' to 'google.protobuf.Timestamp'"},
        {"status.x == 1", "failed to evaluate the CEL expression 'status.x == 1': no such attribute(s): status.x"},
        {"data.x", "failed to evaluate the CEL expression 'data.x': no such key: x"},
        {"data.list[5]", "failed to evaluate the CEL expression 'data.list[5]': index out of bounds: 5"},
        {"1 / data.zero", "failed to evaluate the CEL expression '1 / data.zero': division by zero"},
        {"data.zero && true", "failed to evaluate the CEL expression 'data.zero && true': no such overload"},
    };
    for (const Row& row : rows) EXPECT_EQ(run(row.text, R"({"data": {"zero": 0, "list": [1]}})"), row.wanted);
}

TEST(CelProgram, ErrorTextsOfCheckedExpressions) {
    const std::vector<Row> rows{
        {"foo", "failed to parse the CEL expression 'foo': ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^"},
        {"dep.status.ready", "CEL expression output type mismatch: expected bool, got dyn"},
        {"'foo'", "CEL expression output type mismatch: expected bool, got string"},
        {"[1]", "CEL expression output type mismatch: expected bool, got list(int)"},
        {"optional.of(true)", "CEL expression output type mismatch: expected bool, got optional_type(bool)"},
        {"google.protobuf.BoolValue{value: true}", "CEL expression output type mismatch: expected bool, got wrapper(bool)"},
        {"dep == 'bar'", "failed to parse the CEL expression 'dep == 'bar'': ERROR: <input>:1:5: found no matching overload for '_==_' applied to "
                         "'(map(string, dyn), string)'\n | dep == 'bar'\n | ....^"},
        {"[1, 'a'] == []", "failed to parse the CEL expression '[1, 'a'] == []': ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a'] == []\n | ....^"},
        {"dep.status.ready == true", "compiles"},
        {"dep.status.?ready.orValue(false)", "CEL expression output type mismatch: expected bool, got dyn"},
        {"dep.status.?ready.hasValue()", "compiles"},
    };
    for (const Row& row : rows) EXPECT_EQ(compile_error(row.text, ready_expression()), row.wanted) << row.text;
}

// readiness.md 6, "Environment": what is there, and what is absent.
TEST(CelProgram, OnlyTheLibrariesThatFluxBinds) {
    for (const char* text : {"'a'.charAt(0)", "'%d'.format([1])", "['a'].join()", "'a'.reverse()", "strings.quote('a')", "sets.contains([1], [1])", "base64.encode(b'a')",
                             "[1].first()", "[1].last()", "optional.of(1).or(optional.none())", "optional.of(1).optMap(x, x)", "{?'a': optional.none()}", "[?optional.of(1)]"})
        EXPECT_EQ(compile_error(text, {}), "compiles") << text;
    for (const char* text : {"math.greatest(1, 2)", "[1].sort()", "[[1]].flatten()", "lists.range(3)", "cel.bind(a, 1, a)", "[1].all(i, v, true)", "regex.extract('a', 'a')",
                             "quantity('1')", "url('http://a')", "ip('1.2.3.4')", "semver('1.0.0')", "isURL('x')"})
        EXPECT_NE(compile_error(text, {}), "compiles") << text;
}

TEST(CelProgram, ErrorsAreAbsorbedWhenTheOtherSideDecides) {
    EXPECT_EQ(run("status.x == 1 || true"), "true");
    EXPECT_EQ(run("true || status.x == 1"), "true");
    EXPECT_EQ(run("status.x == 1 && false"), "false");
    EXPECT_EQ(run("[1, 0].exists(i, 1 / i == 1)"), "true");
    EXPECT_EQ(run("[0, 2].all(i, 4 / i == 1)"), "false");
}

TEST(CelProgram, NumbersCompareAcrossTypes) {
    EXPECT_EQ(run("2 == 2.0 && 1 in [1.0] && 1u < 1.5 && data.n == 3", R"({"data": {"n": 3.0}})"), "true");
    EXPECT_EQ(run("9007199254740993 == data.n", R"({"data": {"n": 9007199254740993}})"), "true");
    EXPECT_EQ(run("type(data.n)", R"({"data": {"n": 18446744073709551616}})"), "double") << "as Kubernetes' decoder makes it";
}

// ---- limits ----------------------------------------------------------------------------------------------------------

constexpr std::string_view kTooCostly = "operation cancelled: actual cost limit exceeded";

bool ends_with(const std::string& text, std::string_view end) { return text.ends_with(end); }

TEST(CelProgram, CostLimitEndsNestedLoops) {
    std::string list = "[";
    for (int i = 0; i < 100; ++i) list += std::to_string(i) + ",";
    list += "]";
    std::string text = "true";
    for (const char* v : {"a", "b", "c", "d", "e", "f"}) text = list + ".all(" + v + ", " + text + ")";
    const auto program = Program::compile(text, kParseOnly);
    ASSERT_TRUE(program) << program.error().message;
    const auto start = std::chrono::steady_clock::now();
    const auto value = program->evaluate(MapBindings{});
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code, ErrorCode::too_large);
    EXPECT_TRUE(ends_with(value.error().message, kTooCostly)) << value.error().message.substr(0, 200);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

// || absorbs errors, not the limit.
TEST(CelProgram, CostLimitIsNotAbsorbed) {
    const auto program = Program::compile("[1, 2, 3].map(a, a).size() == 0 || true", kParseOnly);
    ASSERT_TRUE(program);
    EXPECT_TRUE(program->evaluate(MapBindings{}));
    const auto value = program->evaluate(MapBindings{}, 5);
    ASSERT_FALSE(value);
    EXPECT_TRUE(ends_with(value.error().message, kTooCostly));
}

TEST(CelProgram, CostLimitBoundsMemory) {
    std::string text = "['aaaaaaaaaaaaaaaaaaaa']", lists = "[[1]]", same = "[1]";
    for (int i = 0; i < 40; ++i) {
        const std::string v = "v" + std::to_string(i);
        text += ".map(" + v + ", " + v + " + " + v + ")";
        lists += ".map(" + v + ", " + v + " + " + v + ")";
        same += ".map(" + v + ", [" + v + ", " + v + "])"; // shared, so small in memory, but exponential to walk
    }
    for (const std::string& t : {text, lists, same + " == " + same, "'%s'.format([" + same + "])", std::string("'abc'.replace('', 'x'.replace('', '") + std::string(40'000, 'y') + "'))"})
        EXPECT_TRUE(ends_with(run(t), kTooCostly) || ends_with(run(t), "\"")) << t.substr(0, 80);
    EXPECT_TRUE(ends_with(run(same + " == " + same), kTooCostly));
}

TEST(CelProgram, MacrosThatCopyCannotExplode) {
    std::string text = "optional.of(1)";
    for (int i = 0; i < 60; ++i) text += ".optMap(x, x)";
    EXPECT_TRUE(ends_with(compile_error(text, kParseOnly), "expression size exceeds limit after macro expansion"));
}

TEST(CelProgram, TypesCannotExplode) {
    std::string text = "[1]";
    for (int i = 0; i < 60; ++i) text += ".map(v, {v: v})";
    EXPECT_NE(compile_error(text, {}).find("the type of the expression is too complex"), std::string::npos);
}

TEST(CelProgram, NestingAndSizeAreLimited) {
    const auto nested = [](int n, const char* open, const char* close) {
        std::string text;
        for (int i = 0; i < n; ++i) text += open;
        text += "1";
        for (int i = 0; i < n; ++i) text += close;
        return text;
    };
    EXPECT_EQ(compile_error(nested(249, "(", ")"), kParseOnly), "compiles");
    EXPECT_TRUE(ends_with(compile_error(nested(250, "(", ")"), kParseOnly), "ERROR: <input>:-1:0: expression recursion limit exceeded: 250"));
    for (const char* open : {"[", "{1: ", "f(", "-(", "!(", "a.b(", "1 ? 1 : ", "1 + (", "1 < ("})
        EXPECT_NE(compile_error(nested(20'000, open, ""), kParseOnly), "compiles") << open;
    std::string chain = "1";
    for (int i = 0; i < 251; ++i) chain += " + 1";
    EXPECT_TRUE(ends_with(compile_error(chain, kParseOnly), "ERROR: <input>:-1:0: max recursion depth exceeded"));
    EXPECT_TRUE(ends_with(compile_error(std::string(100'001, '1'), kParseOnly), "expression code point size exceeds limit: size: 100001, limit 100000"));
}

TEST(CelProgram, HostileTextsAreRefusedQuickly) {
    const auto start = std::chrono::steady_clock::now();
    for (const char* piece : {"a ", "'a' ", "1?", "||", "é", "`", "'", "\"\"\"", "a\n", "#", "[1,", "!", ". ", "in ", "\\", "a.b{", "\t"}) {
        std::string text;
        while (text.size() < 90'000) text += piece;
        EXPECT_NE(compile_error(text + " @", {}), "compiles") << piece;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

// ---- values ----------------------------------------------------------------------------------------------------------

class CountingBindings final : public Bindings {
public:
    std::optional<Value> find(std::string_view name) const override {
        ++asked;
        return name == "status" ? std::optional(Value::from_node(node)) : std::nullopt;
    }
    Node node = Node::map({{"ready", Node::boolean(true)}});
    mutable std::atomic<int> asked = 0;
};

TEST(CelProgram, VariablesAreReadOnlyWhenNeeded) {
    const auto program = Program::compile("true || status.ready", kParseOnly);
    ASSERT_TRUE(program);
    const CountingBindings bindings;
    EXPECT_TRUE(*program->evaluate_bool(bindings));
    EXPECT_EQ(bindings.asked, 0);
}

TEST(CelProgram, NotBool) {
    const auto program = Program::compile("status.name", kParseOnly);
    const auto out = program->evaluate_bool(ObjectBindings(*kube::read_json(R"({"status": {"name": "x"}})")));
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().message, "failed to evaluate CEL expression as boolean: 'status.name'");
}

TEST(CelProgram, OneProgramServesManyThreads) {
    const auto program = Program::compile("status.conditions.filter(c, c.type == 'Ready').all(c, c.status == 'True') && name.matches('^a+$')", kParseOnly);
    ASSERT_TRUE(program);
    const Node node = *kube::read_json(R"({"name": "aaa", "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other"}]}})");
    std::atomic<int> good = 0;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 500; ++i)
                if (program->evaluate_bool(ObjectBindings(node)).value_or(false)) ++good;
        });
    threads.clear();
    EXPECT_EQ(good, 2000);
}

TEST(CelProgram, ZonesOfTheMachine) {
    if (run("timestamp('2021-07-01T00:00:00Z').getHours('Europe/Berlin')").find("unknown time zone") != std::string::npos)
        GTEST_SKIP() << "no zone database on this machine (package tzdata)";
    EXPECT_EQ(run("timestamp('2021-03-28T00:59:59Z').getHours('Europe/Berlin')"), "1");
    EXPECT_EQ(run("timestamp('2021-03-28T01:00:00Z').getHours('Europe/Berlin')"), "3") << "the clocks go forward";
    EXPECT_EQ(run("timestamp('2150-07-01T12:00:00Z').getHours('Europe/Berlin')"), "14") << "by the rule after the last entry";
    EXPECT_EQ(run("timestamp('2150-01-15T12:00:00Z').getHours('Australia/Sydney')"), "23") << "summer over the turn of the year";
    EXPECT_EQ(run("timestamp('1850-01-01T00:00:00Z').getMinutes('Europe/Berlin')"), "53") << "local mean time";
}

} // namespace
} // namespace weber::cel
