#include "kube/server/json_path.h"

#include <charconv>
#include <string>

#include "kube/base/trim.h"

namespace weber::kube::server {
namespace {

using Nodes = std::vector<Node>;

Nodes step_key(const Nodes& in, std::string_view key) {
    Nodes out;
    for (const auto& n : in) {
        if (key == "*") {
            for (const auto& e : n.entries()) out.push_back(e.value);
            for (const auto& i : n.items()) out.push_back(i);
        } else if (const Node* v = n.find(key)) {
            out.push_back(*v);
        }
    }
    return out;
}

Nodes step_index(const Nodes& in, std::string_view text) {
    Nodes out;
    if (text == "*") {
        for (const auto& n : in) {
            for (const auto& i : n.items()) out.push_back(i);
            for (const auto& e : n.entries()) out.push_back(e.value);
        }
        return out;
    }
    int index = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), index).ec != std::errc()) return out;
    for (const auto& n : in) {
        const auto items = n.items();
        const auto size = static_cast<int>(items.size());
        const int at = index < 0 ? size + index : index;
        if (at >= 0 && at < size) out.push_back(items[static_cast<std::size_t>(at)]);
    }
    return out;
}

// @.field=="text" (== and != only)
Nodes step_filter(const Nodes& in, std::string_view expression) {
    Nodes out;
    const bool negate = expression.find("!=") != std::string_view::npos;
    const auto op = expression.find(negate ? "!=" : "==");
    if (op == std::string_view::npos) return out;
    std::string_view left = trimmed(expression.substr(0, op), " "), right = trimmed(expression.substr(op + 2), " ");
    if (!left.starts_with('@')) return out;
    left.remove_prefix(1);
    if (right.size() >= 2 && (right.front() == '"' || right.front() == '\'')) right = right.substr(1, right.size() - 2);
    for (const auto& n : in) {
        for (const auto& item : n.items()) {
            const auto found = json_path(item, left);
            const bool equal = !found.empty() && found[0].text() == right;
            if (equal != negate) out.push_back(item);
        }
    }
    return out;
}

} // namespace

std::vector<Node> json_path(const Node& root, std::string_view path) {
    Nodes nodes{root};
    path = trimmed(path, " ");
    if (path.starts_with('{') && path.ends_with('}')) path = path.substr(1, path.size() - 2);
    if (path.starts_with('$')) path.remove_prefix(1);
    while (!path.empty() && !nodes.empty()) {
        if (path.front() == '.') {
            path.remove_prefix(1);
            std::string key;
            std::size_t i = 0;
            for (; i < path.size() && path[i] != '.' && path[i] != '['; ++i) {
                if (path[i] == '\\' && i + 1 < path.size()) ++i;
                key += path[i];
            }
            path.remove_prefix(i);
            if (!key.empty()) nodes = step_key(nodes, key);
        } else if (path.front() == '[') {
            const bool filter = path.starts_with("[?(");
            const auto close = filter ? path.find(")]") : path.find(']');
            if (close == std::string_view::npos) return {};
            const auto inner = filter ? path.substr(3, close - 3) : path.substr(1, close - 1);
            path.remove_prefix(close + (filter ? 2 : 1));
            if (filter)
                nodes = step_filter(nodes, inner);
            else if (inner.size() >= 2 && (inner.front() == '\'' || inner.front() == '"'))
                nodes = step_key(nodes, inner.substr(1, inner.size() - 2));
            else
                nodes = step_index(nodes, inner);
        } else {
            return {};
        }
    }
    return nodes;
}

} // namespace weber::kube::server
