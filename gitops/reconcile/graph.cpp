#include "gitops/reconcile/graph.h"

#include <algorithm>
#include <set>

namespace weber::gitops {

namespace {

// Depth-first without recursion, so that a long chain cannot exhaust the stack. `done` are left, `path` are entered and not yet left.
struct Walk {
    const std::map<NamespacedName, std::vector<NamespacedName>>& edges;
    std::set<NamespacedName> done = {};
    std::vector<NamespacedName> order = {};
    std::vector<NamespacedName> cycle = {};

    struct Frame {
        const NamespacedName* name;
        std::vector<NamespacedName> next; // dependencies still to enter, last first
    };

    static std::vector<NamespacedName> reversed(std::vector<NamespacedName> names) {
        std::ranges::sort(names, std::greater<>());
        return names;
    }

    // False when a cycle was met.
    bool enter(const NamespacedName& start) {
        if (done.contains(start)) return true;
        std::vector<Frame> path;
        std::set<NamespacedName> open;
        const auto push = [&](const NamespacedName& name) {
            const auto it = edges.find(name);
            if (it == edges.end()) return;
            open.insert(name);
            path.push_back({&it->first, reversed(it->second)});
        };
        push(start);
        while (!path.empty()) {
            Frame& top = path.back();
            if (top.next.empty()) {
                done.insert(*top.name);
                open.erase(*top.name);
                order.push_back(*top.name);
                path.pop_back();
                continue;
            }
            const NamespacedName next = std::move(top.next.back());
            top.next.pop_back();
            if (open.contains(next)) {
                for (const Frame& f : path)
                    if (!cycle.empty() || *f.name == next) cycle.push_back(*f.name);
                return false;
            }
            if (!done.contains(next)) push(next);
        }
        return true;
    }
};

// From the smallest name on, closed.
std::vector<NamespacedName> closed(std::vector<NamespacedName> cycle) {
    if (cycle.empty()) return cycle;
    std::ranges::rotate(cycle, std::ranges::min_element(cycle));
    cycle.push_back(cycle.front());
    return cycle;
}

} // namespace

void Graph::set(const NamespacedName& name, std::vector<NamespacedName> depends_on) { edges_[name] = std::move(depends_on); }

void Graph::erase(const NamespacedName& name) { edges_.erase(name); }

const std::vector<NamespacedName>& Graph::dependencies(const NamespacedName& name) const {
    static const std::vector<NamespacedName> none;
    const auto it = edges_.find(name);
    return it == edges_.end() ? none : it->second;
}

std::vector<NamespacedName> Graph::dependents(const NamespacedName& name) const {
    std::vector<NamespacedName> out;
    for (const auto& [who, needs] : edges_)
        if (std::ranges::find(needs, name) != needs.end()) out.push_back(who);
    return out;
}

Result<std::vector<NamespacedName>> Graph::order() const {
    Walk walk{edges_};
    for (const auto& [name, needs] : edges_)
        if (!walk.enter(name)) return fail(ErrorCode::invalid, cycle_message(closed(std::move(walk.cycle))));
    return std::move(walk.order);
}

std::vector<NamespacedName> Graph::cycle_from(const NamespacedName& from) const {
    Walk walk{edges_};
    walk.enter(from);
    return closed(std::move(walk.cycle));
}

std::string cycle_message(const std::vector<NamespacedName>& cycle) {
    std::string out = "circular dependency detected: ";
    for (std::size_t i = 0; i < cycle.size(); ++i) out += (i == 0 ? "" : " -> ") + cycle[i].to_string();
    return out;
}

} // namespace weber::gitops
