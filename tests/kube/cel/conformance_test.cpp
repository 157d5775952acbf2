// The public conformance tables of CEL (module cel.dev/expr v0.24.0, tests/simple/testdata), converted by `celoracle conformance`.
// conformance-differences.txt names every case that has another outcome, and why; "skip" in conformance.jsonl says why a case is not run.
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <test_paths.h>

#include "kube/base/json.h"
#include "kube/cel/program.h"
#include "tests/kube/cel/format_value.h"
#include "tests/kube/cel/type_text.h"
#include "tests/support/peers.h"

namespace weber::cel {
namespace {

const std::string kFolder = WEBER_SOURCE_DIR "/tests/kube/cel/";

std::vector<Node> read_lines(const std::string& path) {
    std::ifstream file(path);
    std::vector<Node> out;
    for (std::string line; std::getline(file, line);) {
        auto node = kube::read_json(line);
        EXPECT_TRUE(node.has_value()) << path << ": " << line;
        if (node) out.push_back(std::move(*node));
    }
    return out;
}

// A literal of the test data.
Value literal(std::string_view text) {
    Environment environment;
    environment.rules = Rules::language;
    const auto program = Program::compile(text, environment);
    EXPECT_TRUE(program.has_value()) << text << ": " << (program ? "" : program.error().message);
    if (!program) return {};
    const auto value = program->evaluate(MapBindings{});
    EXPECT_TRUE(value.has_value()) << text;
    return value.value_or(Value());
}

Environment environment_of(const Node& c) {
    Environment e;
    e.check = c.contains("noCheck") ? Check::none : Check::types;
    e.container = c.text_at("container");
    e.rules = Rules::language;
    if (const Node* vars = c.find("vars"))
        for (const auto& [name, type] : vars->entries()) e.variables[name.str()] = type_from(type.text());
    return e;
}

// "" when the case passes, else what came instead.
std::string outcome(const Node& c) {
    const auto program = Program::compile(c.text_at("expr"), environment_of(c));
    if (!program) return c.contains("error") ? "" : program.error().message;
    if (c.contains("type") && describe_type(*program->result_type()) != c.text_at("type")) return "type " + describe_type(*program->result_type());
    if (c.contains("checkOnly")) return "";
    MapBindings bindings;
    if (const Node* values = c.find("bindings"))
        for (const auto& [name, value] : values->entries()) bindings.set(name.str(), literal(value.text()));
    const auto value = program->evaluate(bindings);
    if (!value) return c.contains("error") ? "" : value.error().message;
    if (c.contains("error")) return "no error but " + format_value(*value);
    const std::string text = format_value(*value);
    return text == c.text_at("value") ? "" : text;
}

std::map<std::string, std::string> known_differences() {
    std::ifstream file(kFolder + "conformance-differences.txt");
    std::map<std::string, std::string> out;
    for (std::string line; std::getline(file, line);)
        if (const std::size_t colon = line.find(": "); !line.empty() && line[0] != '#' && colon != std::string::npos) out[line.substr(0, colon)] = line.substr(colon + 2);
    return out;
}

TEST(CelConformance, PublicTables) {
    const std::map<std::string, std::string> known = known_differences();
    std::set<std::string> seen;
    int passed = 0, other = 0, skipped = 0;
    for (const Node& c : read_lines(kFolder + "conformance.jsonl")) {
        const std::string name(c.text_at("name"));
        if (c.contains("skip")) {
            ++skipped;
            continue;
        }
        const std::string problem = outcome(c);
        const bool listed = known.contains(name);
        if (listed) seen.insert(name);
        problem.empty() ? ++passed : ++other;
        if (listed != !problem.empty())
            ADD_FAILURE() << name << ": " << c.text_at("expr") << "\n  wanted: " << (c.contains("error") ? "an error" : c.text_at("value")) << " " << c.text_at("type")
                          << "\n  got: " << problem << (listed ? "\n  but it is listed as a difference" : "");
    }
    for (const auto& [name, why] : known) EXPECT_TRUE(seen.contains(name)) << name << " is listed as a difference but is no case";
    RecordProperty("passed", passed);
    std::cout << "CEL conformance: " << passed << " passed, " << other << " listed differences, " << skipped << " outside Flux's environment\n";
    EXPECT_GE(passed, 1200);
}

// The list of differences is what cel-go fails, and the tables here are those of the module.
TEST(CelConformance, CelGoFailsWhatIsListed) {
    const auto program = testing::peer("celoracle");
    if (!program) GTEST_SKIP() << "celoracle is not built: run tests/cluster/tools.sh celoracle";
    const std::string home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
    const std::string find = "d=$(go env GOMODCACHE 2>/dev/null) && d=$d/cel.dev/expr@v0.24.0/tests/simple/testdata && test -d \"$d\" && ";
    const auto tables = testing::run(find + "'" + *program + "' conformance \"$d\"", home);
    if (tables.status != 0) GTEST_SKIP() << "the module cel.dev/expr v0.24.0 is not in the module cache: run tests/cluster/tools.sh celoracle";
    EXPECT_EQ(tables.out, testing::read_file(kFolder + "conformance.jsonl"));
    const auto failed = testing::run(find + "'" + *program + "' conformance-run \"$d\"", home);
    ASSERT_EQ(failed.status, 0) << failed.err;
    for (const auto& [name, why] : known_differences()) EXPECT_NE(failed.out.find(name + "\t"), std::string::npos) << name << " passes in cel-go";
}

} // namespace
} // namespace weber::cel
