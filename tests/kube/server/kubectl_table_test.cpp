// kubectl's commands, one by one, against the embedded server and a real one: what they print and how they exit must be equal.
//
// The real server's outputs are recorded in recorded/kubectl.jsonl; record anew, or compare live, with
//   tests/cluster/cluster.sh run --bare -- env WEBER_RECORD=1 build/dev/server_tests --gtest_filter='*KubectlTable*'
#include <gtest/gtest.h>
#include <test_paths.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "kube/base/json.h"
#include "kube/base/yaml.h"
#include "kube/kubeconfig.h"
#include "kube/process.h"
#include "tests/kube/server/kubectl.h"
#include "tests/kube/server/test_server.h"

namespace weber::testing {
namespace {

namespace fs = std::filesystem;

const std::string kFolder = std::string(WEBER_SOURCE_DIR) + "/tests/kube/server/";

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos && !from.empty(); at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
    return text;
}

// What differs from run to run becomes a word, blanks count once, lines of random order are sorted.
std::string comparable(std::string text) {
    static const std::pair<std::regex, const char*> kRules[] = {
        {std::regex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"},
        {std::regex("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"), "<time>"},
        {std::regex("(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]+ [+-][0-9]{4}"), "<time>"},
        {std::regex("10\\.96\\.[0-9]+\\.[0-9]+"), "<ip>"},
        {std::regex("https://127\\.0\\.0\\.1:[0-9]+"), "<server>"},
        {std::regex("eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+"), "<token>"},
        {std::regex("(resourceVersion\"?: ?)\"?[0-9]+\"?"), "$1<rv>"},
        {std::regex("(nodePort\"?: ?)[0-9]+"), "$1<port>"},
        {std::regex(":3[0-9]{4}/TCP"), ":<port>/TCP"},
        {std::regex("kube-api-access-[a-z0-9]{5}"), "kube-api-access-<id>"},
        {std::regex("([ (])[0-9]+[smh]([0-9]+[sm])?( ago)?([ )\n])"), "$1<age>$3$4"},
        {std::regex("20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]+ \\+0000 UTC"), "<time>"},
        {std::regex("(esource [Vv]ersion:?( to be 1, was)? +)[0-9]+"), "$1<rv>"},
        {std::regex("x-[a-z0-9]{5}\\b"), "x-<id>"},
        {std::regex("/tmp/kubectl-edit-[0-9]+"), "<edit>"},
        {std::regex("[ \t]+"), " "},
        {std::regex(" +\n"), "\n"},
    };
    for (const auto& [rule, word] : kRules) text = std::regex_replace(text, rule, word);
    return text;
}

// "a 'b c' d" → a, b c, d.
std::vector<std::string> words(std::string_view command) {
    std::vector<std::string> out;
    std::string word;
    bool quoted = false, any = false;
    for (const char c : command) {
        if (c == '\'') {
            quoted = !quoted;
            any = true;
        } else if (c == ' ' && !quoted) {
            if (any) out.push_back(std::exchange(word, ""));
            any = false;
        } else {
            word += c;
            any = true;
        }
    }
    if (any) out.push_back(word);
    return out;
}

struct Target {
    std::string kubeconfig; // text
    Api api;
};

// Runs the commands of one entry of the table in a namespace of its own; one {"exit", "text"} each.
Node play(const std::string& kubectl, const Target& target, const Node& entry) {
    ScratchDir dir;
    static int count = 0;
    const std::string ns = "weber-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
    const auto write = [&](const std::string& name, const std::string& text) { std::ofstream(dir.path() + "/" + name) << replace_all(text, "$ns", ns); };
    write("kubeconfig", target.kubeconfig);
    write("editor", "#!/bin/sh\nsed -i \"$EDIT\" \"$1\"\n");
    fs::permissions(dir.path() + "/editor", fs::perms::owner_all);
    if (const Node* files = entry.find("files"))
        for (const auto& [name, text] : files->entries()) write(name.str(), std::string(text.text()));
    EXPECT_EQ(target.api.post("/api/v1/namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: " + ns + "}}").status, 201);
    (void)target.api.post("/api/v1/namespaces/" + ns + "/serviceaccounts", "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}");
    (void)target.api.wait("/api/v1/namespaces/" + ns + "/serviceaccounts/default", [](const Reply& r) { return r.status == 200; });
    Node out = Node::list();
    for (const Node& command : entry.find("run")->items()) {
        kube::ProcessOptions o{.program = kubectl, .args = words(replace_all(replace_all(std::string(command.text()), "$ns", ns), "$dir", dir.path()))};
        std::string edit;
        if (!o.args.empty() && o.args[0].starts_with("EDIT=")) { // the editor of `kubectl edit` is a sed script
            edit = o.args[0].substr(5);
            o.args.erase(o.args.begin());
        }
        o.args.insert(o.args.begin(), {"--namespace", ns});
        o.env = {{"KUBECONFIG", dir.path() + "/kubeconfig"}, {"HOME", dir.path()}, {"KUBECTL_EXTERNAL_DIFF", "diff -U1 --label a --label b"}, {"KUBE_EDITOR", dir.path() + "/editor"}, {"EDIT", edit}};
        const auto result = kube::run_process(o, {});
        EXPECT_TRUE(result) << result.error().to_string();
        if (!result) return out;
        const std::string text = comparable(replace_all(replace_all(result->out + result->err, ns, "$ns"), dir.path(), "$dir"));
        out.push_back(Node::map({{"exit", Node::integer(result->exit_code)}, {"text", Node::string(text)}}));
    }
    (void)target.api.remove("/api/v1/namespaces/" + ns);
    return out;
}

const std::map<std::string, Node>& table() {
    static const auto* entries = [] {
        auto* out = new std::map<std::string, Node>;
        std::ifstream in(kFolder + "differential/kubectl.yaml", std::ios::binary);
        std::stringstream text;
        text << in.rdbuf();
        auto root = kube::read_yaml_one(text.str(), {.file = "kubectl.yaml"});
        EXPECT_TRUE(root) << root.error().to_string();
        if (root)
            for (const Node& item : root->items()) out->emplace(item.text_at("name"), item);
        return out;
    }();
    return *entries;
}

std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& [name, entry] : table()) out.push_back(name);
    return out;
}

std::string recording_file(const std::string& name) { return kFolder + "recorded/kubectl/" + name + ".json"; }

std::optional<Node> recorded(const std::string& name) {
    std::ifstream in(recording_file(name), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    auto node = kube::read_json(text.str());
    return node ? std::optional(std::move(*node)) : std::nullopt;
}

class KubectlTable : public ::testing::TestWithParam<std::string> {};

TEST_P(KubectlTable, PrintsTheSameAsAgainstARealServer) {
    const std::string kubectl = find_kubectl();
    if (kubectl.empty()) GTEST_SKIP() << "no kubectl: tests/cluster/tools.sh kubectl builds it, or set KUBECTL";
    const Node& entry = table().at(GetParam());
    std::optional<Node> theirs = recorded(GetParam());
    if (const char* file = std::getenv("WEBER_TEST_KUBECONFIG"); file && std::getenv("WEBER_BARE_CLUSTER")) {
        std::ifstream in(file);
        std::stringstream text;
        text << in.rdbuf();
        auto config = kube::load_kubeconfig({.files = {file}});
        ASSERT_TRUE(config) << config.error().to_string();
        theirs = play(kubectl, {text.str(), Api(*config)}, entry);
        if (std::getenv("WEBER_RECORD")) {
            Node out = Node::list();
            for (const Node& item : theirs->items()) out.push_back(item);
            std::ofstream(recording_file(GetParam()), std::ios::binary) << kube::write_json(out) << "\n";
        }
    }
    ASSERT_TRUE(theirs) << GetParam() << " is not recorded (see the head of this file)";
    kube::ServerOptions options = TestServer::quiet();
    options.authorization = kube::ServerOptions::Authorization::rbac;
    auto server = kube::Server::start(options);
    ASSERT_TRUE(server) << server.error().to_string();
    kube::ClientConfig config{.server = (*server)->url(), .unix_socket = {}, .proxy_url = "direct"};
    config.tls.ca = (*server)->ca_certificate();
    config.credentials = kube::static_credentials({.authorization = kube::SecretText("Bearer " + (*server)->token()), .certificate = {}, .key = {}});
    const Node mine = play(kubectl, {(*server)->kubeconfig(), Api(config)}, entry);
    ASSERT_EQ(mine.size(), theirs->size());
    for (std::size_t i = 0; i < mine.size(); ++i) {
        const std::string command(entry.find("run")->items()[i].text());
        EXPECT_EQ(mine.items()[i].text_at("text"), theirs->items()[i].text_at("text")) << command;
        EXPECT_EQ(mine.items()[i].text_at("exit"), theirs->items()[i].text_at("exit")) << command;
    }
}

INSTANTIATE_TEST_SUITE_P(Table, KubectlTable, ::testing::ValuesIn(names()), [](const auto& info) { return info.param; });

} // namespace
} // namespace weber::testing
