#include "tests/kube/server/differential.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <regex>
#include <sstream>

#include "kube/base/json.h"
#include "kube/base/yaml.h"

namespace weber::testing {
namespace {

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
    return text;
}

std::string comparable_text(std::string text) {
    static const std::pair<std::regex, const char*> kRules[] = {
        {std::regex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"},
        {std::regex("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"), "<time>"},
        {std::regex("10\\.96\\.[0-9]+\\.[0-9]+"), "<ip>"},
        {std::regex("kube-api-access-[a-z0-9]{5}"), "kube-api-access-<id>"},
        {std::regex("(ersion in (precondition|record)) \\([0-9]+\\)"), "$1 (<rv>)"},
    };
    if (text.size() < 8) return text;
    for (const auto& [rule, word] : kRules) text = std::regex_replace(text, rule, word);
    return text;
}

bool entry_before(const Node& a, const Node& b) {
    for (const auto key : {"operation", "manager", "apiVersion", "subresource"})
        if (a.text_at(key) != b.text_at(key)) return a.text_at(key) < b.text_at(key);
    return false;
}

Node comparable(const Node& n) {
    if (n.is_string()) return Node::string(comparable_text(std::string(n.text())));
    if (n.is_list()) {
        Node out = Node::list();
        for (const Node& item : n.items()) out.push_back(comparable(item));
        return out;
    }
    if (!n.is_map()) return n;
    Node out = Node::map();
    for (const auto& [key, value] : n.entries()) {
        if (key.view() == "resourceVersion" && value.is_string() && !value.text().empty()) {
            out.set(key, Node::string("<rv>"));
        } else if (key.view() == "nodePort" || key.view() == "healthCheckNodePort") {
            out.set(key, Node::string("<port>"));
        } else if (key.view() == "managedFields" && value.is_list()) {
            std::vector<Node> entries;
            for (const Node& item : value.items()) entries.push_back(comparable(item));
            std::stable_sort(entries.begin(), entries.end(), entry_before); // the servers' order depends on the second that it is
            Node list = Node::list();
            for (Node& e : entries) list.push_back(std::move(e));
            out.set(key, std::move(list));
        } else if (key.view() == "causes" && value.is_list() && !value.empty() && value.items()[0].text_at("reason") == "FieldManagerConflict") {
            std::vector<Node> causes; // the real server goes through the managers at random
            for (const Node& item : value.items()) causes.push_back(comparable(item));
            std::stable_sort(causes.begin(), causes.end(), [](const Node& a, const Node& b) { return a.text_at("message") < b.text_at("message"); });
            Node list = Node::list();
            for (Node& c : causes) list.push_back(std::move(c));
            out.set(key, std::move(list));
        } else {
            out.set(kube::Text(comparable_text(key.str())), comparable(value));
        }
    }
    return out;
}

Node answer_of(const Reply& reply, const std::string& ns) {
    Node out = Node::map({{"status", Node::integer(reply.status)}});
    auto body = kube::read_json(replace_all(reply.body, ns, "$ns"));
    if (body && body->is_map()) {
        out.set("body", comparable(*body));
    } else {
        std::string text = replace_all(reply.body, ns, "$ns");
        while (!text.empty() && text.back() == '\n') text.pop_back();
        out.set("body", Node::string(comparable_text(text)));
    }
    Node warnings = Node::list();
    for (const auto& w : reply.warnings) warnings.push_back(Node::string(comparable_text(replace_all(w, ns, "$ns"))));
    if (!warnings.empty()) out.set("warnings", std::move(warnings));
    return out;
}

std::string new_namespace() {
    static std::mt19937 random(std::random_device{}());
    std::string name = "weber-";
    for (int i = 0; i < 10; ++i) name += static_cast<char>('a' + random() % 26);
    return name;
}

// A namespace with its service account, which a server without controllers does not make.
void make_namespace(const Api& api, const std::string& ns) {
    const Reply made = api.post("/api/v1/namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: " + ns + "}}");
    EXPECT_EQ(made.status, 201) << made.body;
    const std::string accounts = "/api/v1/namespaces/" + ns + "/serviceaccounts";
    (void)api.post(accounts, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}");
    (void)api.wait(accounts + "/default", [](const Reply& r) { return r.status == 200; });
}

std::string shown(const Node* n) {
    if (!n) return "nothing";
    std::string text = kube::write_json(*n);
    if (text.size() > 700) text = text.substr(0, 700) + "…";
    return text;
}

void compare(const Node* a, const Node* b, const std::string& path, std::vector<std::string>& out) {
    if (a && b && *a == *b) return;
    if (a && b && a->is_map() && b->is_map()) {
        for (const auto& [key, value] : a->entries()) compare(&value, b->find(key), path + "." + key.str(), out);
        for (const auto& [key, value] : b->entries())
            if (!a->find(key)) compare(nullptr, &value, path + "." + key.str(), out);
        return;
    }
    if (a && b && a->is_list() && b->is_list() && a->size() == b->size()) {
        for (std::size_t i = 0; i < a->size(); ++i) compare(&a->items()[i], &b->items()[i], path + "[" + std::to_string(i) + "]", out);
        return;
    }
    out.push_back(path + ": ours " + shown(a) + ", theirs " + shown(b));
}

} // namespace

std::vector<Sequence> read_sequences(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    auto root = kube::read_yaml_one(text.str(), {.file = file});
    EXPECT_TRUE(root) << root.error().to_string();
    std::vector<Sequence> out;
    if (!root) return out;
    for (const Node& item : root->items()) {
        Sequence sequence{std::string(item.text_at("name")), {}};
        for (const Node& s : item.find("steps")->items()) {
            Step step;
            step.wait = s.text_at("wait");
            const std::string verb_path(s.text_at("do"));
            const auto blank = verb_path.find(' ');
            step.method = verb_path.substr(0, blank);
            if (blank != std::string::npos) step.path = verb_path.substr(blank + 1);
            step.type = s.text_at("type");
            step.accept = s.text_at("accept");
            if (const Node* raw = s.find("raw")) step.body = raw->text();
            if (const Node* body = s.find("body")) step.body = kube::write_json(*body);
            EXPECT_TRUE(!step.wait.empty() || !step.path.empty()) << file << ": " << sequence.name;
            sequence.steps.push_back(std::move(step));
        }
        out.push_back(std::move(sequence));
    }
    return out;
}

std::vector<Node> play(const Api& api, const Sequence& sequence) {
    const std::string ns = new_namespace();
    make_namespace(api, ns);
    std::vector<Node> answers;
    for (const Step& step : sequence.steps) {
        if (!step.wait.empty()) {
            (void)api.wait(replace_all(step.wait, "$ns", ns), [](const Reply& r) { return r.status == 200; });
            continue;
        }
        const Reply reply = api.send({.method = step.method,
                                      .path = replace_all(step.path, "$ns", ns),
                                      .body = replace_all(step.body, "$ns", ns),
                                      .type = step.type,
                                      .accept = step.accept});
        answers.push_back(answer_of(reply, ns));
    }
    (void)api.remove("/api/v1/namespaces/" + ns);
    return answers;
}

std::vector<std::string> differences(const Node& ours, const Node& theirs) {
    std::vector<std::string> out;
    compare(&ours, &theirs, "", out);
    return out;
}

} // namespace weber::testing
