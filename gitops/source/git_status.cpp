#include "gitops/source/git_status.h"

#include <algorithm>
#include <array>

#include "gitops/api/names.h"
#include "gitops/reconcile/status_writer.h"

namespace weber::gitops {

namespace {

struct Sign {
    std::string_view type;
    bool negative; // there only while it is True, and then something is wrong or going on
};
// The list's order decides inside a group (sources.md 0.6).
constexpr std::array<Sign, 8> kSigns{{{"StorageOperationFailed", true}, {"FetchFailed", true}, {"IncludeUnavailable", true}, {"ArtifactOutdated", true},
                                      {"ArtifactInStorage", false}, {"SourceVerified", false}, {"Stalled", true}, {"Reconciling", true}}};
constexpr std::array<std::string_view, 5> kMore{"includedArtifacts", "observedInclude", "observedRecurseSubmodules", "observedSparseCheckout", "sourceVerificationMode"};
constexpr std::array<std::string_view, 10> kFields{"artifact", "conditions", "lastHandledReconcileAt", "observedGeneration", "observedIgnore",
                                                   kMore[0], kMore[1], kMore[2], kMore[3], kMore[4]};

bool is_own(std::string_view type) { return type == "Ready" || std::ranges::find(kSigns, type, &Sign::type) != kSigns.end(); }

int condition_rank(std::string_view type) { return type == "Stalled" ? 0 : type == "Reconciling" ? 1 : type == "Ready" ? 2 : 3; }

bool stored_before(const Condition& a, const Condition& b) {
    const int x = condition_rank(a.type), y = condition_rank(b.type);
    if (x != y || x < 3) return x < y;
    return a.observed_generation != b.observed_generation ? a.observed_generation > b.observed_generation : a.type < b.type;
}

// Smaller is stronger.
int group_of(const Condition& c, bool negative) {
    if (c.status == "Unknown") return 4;
    const bool is_true = c.status == "True";
    if (is_true && negative) return 0;
    if (!is_true && !negative) return 1;
    return is_true ? 2 : 3;
}

Condition read_condition(const Node& n) {
    const Node* generation = n.find("observedGeneration");
    return {std::string(n.text_at("type")), std::string(n.text_at("status")), std::string(n.text_at("reason")), std::string(n.text_at("message")),
            generation != nullptr ? generation->as_int().value_or(0) : 0, std::string(n.text_at("lastTransitionTime"))};
}

Node write_condition(const Condition& c) {
    Node out = Node::map({{"lastTransitionTime", Node::string(c.last_transition)}, {"message", Node::string(c.message)}});
    if (c.observed_generation != 0) out.set("observedGeneration", Node::integer(c.observed_generation));
    out.set("reason", Node::string(c.reason));
    out.set("status", Node::string(c.status));
    out.set("type", Node::string(c.type));
    return out;
}

} // namespace

const Condition* GitRepositoryStatus::find(std::string_view type) const {
    const auto it = std::ranges::find(conditions, type, &Condition::type);
    return it == conditions.end() ? nullptr : &*it;
}

bool GitRepositoryStatus::is_true(std::string_view type) const {
    const Condition* c = find(type);
    return c != nullptr && c->status == "True";
}

bool GitRepositoryStatus::has_more_content() const {
    const Node* submodules = more.find("observedRecurseSubmodules");
    return more.contains("includedArtifacts") || more.contains("observedInclude") || more.contains("observedSparseCheckout") || (submodules != nullptr && submodules->as_bool());
}

GitRepositoryStatus read_git_status(const Object& object) {
    GitRepositoryStatus s;
    const Node* status = object.root().find("status");
    if (status == nullptr) return s;
    if (const Node* g = status->find("observedGeneration")) s.observed_generation = g->as_int().value_or(s.observed_generation);
    if (const Node* conditions = status->find("conditions"))
        for (const Node& c : conditions->items()) s.conditions.push_back(read_condition(c));
    s.artifact = read_artifact(object);
    s.last_handled_reconcile_at = status->text_at("lastHandledReconcileAt");
    if (const Node* ignore = status->find("observedIgnore")) s.observed_ignore = std::string(ignore->text());
    for (std::string_view field : kMore)
        if (const Node* value = status->find(field)) s.more.set(field, *value);
    return s;
}

Node write_git_status(const GitRepositoryStatus& s) {
    Node out = Node::map();
    if (s.artifact) out.set("artifact", write_artifact(*s.artifact));
    if (!s.conditions.empty()) {
        Node& list = out.set("conditions", Node::list());
        for (const Condition& c : s.conditions) list.push_back(write_condition(c));
    }
    if (!s.last_handled_reconcile_at.empty()) out.set("lastHandledReconcileAt", Node::string(s.last_handled_reconcile_at));
    out.set("observedGeneration", Node::integer(s.observed_generation));
    if (s.observed_ignore) out.set("observedIgnore", Node::string(*s.observed_ignore));
    for (std::string_view field : kMore)
        if (const Node* value = s.more.find(field)) out.set(field, *value);
    return out;
}

void remove_condition(GitRepositoryStatus& status, std::string_view type) {
    std::erase_if(status.conditions, [&](const Condition& c) { return c.type == type; });
}

void set_condition(GitRepositoryStatus& status, Condition condition, kube::SystemTime now) {
    condition.message = limit_message(std::move(condition.message));
    condition.last_transition = kube::format_rfc3339(now);
    if (const Condition* old = status.find(condition.type);
        old != nullptr && old->status == condition.status && old->reason == condition.reason && old->message == condition.message)
        condition.last_transition = old->last_transition;
    remove_condition(status, condition.type);
    status.conditions.push_back(std::move(condition));
    std::ranges::stable_sort(status.conditions, stored_before);
}

void summarize(GitRepositoryStatus& status, std::int64_t generation, kube::SystemTime now) {
    const Condition* top = nullptr;
    int group = 5;
    for (const Sign& sign : kSigns) {
        const Condition* c = status.find(sign.type);
        if (c == nullptr || group_of(*c, sign.negative) >= group) continue;
        top = c;
        group = group_of(*c, sign.negative);
    }
    if (top == nullptr) return;
    const std::string_view ready = group == 4 ? "Unknown" : group == 0 || group == 1 ? "False" : "True";
    set_condition(status, {"Ready", std::string(ready), top->reason, top->message, generation, ""}, now);
}

Result<Object> patch_git_status(kube::Client& client, const Object& live, const GitRepositoryStatus& status, const kube::Call& call) {
    const auto wanted = [&](const Object& now) { // others' conditions as they are now
        GitRepositoryStatus out = status;
        std::erase_if(out.conditions, [](const Condition& c) { return !is_own(c.type); });
        for (const Condition& c : read_git_status(now).conditions)
            if (!is_own(c.type)) out.conditions.push_back(c);
        return write_git_status(out);
    };
    return patch_status_fields(client, live, wanted, kFields, kSourceManager, call);
}

} // namespace weber::gitops
