#include "kube/server/aggregate.h"

#include <algorithm>

#include "kube/base/selector.h"
#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

constexpr const char* kFields[] = {"verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"};

// Absent, null and empty lists are equal.
bool same_list(const Node* a, const Node* b) {
    const bool none_a = !a || a->empty(), none_b = !b || b->empty();
    return none_a || none_b ? none_a == none_b : *a == *b;
}

bool same_rule(const Node& a, const Node& b) {
    return std::all_of(std::begin(kFields), std::end(kFields), [&](const char* f) { return same_list(a.find(f), b.find(f)); });
}

bool same_rules(std::span<const Node> a, std::span<const Node> b) { return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_rule); }

std::span<const Node> rules_of(const Node& role) {
    const Node* rules = role.find("rules");
    return rules ? rules->items() : std::span<const Node>();
}

} // namespace

std::optional<Node> aggregated_rules(const Node& role, const std::vector<Node>& roles) {
    const Node* rule = role.find("aggregationRule");
    if (!rule) return std::nullopt;
    std::vector<const Node*> sorted;
    for (const Node& r : roles)
        if (meta_text(r, "name") != meta_text(role, "name")) sorted.push_back(&r);
    std::sort(sorted.begin(), sorted.end(), [](const Node* a, const Node* b) { return meta_text(*a, "name") < meta_text(*b, "name"); });
    Node rules = Node::list();
    const Node* selectors = rule->find("clusterRoleSelectors");
    for (const Node& s : selectors ? selectors->items() : std::span<const Node>()) {
        const auto selector = LabelSelector::parse(selector_text(s));
        if (!selector) return std::nullopt;
        for (const Node* other : sorted) {
            if (!selector->matches_object(*other)) continue;
            for (const Node& wanted : rules_of(*other)) {
                const auto have = rules.items();
                if (std::none_of(have.begin(), have.end(), [&](const Node& r) { return same_rule(r, wanted); })) rules.push_back(wanted);
            }
        }
    }
    if (same_rules(rules.items(), rules_of(role))) return std::nullopt;
    return rules;
}

} // namespace weber::kube::server
