// The same requests to a real kube-apiserver and to ours: statuses, bodies, warnings and managedFields must be equal.
//
// The real server's answers are recorded in recorded/, so that the comparison runs everywhere. To record them anew, or to compare live:
//   tests/cluster/cluster.sh run --bare -- env WEBER_RECORD=1 build/dev/server_tests --gtest_filter='*Differential*'
// Without WEBER_RECORD a cluster named by WEBER_TEST_KUBECONFIG (a bare one: controllers race with the requests) is asked live.
// Known differences are listed in differential/known.txt; the list only shrinks: an entry that is no difference any more fails too.
#include <gtest/gtest.h>
#include <test_paths.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "kube/base/json.h"
#include "tests/kube/server/differential.h"
#include "tests/kube/server/either_server.h"

namespace weber::testing {
namespace {

const std::string kFolder = std::string(WEBER_SOURCE_DIR) + "/tests/kube/server/";

// "file: name #step" → reason.
std::map<std::string, std::string> known_differences() {
    std::map<std::string, std::string> out;
    std::ifstream in(kFolder + "differential/known.txt");
    for (std::string line; std::getline(in, line);) {
        const auto tab = line.find(" | ");
        if (line.empty() || line[0] == '#' || tab == std::string::npos) continue;
        out.emplace(line.substr(0, tab), line.substr(tab + 3));
    }
    return out;
}

using Recording = std::map<std::string, Node>; // sequence name → list of answers

Recording read_recording(const std::string& name) {
    Recording out;
    std::ifstream in(kFolder + "recorded/" + name + ".jsonl", std::ios::binary);
    for (std::string line; std::getline(in, line);)
        if (auto n = kube::read_json(line)) out.emplace(n->text_at("name"), n->find("answers") ? *n->find("answers") : Node());
    return out;
}

void write_recording(const std::string& name, const std::vector<Sequence>& sequences, const Recording& recording) {
    std::ofstream out(kFolder + "recorded/" + name + ".jsonl", std::ios::binary);
    for (const auto& s : sequences)
        out << kube::write_json(Node::map({{"name", Node::string(s.name)}, {"answers", recording.at(s.name)}})) << "\n";
}

Node list_of(std::vector<Node> items) {
    Node out = Node::list();
    for (Node& n : items) out.push_back(std::move(n));
    return out;
}

std::string shown(const Step& s) {
    return s.wait.empty() ? s.method + " " + s.path + (s.type.empty() ? "" : " (" + s.type + ")") + " " + s.body + "\n" : "wait " + s.wait + "\n";
}

// Plays all sequences on ours and compares with the real server, live or recorded.
void check(const std::string& name, const std::vector<Sequence>& sequences) {
    const auto real = real_api(RealServer::bare);
    const bool record = real && std::getenv("WEBER_RECORD");
    Recording recording = real ? Recording() : read_recording(name);
    if (!real && recording.empty()) GTEST_SKIP() << "nothing recorded for " << name << " and no real kube-apiserver (tests/cluster/cluster.sh run --bare)";
    auto known = known_differences();
    kube::ServerOptions options = TestServer::quiet();
    options.authorization = kube::ServerOptions::Authorization::rbac; // as the real one has it; the administrator may do everything
    const TestServer ours(options);
    std::set<std::string> differing;
    std::size_t steps = 0;
    for (const Sequence& s : sequences) {
        if (real) recording[s.name] = list_of(play(*real, s));
        const auto it = recording.find(s.name);
        if (it == recording.end()) {
            ADD_FAILURE() << name << ": " << s.name << " is not recorded; run with WEBER_RECORD (see the head of this file)";
            continue;
        }
        const auto mine = play(ours.api(), s);
        EXPECT_EQ(mine.size(), it->second.size()) << name << ": " << s.name << ": recorded for other steps";
        bool first = true; // difference of the sequence: what came before is shown
        for (std::size_t i = 0; i < mine.size() && i < it->second.size(); ++i) {
            ++steps;
            const auto found = differences(mine[i], it->second.items()[i]);
            if (found.empty()) continue;
            const std::string id = name + ": " + s.name + " #" + std::to_string(i + 1);
            differing.insert(id);
            if (known.contains(id)) continue;
            std::string text;
            for (const auto& d : found) text += "  " + d + "\n";
            std::size_t request = 0; // waits have no answer
            for (std::size_t n = i; request < s.steps.size() && (!s.steps[request].wait.empty() || n-- > 0);) ++request;
            std::string before;
            for (std::size_t n = 0; first && n < request; ++n) before += shown(s.steps[n]);
            first = false;
            ADD_FAILURE() << id << "\n" << before << "→ " << shown(s.steps[request]) << text;
        }
    }
    for (const auto& [id, reason] : known)
        if (id.starts_with(name + ": ") && !differing.contains(id))
            ADD_FAILURE() << "no difference any more, take it out of known.txt: " << id << " | " << reason;
    if (record) write_recording(name, sequences, recording);
    std::cout << name << ": " << sequences.size() << " sequences, " << steps << " answers, " << differing.size() << " differ\n";
}

class Differential : public ::testing::TestWithParam<std::string> {};

TEST_P(Differential, AnswersAreThoseOfKubeApiserver) { check(GetParam(), read_sequences(kFolder + "differential/" + GetParam() + ".yaml")); }

INSTANTIATE_TEST_SUITE_P(Table, Differential,
                         ::testing::Values("basic", "workloads", "pods", "network", "storage_and_rbac", "objects", "protocol", "definitions", "schemas", "formats", "escalation", "surfaces", "corners", "tables", "warnings", "refusals", "admission"),
                         [](const auto& info) { return info.param; });

// Every kind that can be listed, in every version that Kubernetes has: served or not, and with which columns.
TEST(DifferentialColumns, EveryKindHasThoseOfKubeApiserver) {
    std::ifstream in(std::string(WEBER_SOURCE_DIR) + "/../shared/data/kubernetes-resources.json");
    std::stringstream text;
    text << in.rdbuf();
    const auto resources = kube::read_json(text.str());
    if (!resources) GTEST_SKIP() << "needs ../shared/data/kubernetes-resources.json";
    std::vector<Sequence> sequences;
    for (const Node& r : resources->items()) {
        const auto verbs = r.find("verbs")->items();
        if (std::none_of(verbs.begin(), verbs.end(), [](const Node& v) { return v.text() == "list"; })) continue;
        const std::string group(r.text_at("group")), version(r.text_at("version")), name(r.text_at("resource"));
        const std::string path = (group.empty() ? "/api/" : "/apis/" + group + "/") + version + "/" + name + "?fieldSelector=metadata.name%3Dnone-has-this-name";
        sequences.push_back({group + "/" + version + "/" + name, {{"GET", path, "", "application/json;as=Table;v=v1;g=meta.k8s.io", "", ""}}});
    }
    check("columns", sequences);
}

constexpr std::uint32_t kRecordedSeeds = 150;

TEST(DifferentialRandom, SeededSequencesAgree) {
    std::vector<Sequence> sequences;
    for (std::uint32_t seed = 1; seed <= kRecordedSeeds; ++seed) sequences.push_back(random_sequence(seed));
    check("random", sequences);
}

TEST(DifferentialRandom, SeededSequencesOfCustomResourcesAgree) {
    std::vector<Sequence> sequences;
    for (std::uint32_t seed = 1; seed <= 40; ++seed) sequences.push_back(random_custom_sequence(seed));
    check("custom", sequences);
}

TEST(DifferentialRandom, SeededSequencesOfVersionsAgree) {
    std::vector<Sequence> sequences;
    for (std::uint32_t seed = 1; seed <= 40; ++seed) sequences.push_back(random_versions_sequence(seed));
    check("versions", sequences);
}

TEST(DifferentialRandom, SeededSequencesOfMoreKindsAgree) {
    std::vector<Sequence> sequences;
    for (std::uint32_t seed = 1; seed <= 80; ++seed) sequences.push_back(random_kinds_sequence(seed));
    check("kinds", sequences);
}

TEST(DifferentialRandom, SeededSequencesOfVerbsAgree) {
    std::vector<Sequence> sequences;
    for (std::uint32_t seed = 1; seed <= 80; ++seed) sequences.push_back(random_verbs_sequence(seed));
    check("verbs", sequences);
}

TEST(DifferentialRandom, FreshSequencesAgreeLive) {
    if (!real_api(RealServer::bare) || std::getenv("WEBER_RECORD")) GTEST_SKIP() << "no real kube-apiserver to ask (tests/cluster/cluster.sh run --bare)";
    std::vector<Sequence> sequences;
    // The same in every run, so that a change of ours is what a failure tells of; WEBER_SEED=random looks for what nobody has seen yet.
    const char* seed = std::getenv("WEBER_SEED");
    const std::uint32_t start = (seed == nullptr ? 0x5eedU : seed == std::string_view("random") ? std::random_device{}() : static_cast<std::uint32_t>(std::atoll(seed))) | 0x10000U;
    const char* count = std::getenv("WEBER_SEEDS"); // how many: a longer hunt
    const auto seeds = count == nullptr ? 100U : static_cast<std::uint32_t>(std::atoll(count));
    for (std::uint32_t i = 0; i < seeds; ++i) sequences.push_back(random_sequence(start + i));
    for (std::uint32_t i = 0; i < std::max(15U, seeds / 3); ++i) sequences.push_back(random_custom_sequence(start + i));
    for (std::uint32_t i = 0; i < std::max(15U, seeds / 3); ++i) sequences.push_back(random_versions_sequence(start + i));
    for (std::uint32_t i = 0; i < seeds; ++i) sequences.push_back(random_kinds_sequence(start + i));
    for (std::uint32_t i = 0; i < seeds; ++i) sequences.push_back(random_verbs_sequence(start + i));
    check("fresh", sequences);
}

} // namespace
} // namespace weber::testing
