// Against cel-go v0.26.1 in the environment of Flux: values, types and error texts must be equal.
//
// oracle.jsonl holds expressions with cel-go's answers, as recorded from celoracle. Where celoracle is built (tests/cluster/tools.sh celoracle) the answers
// are asked for again, and so are expressions made of pieces of the recorded ones.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include <unistd.h>

#include <gtest/gtest.h>

#include "kube/base/json.h"
#include "kube/cel/program.h"
#include "tests/kube/cel/format_value.h"

namespace weber::cel {
namespace {

namespace fs = std::filesystem;

struct Request {
    std::string expr;
    bool check = false;
};

struct Recorded {
    Node data;
    std::vector<Request> requests;
    std::vector<Node> answers; // {error?, type?, value?}
};

Node parse(const std::string& line) {
    auto node = kube::read_json(line);
    EXPECT_TRUE(node.has_value()) << line.substr(0, 300);
    return node.value_or(Node());
}

Recorded recorded() {
    std::ifstream file(WEBER_SOURCE_DIR "/tests/kube/cel/oracle.jsonl");
    Recorded out;
    std::string line;
    std::getline(file, line);
    out.data = *parse(line).find("data");
    while (std::getline(file, line)) {
        Node node = parse(line);
        out.requests.push_back({std::string(node.text_at("expr")), node.contains("check")});
        node.erase("expr");
        node.erase("check");
        out.answers.push_back(std::move(node));
    }
    return out;
}

Node our_answer(const Request& request, const Node& data) {
    Environment environment;
    environment.check = request.check ? Check::types : Check::none;
    for (const char* name : {"self", "dep", "data"}) environment.variables[name] = types::map(types::string(), types::dyn());
    Node out = Node::map();
    const auto put_error = [&](std::string message) {
        for (const std::string_view verb : {"parse", "evaluate"}) {
            const std::string prefix = "failed to " + std::string(verb) + " the CEL expression '" + request.expr + "': ";
            if (message.starts_with(prefix)) message.erase(0, prefix.size());
        }
        out.set("error", Node::string(message));
    };
    const auto program = Program::compile(request.expr, environment);
    if (!program) {
        put_error(program.error().message);
        return out;
    }
    const auto value = program->evaluate(ObjectBindings(data));
    if (!value) put_error(value.error().message);
    out.set("type", Node::string(describe_type(*program->result_type())));
    if (value) out.set("value", Node::string(format_value(*value)));
    return out;
}

// What cel-go prints differently at every run, or prints as Go sees it.
bool depends_on_go(const Node& answer) {
    const std::string_view error = answer.text_at("error");
    for (const std::string_view text : {"_var", "panic: ", "hash of unhashable", "0x", "invalid qualifier type", "cannot initialize optional", "field type conversion error",
                                        "test only expressions must have constant"})
        if (error.find(text) != std::string_view::npos) return true;
    return false;
}

std::optional<std::string> oracle() {
    const char* dir = std::getenv("WEBER_TOOLS_DIR");
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    const std::string root = dir != nullptr ? dir : (cache != nullptr ? std::string(cache) : std::string(home != nullptr ? home : "") + "/.cache") + "/weber-tools";
    std::string path = root + "/celoracle/v0.26.1/celoracle";
    return fs::exists(path) ? std::optional(path) : std::nullopt;
}

std::vector<Node> ask(const std::string& program, const std::vector<Request>& requests, const Node& data) {
    const std::string base = fs::temp_directory_path() / ("weber-cel-" + std::to_string(::getpid()));
    {
        std::ofstream file(base + ".in");
        for (const Request& r : requests) {
            Node node = Node::map({{"expr", Node::string(r.expr)}, {"data", data}});
            if (r.check) {
                node.set("compile", Node::boolean(true));
                node.set("vars", Node::list({Node::string("self"), Node::string("dep"), Node::string("data")}));
            }
            file << kube::write_json(node) << "\n";
        }
    }
    EXPECT_EQ(std::system(("'" + program + "' < " + base + ".in > " + base + ".out").c_str()), 0);
    std::vector<Node> out;
    {
        std::ifstream file(base + ".out");
        for (std::string line; std::getline(file, line);) out.push_back(parse(line));
    }
    fs::remove(base + ".in");
    fs::remove(base + ".out");
    return out;
}

std::string shown(const Node& answer) { return kube::write_json(answer); }

TEST(CelOracle, RecordedAnswers) {
    const Recorded all = recorded();
    ASSERT_GT(all.requests.size(), 900u);
    for (std::size_t i = 0; i < all.requests.size(); ++i) {
        const Node ours = our_answer(all.requests[i], all.data);
        EXPECT_EQ(ours, all.answers[i]) << all.requests[i].expr.substr(0, 300) << (all.requests[i].check ? " (checked)" : "") << "\n  ours:   " << shown(ours)
                                        << "\n  cel-go: " << shown(all.answers[i]);
    }
}

TEST(CelOracle, RecordedAnswersAreStillCelGos) {
    const auto program = oracle();
    if (!program) GTEST_SKIP() << "celoracle is not built: run tests/cluster/tools.sh celoracle";
    const Recorded all = recorded();
    const std::vector<Node> answers = ask(*program, all.requests, all.data);
    ASSERT_EQ(answers.size(), all.requests.size());
    for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i], all.answers[i]) << all.requests[i].expr.substr(0, 300);
}

// Recorded expressions broken at random: joined, cut, with odd characters put in.
std::vector<Request> broken_expressions(const std::vector<Request>& from, std::size_t count) {
    std::mt19937 random(20261125); // NOLINT: the same expressions at every run
    const auto pick = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
    static constexpr std::string_view kPieces[] = {"(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "-", "!", "+", "&&", "||", "==", "in", "'", "\"", "$", "null", "1.5", "as", "\n", ".?", " "};
    std::vector<Request> out;
    while (out.size() < count) {
        Request r = from[pick(from.size())];
        if (r.expr.size() > 120) continue;
        if (pick(3) == 0) {
            const std::string& other = from[pick(from.size())].expr;
            if (other.size() > 120) continue;
            static constexpr std::string_view kGlue[] = {" && ", " + ", " == ", " ? 1 : ", "[", " in "};
            r.expr = "(" + r.expr + ")" + std::string(kGlue[pick(std::size(kGlue))]) + other;
        }
        for (std::size_t edits = pick(3); edits > 0; --edits) {
            const std::size_t at = pick(r.expr.size() + 1);
            if (pick(2) == 0) r.expr.insert(at, kPieces[pick(std::size(kPieces))]);
            else r.expr.erase(at, 1);
        }
        if (kube::write_json(Node::string(r.expr)).find("\xEF\xBF\xBD") == std::string::npos) out.push_back(std::move(r));
    }
    return out;
}

TEST(CelOracle, BrokenExpressions) {
    const auto program = oracle();
    if (!program) GTEST_SKIP() << "celoracle is not built: run tests/cluster/tools.sh celoracle";
    const Recorded all = recorded();
    const std::vector<Request> requests = broken_expressions(all.requests, 4000);
    const std::vector<Node> answers = ask(*program, requests, all.data);
    ASSERT_EQ(answers.size(), requests.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (depends_on_go(answers[i])) continue;
        const Node ours = our_answer(requests[i], all.data);
        if (ours.text_at("error").starts_with("unsupported key type")) continue; // cel-go panics, or takes lists as keys by identity
        EXPECT_EQ(ours, answers[i]) << requests[i].expr << (requests[i].check ? " (checked)" : "") << "\n  ours:   " << shown(ours) << "\n  cel-go: " << shown(answers[i]);
    }
}

} // namespace
} // namespace weber::cel
