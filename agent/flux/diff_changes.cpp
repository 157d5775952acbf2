#include "agent/flux/diff_changes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "kube/base/yaml_style.h"

namespace weber::agent {

namespace {

// Fields that tell the entries of a list apart when every entry has one of its own, in order of preference.
constexpr std::array<std::string_view, 4> kIdentities{"name", "key", "id", "manager"};
constexpr std::size_t kGuessFrom = 4; // entries that a list must have before any other field will do

// With the keys of all maps as go-yaml writes them, whatever order the server has.
Node in_yaml_order(const Node& node) {
    if (node.is_list()) {
        Node out = Node::list();
        for (const Node& item : node.items()) out.push_back(in_yaml_order(item));
        return out;
    }
    if (!node.is_map()) return node;
    std::vector<const Node::Entry*> entries;
    for (const Node::Entry& e : node.entries()) entries.push_back(&e);
    std::ranges::stable_sort(entries, [](const Node::Entry* a, const Node::Entry* b) { return kube::yaml_key_less(a->key.view(), b->key.view()); });
    Node out = Node::map();
    for (const Node::Entry* e : entries) out.append_unchecked(e->key, in_yaml_order(e->value));
    return out;
}

std::string below(const std::string& path, std::string_view name) {
    if (name.empty()) return path;
    return path.empty() ? std::string(name) : path + "." + std::string(name);
}

std::string_view text_of(const Node& scalar) { return scalar.is_null() ? "null" : scalar.text(); }

// Inside lists 1 and "1" are the same: entries are compared by their texts.
bool same_texts(const Node& a, const Node& b) {
    if (a.is_map() || b.is_map()) {
        if (!a.is_map() || !b.is_map() || a.size() != b.size()) return false;
        return std::ranges::all_of(a.entries(), [&](const Node::Entry& e) {
            const Node* other = b.find(e.key.view());
            return other != nullptr && same_texts(e.value, *other);
        });
    }
    if (a.is_list() || b.is_list()) return a.is_list() && b.is_list() && std::ranges::equal(a.items(), b.items(), same_texts);
    return text_of(a) == text_of(b);
}

std::size_t count(const Node& list, const Node& entry) {
    return static_cast<std::size_t>(std::ranges::count_if(list.items(), [&](const Node& e) { return same_texts(e, entry); }));
}

// The texts under `field` in the entries of a list, each once.
std::set<std::string> values_of(const Node& list, std::string_view field, bool only_strings) {
    std::set<std::string> out;
    for (const Node& entry : list.items())
        if (const Node* value = entry.find(field); value != nullptr && (!only_strings || value->is_string())) out.emplace(text_of(*value));
    return out;
}

bool tells_apart(const Node& list, std::string_view field, bool only_strings) {
    const auto values = values_of(list, field, only_strings);
    return !values.empty() && values.size() == list.size();
}

// "apps/v1/Deployment/web/frontend" of an object; nothing for anything else.
std::optional<std::string> object_name(const Node& entry) {
    const Node* metadata = entry.find("metadata");
    const Node* name = metadata != nullptr ? metadata->find("name") : nullptr;
    if (!entry.contains("apiVersion") || !entry.contains("kind") || name == nullptr) return std::nullopt;
    std::string out = std::string(entry.text_at("apiVersion")) + "/" + std::string(entry.text_at("kind")) + "/";
    if (const Node* ns = metadata->find("namespace")) out += std::string(ns->text()) + "/";
    return out + std::string(name->text());
}

// How the entries of two lists are told apart: by a field, by what they are as objects, or not at all.
struct Identity {
    std::string field;
    bool objects = false;

    [[nodiscard]] explicit operator bool() const { return objects || !field.empty(); }
    [[nodiscard]] std::string name(const Node& entry) const {
        if (objects) return object_name(entry).value_or("");
        const Node* value = entry.find(field);
        return value != nullptr ? std::string(text_of(*value)) : "";
    }
    [[nodiscard]] const Node* find(const Node& list, const std::string& wanted) const {
        for (const Node& entry : list.items())
            if (name(entry) == wanted) return &entry;
        return nullptr;
    }
};

Identity identity_of(const Node& a, const Node& b) {
    for (const std::string_view field : kIdentities)
        if (tells_apart(a, field, false) && tells_apart(b, field, false)) return {.field = std::string(field)};
    const bool all_maps = std::ranges::all_of(a.items(), &Node::is_map) && std::ranges::all_of(b.items(), &Node::is_map);
    if (all_maps && a.size() >= kGuessFrom)
        for (const Node::Entry& e : a.items().front().entries()) // dyff takes any
            if (tells_apart(a, e.key.view(), true) && tells_apart(b, e.key.view(), true)) return {.field = e.key.str()};
    const auto is_object = [](const Node& entry) { return object_name(entry).has_value(); };
    return {.field = {}, .objects = std::ranges::all_of(a.items(), is_object) && std::ranges::all_of(b.items(), is_object)};
}

Node texts_of(const std::vector<std::string>& names) {
    Node out = Node::list();
    for (const std::string& name : names) out.push_back(Node::string(name));
    return out;
}

struct Comparison {
    std::vector<Change> out;

    void compare(const std::string& path, const Node& a, const Node& b) {
        if (a.kind() == b.kind() && a.is_map()) return maps(path, a, b);
        if (a.kind() == b.kind() && a.is_list()) return lists(path, a, b);
        if (a.kind() == b.kind() && (a.is_null() || (a.is_bool() ? a.as_bool() == b.as_bool() : a.text() == b.text()))) return;
        out.push_back({path, {{ChangeKind::changed, a, b}}});
    }

    void note(const std::string& path, std::optional<ChangeDetail> reordered, Node removed, Node added) {
        Change change{path, {}};
        if (reordered) change.details.push_back(std::move(*reordered));
        if (!removed.empty()) change.details.push_back({ChangeKind::removed, std::move(removed), {}});
        if (!added.empty()) change.details.push_back({ChangeKind::added, {}, std::move(added)});
        if (!change.details.empty()) out.push_back(std::move(change));
    }

    void maps(const std::string& path, const Node& a, const Node& b) {
        Node removed = Node::map(), added = Node::map();
        for (const Node::Entry& e : a.entries())
            if (!b.contains(e.key.view())) removed.set(e.key, e.value);
        for (const Node::Entry& e : b.entries())
            if (!a.contains(e.key.view())) added.set(e.key, e.value);
        note(path, std::nullopt, std::move(removed), std::move(added));
        for (const Node::Entry& e : a.entries())
            if (const Node* other = b.find(e.key.view())) compare(below(path, e.key.view()), e.value, *other);
    }

    void lists(const std::string& path, const Node& a, const Node& b) {
        if (a.empty() && b.empty()) return;
        if (const Identity identity = identity_of(a, b)) return named(path, identity, a, b);
        if (a.size() == 1 && b.size() == 1) return compare(below(path, "0"), a.items()[0], b.items()[0]);
        plain(path, a, b);
    }

    void named(const std::string& path, const Identity& identity, const Node& a, const Node& b) {
        Node removed = Node::list(), added = Node::list();
        std::vector<std::string> before, after; // names of what both have
        for (const Node& e : a.items()) {
            if (identity.find(b, identity.name(e)) != nullptr) before.push_back(identity.name(e));
            else removed.push_back(e);
        }
        for (const Node& e : b.items()) {
            if (identity.find(a, identity.name(e)) != nullptr) after.push_back(identity.name(e));
            else added.push_back(e);
        }
        std::optional<ChangeDetail> reordered;
        if (before != after) reordered = ChangeDetail{ChangeKind::reordered, texts_of(before), texts_of(after)};
        note(path, std::move(reordered), std::move(removed), std::move(added));
        for (const Node& e : a.items())
            if (const Node* other = identity.find(b, identity.name(e))) compare(below(path, identity.name(e)), e, *other);
    }

    // What `list` has more often than `other`, as often as it does.
    static Node surplus(const Node& list, const Node& other) {
        Node out = Node::list();
        for (const Node& e : list.items()) {
            const std::size_t here = count(list, e), there = count(other, e);
            if (there == 0) out.push_back(e);
            else if (here > there && count(out, e) == 0)
                for (std::size_t i = there; i < here; ++i) out.push_back(e);
        }
        return out;
    }

    static Node shared(const Node& list, const Node& other) {
        Node out = Node::list();
        for (const Node& e : list.items())
            if (count(other, e) > 0) out.push_back(e);
        return out;
    }

    void plain(const std::string& path, const Node& a, const Node& b) {
        const Node before = shared(a, b), after = shared(b, a);
        std::optional<ChangeDetail> reordered;
        if (before.size() == after.size() && !same_texts(before, after)) reordered = ChangeDetail{ChangeKind::reordered, before, after};
        note(path, std::move(reordered), surplus(a, b), surplus(b, a));
    }
};

} // namespace

std::vector<Change> changes_between(const Node& before, const Node& after) {
    Comparison comparison;
    comparison.compare("", in_yaml_order(before), in_yaml_order(after));
    return std::move(comparison.out);
}

} // namespace weber::agent
