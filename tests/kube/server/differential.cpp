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
        {std::regex("\\b(gen-|Bad_)[bcdfghjklmnpqrstvwxz2456789]{5}\\b"), "$1<id>"},
        {std::regex("(ersion in (precondition|record)) \\([0-9]+\\)"), "$1 (<rv>)"},
        {std::regex(R"((\\"resourceVersion\\":\\")[0-9]+)"), "$1<rv>"}, // in a quoted object
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

// Cells that tell how long ago something was: by their columns, and of the one kind whose rows have a cell more than columns.
std::string comparable_cell(std::string text, std::string_view column) {
    static const std::regex kAge("[0-9]+[smhdy]([0-9]+[smhd])?"), kYears("[0-9]+y([0-9]+d)?"), kAgo("\\([0-9a-z]+ ago\\)");
    const bool age = column.empty() || column == "Age" || column == "Last Seen" || column == "First Seen" || column == "Last Schedule";
    if (age && std::regex_match(text, kAge)) return "<age>";
    if (column == "Duration" && std::regex_match(text, kYears)) return "<age>";
    if (column == "MissingPL") return "?"; // the real server's controller says so a moment later
    return column == "Restarts" ? std::regex_replace(text, kAgo, "(<age> ago)") : text;
}

void hide_ages(Node& table) {
    const Node* columns = table.find("columnDefinitions");
    Node* rows = table.find_mut("rows");
    if (!columns || !rows || !rows->is_list()) return;
    for (Node& row : rows->items_mut()) {
        Node* cells = row.find_mut("cells");
        for (std::size_t i = 0; cells && i < cells->size(); ++i)
            if (Node& c = cells->items_mut()[i]; c.is_string())
                c = Node::string(comparable_cell(std::string(c.text()), i < columns->size() ? columns->items()[i].text_at("name") : ""));
    }
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
        } else if (key.view() == "continue" && value.is_string() && value.text().starts_with("eyJ")) {
            out.set(key, Node::string("<token>")); // holds the version
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

// Schemas of custom resources are gone through in the random order of Go's maps.
void sort_custom_causes(Node& body) {
    const Node* causes = body.find_path({"details", "causes"});
    if (body.text_at("reason") != "Invalid" || !causes || causes->size() < 2 || body.find("details")->text_at("group") != "$ns.io") return;
    std::vector<Node> sorted(causes->items().begin(), causes->items().end());
    std::sort(sorted.begin(), sorted.end(), [](const Node& a, const Node& b) { return kube::write_json(a) < kube::write_json(b); });
    Node list = Node::list();
    std::string message(body.text_at("message"));
    message = message.substr(0, message.find(" is invalid: ")) + " is invalid:";
    for (Node& c : sorted) {
        message += " " + std::string(c.text_at("field")) + ": " + std::string(c.text_at("message"));
        list.push_back(std::move(c));
    }
    body.set("message", Node::string(message));
    body.find_mut("details")->set("causes", std::move(list));
}

Node answer_of(const Reply& reply, const std::string& ns, bool as_text) {
    Node out = Node::map({{"status", Node::integer(reply.status)}});
    auto body = kube::read_json(replace_all(reply.body, ns, "$ns"));
    if (body && body->is_map()) sort_custom_causes(*body);
    if (body && body->text_at("kind") == "Table") hide_ages(*body);
    if (as_text) out.set("type", Node::string(reply.type));
    if (body && body->is_map() && !as_text) {
        out.set("body", comparable(*body));
    } else {
        std::string text = replace_all(reply.body, ns, "$ns");
        while (!text.empty() && text.back() == '\n') text.pop_back();
        out.set("body", Node::string(comparable_text(text)));
    }
    Node warnings = Node::list();
    for (const auto& w : reply.warnings)
        if (w.find("the embedded API server") == std::string::npos) // what only ours has to say
            warnings.push_back(Node::string(comparable_text(replace_all(w, ns, "$ns"))));
    if (!warnings.empty()) out.set("warnings", std::move(warnings));
    return out;
}

std::string new_namespace() {
    static std::mt19937 random(std::random_device{}());
    std::string name = "weber-";
    for (int i = 0; i < 10; ++i) name += static_cast<char>('a' + random() % 26);
    return name;
}

// A namespace with its service account, which a server without controllers does not make. What ours makes besides is there, too: made later it would count
// for a quota of the sequence.
void make_namespace(const Api& api, const std::string& ns) {
    const Reply made = api.post("/api/v1/namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: " + ns + "}}");
    EXPECT_EQ(made.status, 201) << made.body;
    const std::string accounts = "/api/v1/namespaces/" + ns + "/serviceaccounts";
    (void)api.post(accounts, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}");
    (void)api.wait(accounts + "/default", [](const Reply& r) { return r.status == 200; });
    if (api.get("/version").at("gitVersion").ends_with("+weber"))
        (void)api.wait("/api/v1/namespaces/" + ns + "/configmaps/kube-root-ca.crt", [](const Reply& r) { return r.status == 200; });
}

std::string shown(const Node* n) {
    if (!n) return "nothing";
    std::string text = kube::write_json(*n);
    if (text.size() > 1500) text = text.substr(0, 1500) + "…";
    return text;
}

// The real server goes through a map at random and ends at the first field that it does not know: which of several mismatches it tells is chance.
bool same_but_for_chance(const Node& a, const Node& b) {
    static const std::regex kUnknown("(failed to create typed patch object \\([^)]*\\): )[^]*field not declared in schema[^]*");
    static const std::regex kOneUnknown("failed to create typed patch object \\([^)]*\\): \\.[a-z]+: field not declared in schema");
    if (!a.is_string() || !b.is_string()) return false;
    const bool each_one = std::regex_match(std::string(a.text()), kOneUnknown) && std::regex_match(std::string(b.text()), kOneUnknown); // of two at the top
    if (!each_one && a.text().find("errors:\n") == b.text().find("errors:\n")) return false;
    std::smatch x, y;
    const std::string ours(a.text()), theirs(b.text());
    return std::regex_match(ours, x, kUnknown) && std::regex_match(theirs, y, kUnknown) && x[1] == y[1];
}

void compare(const Node* a, const Node* b, const std::string& path, std::vector<std::string>& out) {
    if (a && b && (*a == *b || same_but_for_chance(*a, *b))) return;
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

// Items with generated names come in the order of what was generated: chance.
void sort_generated(Node& answer) {
    Node* body = answer.find_mut("body");
    Node* items = body ? body->find_mut("items") : nullptr;
    if (!items || !items->is_list()) return;
    std::vector<Node> list(items->items().begin(), items->items().end());
    const auto generated = [](const Node& n) { return n.find("metadata") && n.find("metadata")->text_at("name").find("<id>") != std::string_view::npos; };
    for (auto at = list.begin(); at != list.end();) {
        const auto end = std::find_if_not(at, list.end(), generated);
        std::sort(at, end, [](const Node& a, const Node& b) { return kube::write_json(a) < kube::write_json(b); });
        at = end == list.end() ? end : std::next(end);
    }
    Node sorted = Node::list();
    for (Node& n : list) sorted.push_back(std::move(n));
    body->set("items", std::move(sorted));
}

// Keys of maps in order, so that equal items are written alike.
Node in_order(Node n) {
    if (n.is_list())
        for (Node& item : n.items_mut()) item = in_order(std::move(item));
    if (n.is_map()) {
        for (auto& e : n.entries_mut()) e.value = in_order(std::move(e.value));
        n.sort_keys();
    }
    return n;
}

Node read_file(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    auto root = kube::read_yaml_one(text.str(), {.file = file});
    EXPECT_TRUE(root) << root.error().to_string();
    return root ? std::move(*root) : Node();
}

// Sets (null: removes) the value at "spec.ports.0.port".
void set_at(Node& target, std::string_view path, const Node& value) {
    const auto dot = path.find('.');
    const auto key = path.substr(0, dot);
    const bool last = dot == std::string_view::npos;
    if (!key.empty() && key[0] >= '0' && key[0] <= '9' && (target.is_list() || target.is_null())) {
        const auto index = static_cast<std::size_t>(std::stoi(std::string(key)));
        if (index >= target.size()) target.push_back(Node());
        if (last)
            target.items_mut()[index] = value;
        else
            set_at(target.items_mut()[index], path.substr(dot + 1), value);
    } else if (last && value.is_null()) {
        target.erase(key);
    } else if (last) {
        target.set(key, value);
    } else {
        set_at(target.get_or_insert(key), path.substr(dot + 1), value);
    }
}

Node with_changes(Node object, const Node* changes) {
    if (changes)
        for (const auto& [path, value] : changes->entries()) set_at(object, path, value);
    return object;
}

// `base: NAME` with `set`, then each of `then` on top of it: server-side applies by manager m (`verb: POST`, `verb: PUT`: instead).
void add_variants(Sequence& sequence, const Node& item, const Node& base) {
    const std::string collection(base.text_at("at"));
    const std::string name(base.find_path({"object", "metadata", "name"})->text());
    const std::string verb(item.text_at("verb").empty() ? "PATCH" : item.text_at("verb"));
    const auto add = [&](const Node& object) {
        const bool apply = verb == "PATCH";
        const std::string query = item.text_at("query").empty() ? "" : "?" + std::string(item.text_at("query"));
        const std::string apply_query = "?fieldManager=m" + (query.empty() ? "" : "&" + query.substr(1));
        sequence.steps.push_back({verb, verb == "POST" ? collection + query : collection + "/" + name + (apply ? apply_query : query),
                                  apply ? "apply" : "", "", kube::write_json(object), ""});
    };
    const Node first = with_changes(*base.find("object"), item.find("set"));
    add(first);
    if (const Node* then = item.find("then"))
        for (const Node& changes : then->items()) add(with_changes(first, &changes));
}

} // namespace

std::vector<Sequence> read_sequences(const std::string& file) {
    const Node root = read_file(file);
    const Node bases = read_file(file.substr(0, file.rfind('/')) + "/bases.yaml");
    std::vector<Sequence> out;
    for (const Node& item : root.items()) {
        Sequence sequence{std::string(item.text_at("name")), {}};
        if (const auto base = item.text_at("base"); !base.empty()) {
            EXPECT_TRUE(bases.contains(base)) << file << ": " << sequence.name;
            add_variants(sequence, item, bases.find(base) ? *bases.find(base) : Node::map());
            out.push_back(std::move(sequence));
            continue;
        }
        for (const Node& s : item.find("steps")->items()) {
            Step step;
            step.wait = s.text_at("wait");
            step.as = s.text_at("as");
            const std::string verb_path(s.text_at("do"));
            const auto blank = verb_path.find(' ');
            step.method = verb_path.substr(0, blank);
            if (blank != std::string::npos) step.path = verb_path.substr(blank + 1);
            step.type = s.text_at("type");
            step.accept = s.text_at("accept");
            step.text = s.contains("text");
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
            (void)api.wait(replace_all(step.wait, "$ns", ns), [](const Reply& r) { return r.status == 200; }, replace_all(step.as, "$ns", ns));
            continue;
        }
        const Reply reply = api.send({.method = step.method,
                                      .path = replace_all(step.path, "$ns", ns),
                                      .body = replace_all(step.body, "$ns", ns),
                                      .type = step.type,
                                      .accept = step.accept,
                                      .as = replace_all(step.as, "$ns", ns)});
        answers.push_back(answer_of(reply, ns, step.text));
    }
    (void)api.remove("/api/v1/namespaces/" + ns);
    return answers;
}

std::vector<std::string> differences(const Node& ours, const Node& theirs) {
    std::vector<std::string> out;
    Node a = in_order(ours), b = in_order(theirs);
    sort_generated(a);
    sort_generated(b);
    compare(&a, &b, "", out);
    return out;
}

} // namespace weber::testing
