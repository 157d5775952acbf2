// Against cel-go v0.26.1 in the environment of Flux: values, types and error texts must be equal.
//
// oracle.jsonl holds expressions with cel-go's answers, as recorded from celoracle. Where celoracle is built (tests/cluster/tools.sh celoracle) the answers
// are asked for again, and so are expressions made of pieces of the recorded ones and generated ones.
#include <cstdlib>
#include <fstream>
#include <random>

#include <gtest/gtest.h>
#include <test_paths.h>

#include "kube/base/json.h"
#include "tests/kube/cel/generated_expressions.h"
#include "tests/kube/cel/oracle.h"
#include "tests/support/peers.h"

namespace weber::cel {
namespace {

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
    const auto program = testing::peer("celoracle");
    if (!program) GTEST_SKIP() << "celoracle is not built: run tests/cluster/tools.sh celoracle";
    const Recorded all = recorded();
    const std::vector<Node> answers = ask(*program, all.requests, all.data);
    ASSERT_EQ(answers.size(), all.requests.size());
    for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i], all.answers[i]) << all.requests[i].expr.substr(0, 300);
}

// Recorded expressions broken at random: joined, cut, with odd characters put in.
std::vector<Request> broken_expressions(const std::vector<Request>& from, std::size_t count) {
    std::mt19937 random(testing::setting("WEBER_SEED", 20261125));
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
    const auto program = testing::peer("celoracle");
    if (!program) GTEST_SKIP() << "celoracle is not built: run tests/cluster/tools.sh celoracle";
    const Recorded all = recorded();
    const std::vector<Request> requests = broken_expressions(all.requests, testing::setting("WEBER_SEEDS", 4000));
    const std::vector<Node> answers = ask(*program, requests, all.data);
    ASSERT_EQ(answers.size(), requests.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (depends_on_go(answers[i])) continue;
        const Node ours = our_answer(requests[i], all.data);
        if (ours.text_at("error").starts_with("unsupported key type")) continue; // cel-go panics, or takes lists as keys by identity
        EXPECT_EQ(ours, answers[i]) << requests[i].expr << (requests[i].check ? " (checked)" : "") << "\n  ours:   " << shown(ours) << "\n  cel-go: " << shown(answers[i]);
    }
}

// Expressions over every library that Flux binds.
TEST(CelOracle, GeneratedExpressions) {
    const auto program = testing::peer("celoracle");
    if (!program) GTEST_SKIP() << "celoracle is not built: run tests/cluster/tools.sh celoracle";
    const std::uint32_t first = testing::setting("WEBER_SEED", 1);
    const std::uint32_t count = testing::setting("WEBER_SEEDS", 4000);
    const Node data = recorded().data;
    std::vector<Request> requests;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::string text = generated_expression(first + i);
        if (text.size() < 600) requests.push_back({std::move(text), i % 2 == 0});
    }
    std::size_t values = 0;
    // cel-go walks maps in random order: what differs is asked for again, and has to differ each time.
    for (int attempt = 0; attempt < 8 && !requests.empty(); ++attempt) {
        const std::vector<Node> answers = ask(*program, requests, data);
        ASSERT_EQ(answers.size(), requests.size());
        std::vector<Request> different;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            values += attempt == 0 && answers[i].contains("value") ? 1 : 0;
            const Node ours = our_answer(requests[i], data);
            if (ours == answers[i] || depends_on_go(answers[i]) || ours.text_at("error").starts_with("unsupported key type")) continue;
            different.push_back(requests[i]);
            if (attempt == 7)
                ADD_FAILURE() << requests[i].expr << (requests[i].check ? " (checked)" : "") << "\n  ours:   " << shown(ours) << "\n  cel-go: " << shown(answers[i]);
        }
        requests = std::move(different);
    }
    EXPECT_GT(values, count / 8) << "most expressions should make sense";
}

} // namespace
} // namespace weber::cel
