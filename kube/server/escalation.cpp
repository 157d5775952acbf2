#include "kube/server/escalation.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "kube/base/json.h"
#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

using Texts = std::vector<std::string>;

struct Rule {
    Texts groups, resources, urls, names, verbs;
};

Texts texts(const Node& rule, std::string_view field) {
    Texts out;
    if (const Node* list = rule.find(field))
        for (const Node& n : list->items()) out.emplace_back(n.text());
    return out;
}

Rule rule_of(const Node& n) {
    return {texts(n, "apiGroups"), texts(n, "resources"), texts(n, "nonResourceURLs"), texts(n, "resourceNames"), texts(n, "verbs")};
}

bool has(const Texts& list, std::string_view value) { return std::find(list.begin(), list.end(), value) != list.end(); }

bool covers_resource(const Texts& owned, const std::string& wanted) {
    if (has(owned, "*") || has(owned, wanted)) return true;
    const auto slash = wanted.find('/');
    return slash != std::string::npos && has(owned, "*" + wanted.substr(slash));
}

bool covers_url(const Texts& owned, std::string_view wanted) {
    return std::any_of(owned.begin(), owned.end(), [&](const std::string& o) {
        return o == wanted || (o.ends_with('*') && wanted.starts_with(std::string_view(o).substr(0, o.find_last_not_of('*') + 1)));
    });
}

// `part` is the result of `broken_down`: one verb and either one URL or one resource.
bool covers(const Rule& owned, const Rule& part) {
    if (!has(owned.verbs, "*") && !has(owned.verbs, part.verbs.front())) return false;
    if (!part.urls.empty()) return covers_url(owned.urls, part.urls.front());
    if (!has(owned.groups, "*") && !has(owned.groups, part.groups.front())) return false;
    if (!covers_resource(owned.resources, part.resources.front())) return false;
    return owned.names.empty() || (!part.names.empty() && has(owned.names, part.names.front()));
}

std::vector<Rule> broken_down(const Rule& rule) {
    std::vector<Rule> out;
    for (const auto& group : rule.groups)
        for (const auto& resource : rule.resources)
            for (const auto& verb : rule.verbs) {
                if (rule.names.empty()) out.push_back({{group}, {resource}, {}, {}, {verb}});
                for (const auto& name : rule.names) out.push_back({{group}, {resource}, {}, {name}, {verb}});
            }
    for (const auto& url : rule.urls)
        for (const auto& verb : rule.verbs) out.push_back({{}, {}, {url}, {}, {verb}});
    return out;
}

// Go's %q of a list of strings.
std::string quoted(const Texts& list) {
    std::string out = "[";
    for (const auto& t : list) out += (out.size() > 1 ? " " : "") + write_json(Node::string(t));
    return out + "]";
}

std::string shown(const Rule& rule) {
    std::string out;
    for (const auto& [name, list] : {std::pair<const char*, const Texts&>{"APIGroups:", rule.groups}, {"Resources:", rule.resources},
                                     {"NonResourceURLs:", rule.urls}, {"ResourceNames:", rule.names}, {"Verbs:", rule.verbs}})
        if (!list.empty()) out += (out.empty() ? "" : ", ") + std::string(name) + quoted(list);
    return "{" + out + "}";
}

} // namespace

std::vector<std::string> missing_rights(const std::vector<Node>& owned, const std::vector<Node>& wanted) {
    std::vector<Rule> mine;
    for (const Node& n : owned) mine.push_back(rule_of(n));
    std::map<std::tuple<std::string, std::string, Texts>, Rule> by_resource; // one line for all verbs of a resource
    std::set<std::string> lines;
    for (const Node& n : wanted)
        for (Rule& part : broken_down(rule_of(n))) {
            if (std::any_of(mine.begin(), mine.end(), [&](const Rule& o) { return covers(o, part); })) continue;
            if (!part.urls.empty()) {
                lines.insert(shown(part));
                continue;
            }
            Rule& line = by_resource[{part.groups.front(), part.resources.front(), part.names}];
            part.verbs.insert(part.verbs.begin(), line.verbs.begin(), line.verbs.end());
            line = std::move(part);
        }
    for (const auto& [key, rule] : by_resource) lines.insert(shown(rule));
    return {lines.begin(), lines.end()};
}

bool changes_only_gc_fields(const Node& next, const Node& live) {
    if (!live.is_map()) return false;
    Node probe = next;
    for (const auto field : {"ownerReferences", "finalizers", "managedFields"}) {
        if (const Node* old = live.find_path({"metadata", field}))
            meta_mut(probe).set(field, *old);
        else
            erase_meta(probe, field);
    }
    return probe == live;
}

std::string escalation_text(const User& user, const std::vector<std::string>& missing) {
    std::string out = "user " + write_json(Node::string(user.name)) + " (groups=" + quoted(user.groups) +
                      ") is attempting to grant RBAC permissions not currently held:";
    for (const auto& line : missing) out += "\n" + line;
    return out;
}

} // namespace weber::kube::server
