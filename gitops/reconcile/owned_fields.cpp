#include "gitops/reconcile/owned_fields.h"

#include <algorithm>

#include "gitops/api/names.h"
#include "gitops/reconcile/takeover.h"
#include "kube/base/json.h"

namespace weber::gitops {

namespace {

void mix(std::size_t& seed, std::size_t value) { seed ^= value + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2); }

const Node* item_with(const Node& list, const Node& keys) {
    for (const Node& item : list.items()) {
        const bool same = std::ranges::all_of(keys.entries(), [&](const auto& e) {
            const Node* have = item.find(e.key);
            return have != nullptr && *have == e.value;
        });
        if (same) return &item;
    }
    return nullptr;
}

const Node* child_of(const Node& at, std::string_view element) {
    const std::string_view rest = element.substr(2);
    if (element.starts_with("f:")) return at.find(rest);
    const auto value = kube::read_json(rest);
    if (!value) return nullptr;
    if (element.starts_with("k:")) return item_with(at, *value);
    if (element.starts_with("v:")) {
        const auto found = std::ranges::find(at.items(), *value);
        return found != at.items().end() ? &*found : nullptr;
    }
    const auto index = value->as_int();
    return index && *index >= 0 && static_cast<std::size_t>(*index) < at.size() ? &at.items()[static_cast<std::size_t>(*index)] : nullptr;
}

void hash_set(const Node& set, const Node* value, std::size_t& seed) {
    if (set.empty()) { // a leaf: all that is there
        mix(seed, value != nullptr ? value->hash() : 1);
        return;
    }
    for (const auto& [element, below] : set.entries()) {
        mix(seed, std::hash<std::string_view>{}(element.view()));
        if (element.view() == ".") mix(seed, value != nullptr ? 2 : 1);
        else if (element.view().size() > 2) hash_set(below, value != nullptr ? child_of(*value, element.view()) : nullptr, seed);
    }
}

bool is_ours(const Node& entry) {
    return entry.text_at("manager") == kFieldManager && entry.text_at("operation") == "Apply" && entry.text_at("subresource").empty();
}

// `below`: of metadata.labels or metadata.annotations.
bool only_marks_below(const Node& below) {
    const std::string prefix = "f:" + std::string(kKustomizeGroup) + "/";
    return std::ranges::all_of(below.entries(), [&](const auto& e) { return e.key.view() == "." || e.key.view().starts_with(prefix); });
}

bool only_marks(const Node& entry) {
    const Node* fields = entry.find("fieldsV1");
    const Node* metadata = fields != nullptr ? fields->find("f:metadata") : nullptr;
    if (metadata == nullptr || fields->entries().size() != 1) return false;
    return std::ranges::all_of(metadata->entries(), [](const auto& e) { return (e.key.view() == "f:labels" || e.key.view() == "f:annotations") && only_marks_below(e.value); });
}

std::size_t hash_of(const Object& live, std::span<const std::string> others, bool with_marks) {
    const Node* entries = live.at({"metadata", "managedFields"});
    if (entries == nullptr) return 0;
    std::size_t seed = 0;
    bool any = false;
    for (const Node& e : entries->items()) {
        if (is_taken_over(e, others) && (with_marks || !only_marks(e))) mix(seed, std::hash<std::string_view>{}(e.text_at("manager")));
        if (!is_ours(e)) continue;
        any = true;
        if (const Node* fields = e.find("fieldsV1")) hash_set(*fields, &live.root(), seed);
    }
    return !any ? 0 : seed == 0 ? 1 : seed;
}

} // namespace

std::size_t owned_hash(const Object& live, std::span<const std::string> others) { return hash_of(live, others, true); }

std::size_t owned_hash_but_marks(const Object& live, std::size_t owned, std::span<const std::string> others) {
    const Node* entries = live.at({"metadata", "managedFields"});
    const bool marked = entries != nullptr && std::ranges::any_of(entries->items(), [&](const Node& e) { return is_taken_over(e, others) && only_marks(e); });
    return marked ? hash_of(live, others, false) : owned;
}

bool owned_in_other_version(const Object& live) {
    const Node* entries = live.at({"metadata", "managedFields"});
    return entries != nullptr && std::ranges::any_of(entries->items(), [&](const Node& e) { return is_ours(e) && e.text_at("apiVersion") != live.api_version(); });
}

} // namespace weber::gitops
