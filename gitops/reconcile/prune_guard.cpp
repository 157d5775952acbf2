#include "gitops/reconcile/prune_guard.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "gitops/api/names.h"
#include "gitops/reconcile/prune.h"
#include "kube/base/digest.h"

namespace weber::gitops {

namespace {

constexpr std::string_view kCondition = "PruneGuard";
constexpr std::size_t kMany = 20;
constexpr std::size_t kShown = 20; // subjects in the message

bool is_namespace(const kube::ObjectKey& k) { return k.kind == "Namespace" && k.group.empty(); }
bool is_definition(const kube::ObjectKey& k) { return k.kind == "CustomResourceDefinition" && k.group == "apiextensions.k8s.io"; }

// Stands for the set of objects, in any order.
std::string token_of(const Inventory& stale) {
    std::set<std::string> ids;
    for (const InventoryEntry& e : stale) ids.insert(e.key.inventory_id());
    std::string text;
    for (const std::string& id : ids) text += id + "\n";
    return kube::sha256_hex(text).substr(0, 12);
}

std::string listed(const std::vector<std::string>& subjects) {
    std::string out;
    for (std::size_t i = 0; i < subjects.size() && i < kShown; ++i) out += (i == 0 ? "" : ", ") + subjects[i];
    if (subjects.size() > kShown) out += " and " + std::to_string(subjects.size() - kShown) + " more";
    return out;
}

// What a controller makes in every namespace, and what only reports on other objects.
bool comes_by_itself(const Object& o) {
    if (const Node* owners = o.at({"metadata", "ownerReferences"}); owners != nullptr && !owners->empty()) return true;
    const std::string_view kind = o.kind(), name = o.name();
    if (kind == "ServiceAccount") return name == "default";
    if (kind == "ConfigMap") return name == "kube-root-ca.crt";
    return kind == "Event" || kind == "Endpoints" || kind == "EndpointSlice";
}

class Looker {
public:
    Looker(kube::Client& client, const Inventory& stale, std::stop_token stop) : client_(client), stop_(std::move(stop)) {
        for (const InventoryEntry& e : stale) deleted_.insert(e.key);
    }

    Result<LiveContent> look(const kube::ObjectKey& key, const Object& live) {
        LiveContent out{.key = key};
        if (is_definition(key)) {
            const kube::GroupKind kind{std::string(text_at(live, {"spec", "group"})), std::string(text_at(live, {"spec", "names", "kind"}))};
            TRY_VOID(count({kind.group, "", kind.kind}, "", out));
            return out;
        }
        TRY(const std::vector<kube::ApiResource> all, client_.discovery().all(stop_));
        std::set<kube::GroupKind> seen;
        for (const kube::ApiResource& r : all)
            if (r.namespaced && r.can("list") && r.can("delete") && seen.insert({r.group, r.kind}).second) TRY_VOID(count(r.gvk(), key.name, out));
        return out;
    }

private:
    static std::string_view text_at(const Object& o, std::initializer_list<std::string_view> path) {
        const Node* n = o.at(path);
        return n != nullptr ? n->text() : std::string_view();
    }

    Result<void> count(const kube::GroupVersionKind& gvk, const std::string& ns, LiveContent& out) {
        const auto list = client_.list(gvk, {.ns = ns, .metadata_only = true}, {.stop = stop_});
        if (!list) {
            const ErrorCode code = list.error().code;
            const bool passed_over = code == ErrorCode::forbidden || code == ErrorCode::not_found || list.error().http_status == 405;
            return passed_over ? Result<void>() : std::unexpected(list.error());
        }
        for (const Object& o : list->items) {
            if (comes_by_itself(o) || deleted_.contains(o.key()) || !uids_.insert(std::string(o.uid())).second) continue;
            if (out.count++ == 0) out.example = o.subject();
        }
        return {};
    }

    kube::Client& client_;
    const std::stop_token stop_;
    std::set<kube::ObjectKey> deleted_;
    std::set<std::string> uids_; // one object may be served by two groups
};

} // namespace

GuardVerdict judge_prune(std::size_t before, const Inventory& stale, std::span<const LiveContent> content, std::string_view allowed) {
    GuardVerdict out;
    if (stale.empty()) return out;
    out.token = token_of(stale);
    for (const InventoryEntry& e : stale) out.deletes.push_back(e.key.subject());
    std::string why;
    const std::string n = std::to_string(stale.size()), of = std::to_string(before);
    if (stale.size() >= before)
        why += "it would delete the whole inventory, " + of + (before == 1 ? " object\n" : " objects\n");
    else if (before >= kMany && stale.size() * 2 > before)
        why += "it would delete " + n + " of " + of + " objects\n";
    for (const LiveContent& c : content)
        if (c.count > 0)
            why += "it would delete " + c.key.subject() + " and with it " + std::to_string(c.count) + (c.count == 1 ? " object" : " objects") +
                   " that this Kustomization does not delete by name, such as " + c.example + "\n";
    if (why.empty() || allowed == "always" || allowed == out.token) return out;
    out.stop = true;
    out.message = "prune guard: nothing was deleted, for\n" + why + "Objects: " + listed(out.deletes) + "\nTo go on, set the annotation " +
                  std::string(kAllowPrune) + ": " + out.token + " on the Kustomization";
    return out;
}

std::size_t size_before(const KustomizationStatus& status, const Inventory& old) {
    const Condition* stopped = status.find(kCondition);
    std::size_t before = 0;
    if (stopped == nullptr) return old.size();
    const auto [end, code] = std::from_chars(stopped->message.data(), stopped->message.data() + stopped->message.size(), before);
    return code == std::errc() ? std::min(before, old.size()) : old.size();
}

void mark_stopped(KustomizationStatus& status, std::size_t before, std::int64_t generation, kube::SystemTime now) {
    set_condition(status, {std::string(kCondition), "True", "Stopped", std::to_string(before) + " objects were in the inventory before the deletion that was stopped", generation, ""}, now);
}

void clear_stopped(KustomizationStatus& status) { remove_condition(status, kCondition); }

Result<std::vector<LiveContent>> live_content(kube::Client& client, const Inventory& stale, const NamespacedName& owner, std::stop_token stop) {
    std::vector<LiveContent> out;
    Looker looker(client, stale, stop);
    for (const InventoryEntry& e : stale) {
        if (!is_namespace(e.key) && !is_definition(e.key)) continue;
        const auto live = client.find({.gvk = {e.key.group, e.version, e.key.kind}, .name = e.key.name}, {}, {.stop = stop});
        if (!live) return std::unexpected(live.error());
        if (!*live || (*live)->deleting() || !reason_to_keep(**live, owner).empty()) continue;
        TRY(LiveContent found, looker.look(e.key, **live));
        if (found.count > 0) out.push_back(std::move(found));
    }
    return out;
}

} // namespace weber::gitops
