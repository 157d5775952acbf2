#include "gitops/reconcile/status.h"

#include <algorithm>

namespace weber::gitops {

namespace {

constexpr std::size_t kMessageLimit = 32768;

// Stored order: Stalled, Reconciling, Ready, the others by name.
int condition_rank(std::string_view type) { return type == "Stalled" ? 0 : type == "Reconciling" ? 1 : type == "Ready" ? 2 : 3; }

bool stored_before(const Condition& a, const Condition& b) {
    const int x = condition_rank(a.type), y = condition_rank(b.type);
    return x != y ? x < y : x == 3 && a.type < b.type;
}

void set_text(Node& map, std::string_view key, const std::string& value) {
    if (!value.empty()) map.set(key, Node::string(value));
}

std::int64_t int_at(const Node& map, std::string_view key, std::int64_t fallback) {
    const Node* n = map.find(key);
    return n != nullptr ? n->as_int().value_or(fallback) : fallback;
}

Condition read_condition(const Node& n) {
    return {std::string(n.text_at("type")), std::string(n.text_at("status")), std::string(n.text_at("reason")), std::string(n.text_at("message")),
            int_at(n, "observedGeneration", 0), std::string(n.text_at("lastTransitionTime"))};
}

Node write_condition(const Condition& c) {
    Node out = Node::map();
    out.set("lastTransitionTime", Node::string(c.last_transition));
    out.set("message", Node::string(c.message));
    if (c.observed_generation != 0) out.set("observedGeneration", Node::integer(c.observed_generation));
    out.set("reason", Node::string(c.reason));
    out.set("status", Node::string(c.status));
    out.set("type", Node::string(c.type));
    return out;
}

HistoryEntry read_history(const Node& n) {
    HistoryEntry e{std::string(n.text_at("digest")), std::string(n.text_at("firstReconciled")), std::string(n.text_at("lastReconciled")),
                   std::string(n.text_at("lastReconciledDuration")), std::string(n.text_at("lastReconciledStatus")),
                   int_at(n, "totalReconciliations", 0), {}};
    if (const Node* metadata = n.find("metadata"))
        for (const auto& [key, value] : metadata->entries()) e.metadata.emplace(key.str(), value.text());
    return e;
}

Node write_history(const HistoryEntry& e) {
    Node out = Node::map();
    out.set("digest", Node::string(e.digest));
    out.set("firstReconciled", Node::string(e.first_reconciled));
    out.set("lastReconciled", Node::string(e.last_reconciled));
    out.set("lastReconciledDuration", Node::string(e.last_duration));
    out.set("lastReconciledStatus", Node::string(e.last_status));
    if (!e.metadata.empty()) {
        Node metadata = Node::map();
        for (const auto& [key, value] : e.metadata) metadata.set(key, Node::string(value));
        out.set("metadata", std::move(metadata));
    }
    out.set("totalReconciliations", Node::integer(e.total));
    return out;
}

// But for times; a passed health check's message holds a duration, so only its state counts.
bool same_condition(const Condition& a, const Condition& b) {
    const bool passed = a.type == "Healthy" && a.status == "True";
    return a.type == b.type && a.status == b.status && a.reason == b.reason && a.observed_generation == b.observed_generation &&
           (passed || a.message == b.message);
}

bool same_history(const HistoryEntry& a, const HistoryEntry& b) {
    return a.digest == b.digest && a.first_reconciled == b.first_reconciled && a.last_status == b.last_status && a.metadata == b.metadata;
}

bool same_inventory(const std::optional<Inventory>& a, const std::optional<Inventory>& b) {
    if (a.has_value() != b.has_value()) return false;
    return !a || std::ranges::equal(*a, *b, [](const InventoryEntry& x, const InventoryEntry& y) { return x.key == y.key && x.version == y.version; });
}

} // namespace

const Condition* KustomizationStatus::find(std::string_view type) const {
    const auto it = std::ranges::find(conditions, type, &Condition::type);
    return it == conditions.end() ? nullptr : &*it;
}

bool KustomizationStatus::is_true(std::string_view type) const {
    const Condition* c = find(type);
    return c != nullptr && c->status == "True";
}

bool KustomizationStatus::ready() const { return is_true("Ready") && !is_true("Reconciling") && !is_true("Stalled"); }

Result<KustomizationStatus> read_status(const Object& object) {
    KustomizationStatus s;
    const Node* status = object.root().find("status");
    if (status == nullptr) return s;
    s.observed_generation = int_at(*status, "observedGeneration", s.observed_generation);
    if (const Node* conditions = status->find("conditions"))
        for (const Node& c : conditions->items()) s.conditions.push_back(read_condition(c));
    s.last_attempted_revision = status->text_at("lastAttemptedRevision");
    s.last_applied_revision = status->text_at("lastAppliedRevision");
    s.last_applied_origin_revision = status->text_at("lastAppliedOriginRevision");
    s.last_handled_reconcile_at = status->text_at("lastHandledReconcileAt");
    if (status->contains("inventory")) s.inventory = readable_inventory(*status, s.unreadable);
    if (const Node* history = status->find("history"))
        for (const Node& e : history->items()) s.history.push_back(read_history(e));
    return s;
}

Node write_status(const KustomizationStatus& s) {
    Node out = Node::map();
    if (!s.conditions.empty()) {
        Node& list = out.set("conditions", Node::list());
        for (const Condition& c : s.conditions) list.push_back(write_condition(c));
    }
    if (!s.history.empty()) {
        Node& list = out.set("history", Node::list());
        for (const HistoryEntry& e : s.history) list.push_back(write_history(e));
    }
    if (s.inventory) out.set("inventory", write_inventory(*s.inventory));
    set_text(out, "lastAppliedOriginRevision", s.last_applied_origin_revision);
    set_text(out, "lastAppliedRevision", s.last_applied_revision);
    set_text(out, "lastAttemptedRevision", s.last_attempted_revision);
    set_text(out, "lastHandledReconcileAt", s.last_handled_reconcile_at);
    out.set("observedGeneration", Node::integer(s.observed_generation));
    return out;
}

bool says_the_same(const KustomizationStatus& a, const KustomizationStatus& b) {
    return a.observed_generation == b.observed_generation && std::ranges::equal(a.conditions, b.conditions, same_condition) &&
           a.last_attempted_revision == b.last_attempted_revision && a.last_applied_revision == b.last_applied_revision &&
           a.last_applied_origin_revision == b.last_applied_origin_revision && a.last_handled_reconcile_at == b.last_handled_reconcile_at &&
           same_inventory(a.inventory, b.inventory) && std::ranges::equal(a.history, b.history, same_history);
}

std::string limit_message(std::string message) {
    if (message.size() <= kMessageLimit) return message;
    message.resize(kMessageLimit - 3);
    return message + "...";
}

void remove_condition(KustomizationStatus& status, std::string_view type) {
    std::erase_if(status.conditions, [&](const Condition& c) { return c.type == type; });
}

void set_condition(KustomizationStatus& status, Condition condition, kube::SystemTime now) {
    condition.message = limit_message(std::move(condition.message));
    condition.last_transition = kube::format_rfc3339(now);
    if (const Condition* old = status.find(condition.type);
        old != nullptr && old->status == condition.status && old->reason == condition.reason && old->message == condition.message)
        condition.last_transition = old->last_transition;
    if (condition.type == "Stalled") remove_condition(status, "Reconciling");
    if (condition.type == "Reconciling") remove_condition(status, "Stalled");
    remove_condition(status, condition.type);
    status.conditions.push_back(std::move(condition));
    std::ranges::stable_sort(status.conditions, stored_before);
}

} // namespace weber::gitops
