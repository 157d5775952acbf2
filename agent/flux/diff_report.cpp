#include "agent/flux/diff_report.h"

#include <algorithm>
#include <array>
#include <vector>

#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

std::string counted(std::size_t n, std::string_view noun) {
    static constexpr std::array<std::string_view, 13> words = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"};
    const std::string number = n < words.size() ? std::string(words[n]) : std::to_string(n);
    return number + " " + std::string(noun) + (n == 1 ? " entry" : " entries");
}

std::string indented(const std::string& text, std::string_view by) {
    std::string out;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        out += std::string(by) + text.substr(begin, end - begin) + "\n";
        begin = end + 1;
    }
    return out;
}

std::string scalar_text(const Node& n) {
    if (n.is_string() && n.text().find('\n') == std::string::npos) return std::string(n.text()); // unquoted, as flux shows it
    std::string text = kube::write_yaml(n);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

// What an element of a list is known by: its name, or the port of a Service's port; "" = only by its value.
std::string identity(const Node& element) {
    for (const char* key : {"name", "key", "id", "port", "containerPort", "mountPath", "ip"})
        if (const Node* value = element.find(key); value && value->is_scalar()) return std::string(value->text());
    return "";
}

bool all_known(const Node& list) {
    std::vector<std::string> names;
    for (const Node& element : list.items()) {
        std::string name = identity(element);
        if (name.empty() || std::ranges::find(names, name) != names.end()) return false;
        names.push_back(std::move(name));
    }
    return true;
}

class Report {
public:
    void compare(const std::string& path, const Node& a, const Node& b) {
        if (a == b) return;
        if (a.is_map() && b.is_map()) return maps(path, a, b);
        if (a.is_list() && b.is_list()) return all_known(a) && all_known(b) ? known_lists(path, a, b) : plain_lists(path, a, b);
        begin(path);
        out += "± " + std::string(a.kind() == b.kind() ? "value change" : "type change from " + std::string(a.kind_word()) + " to " + std::string(b.kind_word())) + "\n";
        out += indented(scalar_text(a), "- ") + indented(scalar_text(b), "+ ");
    }
    std::string out;

private:
    static std::string join(const std::string& path, std::string_view key) { return path.empty() ? std::string(key) : path + "." + std::string(key); }

    void begin(const std::string& path) { out += "\n" + (path.empty() ? "(root level)" : path) + "\n"; }

    void entries(std::string_view mark, std::string_view noun, std::string_view verb, const Node& fragment) {
        out += std::string(mark) + " " + counted(fragment.size(), noun) + " " + std::string(verb) + ":\n" + indented(kube::write_yaml(fragment), "  ");
    }

    void changed_entries(const std::string& path, std::string_view noun, const Node& removed, const Node& added) {
        if (removed.empty() && added.empty()) return;
        begin(path);
        if (!removed.empty()) entries("-", noun, "removed", removed);
        if (!added.empty()) entries("+", noun, "added", added);
    }

    void maps(const std::string& path, const Node& a, const Node& b) {
        Node removed = Node::map(), added = Node::map();
        for (const Node::Entry& e : a.entries())
            if (!b.contains(e.key.view())) removed.set(e.key, e.value);
        for (const Node::Entry& e : b.entries())
            if (!a.contains(e.key.view())) added.set(e.key, e.value);
        changed_entries(path, "map", removed, added);
        std::vector<const Node::Entry*> sorted; // as Go's maps are written, whatever order the server has
        for (const Node::Entry& e : a.entries()) sorted.push_back(&e);
        std::ranges::sort(sorted, {}, [](const Node::Entry* e) { return std::string(e->key.view()); });
        for (const Node::Entry* e : sorted)
            if (const Node* other = b.find(e->key.view())) compare(join(path, e->key.view()), e->value, *other);
    }

    static const Node* element(const Node& list, const std::string& name) {
        for (const Node& e : list.items())
            if (identity(e) == name) return &e;
        return nullptr;
    }

    void known_lists(const std::string& path, const Node& a, const Node& b) {
        Node removed = Node::list(), added = Node::list();
        for (const Node& e : a.items())
            if (!element(b, identity(e))) removed.push_back(e);
        for (const Node& e : b.items())
            if (!element(a, identity(e))) added.push_back(e);
        changed_entries(path, "list", removed, added);
        for (const Node& e : a.items())
            if (const Node* other = element(b, identity(e))) compare(join(path, identity(e)), e, *other);
    }

    static Node without(const Node& list, const Node& other) {
        Node out = Node::list();
        for (const Node& e : list.items())
            if (std::ranges::find(other.items(), e) == other.items().end()) out.push_back(e);
        return out;
    }

    void plain_lists(const std::string& path, const Node& a, const Node& b) {
        if (a.size() == 1 && b.size() == 1) return compare(join(path, "0"), a.items()[0], b.items()[0]);
        changed_entries(path, "list", without(a, b), without(b, a));
    }
};

} // namespace

std::string diff_report(const Node& before, const Node& after) {
    Report report;
    report.compare("", before, after);
    return std::move(report.out);
}

} // namespace weber::agent
