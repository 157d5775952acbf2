#include "gitops/reconcile/changes.h"

#include <algorithm>

namespace weber::gitops {

std::string_view to_string(Action action) {
    switch (action) {
    case Action::created: return "created";
    case Action::configured: return "configured";
    case Action::unchanged: return "unchanged";
    case Action::skipped: return "skipped";
    case Action::deleted: return "deleted";
    case Action::unknown: return "unknown";
    }
    return "unknown";
}

bool ChangeSet::any_change() const {
    return std::ranges::any_of(changes, [](const Change& c) { return is_change(c.action); });
}

std::string ChangeSet::changed_lines() const {
    std::string out;
    for (const Change& c : changes) {
        if (!is_change(c.action)) continue;
        if (!out.empty()) out += '\n';
        out += c.key.subject() + " " + std::string(to_string(c.action));
    }
    return out;
}

} // namespace weber::gitops
