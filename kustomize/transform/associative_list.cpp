#include "kustomize/transform/associative_list.h"

#include <algorithm>
#include <unordered_set>

#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

bool is_empty_element(const Node& n) { return n.is_null() || (n.is_map() && n.empty()); }

// Text of a value as a key: lists and maps have none.
std::string_view value_text(const Node& value) { return written_text(value); }

// Does an element have the field, with that text unless it is ""? (kyaml: FieldMatcher with StringValue)
Result<bool> has_field(const Node& element, std::string_view key, std::string_view text) {
    if (key.empty()) {
        if (element.is_list() || element.is_map()) return wrong_node_kind(NodeKind::string, element);
        return value_text(element) == text;
    }
    if (!element.is_map()) return wrong_node_kind(NodeKind::map, element);
    const Node* field = element.find(key);
    return field != nullptr && (text.empty() || value_text(*field) == text);
}

// Keys beyond the values count as matched if the key before them did.
Result<bool> element_matches(const Node& element, std::span<const std::string_view> keys, std::span<const std::string> values) {
    bool found = false;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (i < values.size()) {
            TRY(found, has_field(element, keys[i], values[i]));
        }
        if (!found) return false;
    }
    return true;
}

bool is_blank(const Node* value) { return value == nullptr || value->is_null() || ((value->is_map() || value->is_list()) && value->empty()); }

// Both tuples in one, unless they contradict or have nothing in common.
bool unite(const KeyValues& a, const KeyValues& b, KeyValues& united) {
    if (a.size() != b.size()) return false;
    bool common = false;
    united.clear();
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i]) {
            common = true;
            united.push_back(a[i]);
        } else if (!a[i].empty() && !b[i].empty()) {
            return false;
        } else {
            united.push_back(a[i].empty() ? b[i] : a[i]);
        }
    }
    return common;
}

} // namespace

const Node* find_element(const Node& list, std::span<const std::string_view> keys, std::span<const std::string> values) {
    for (const Node& item : list.items()) {
        if (keys.front().empty()) {
            if (value_text(item) == values.front()) return &item;
            continue;
        }
        if (!item.is_map()) continue;
        bool all = true;
        for (std::size_t i = 0; i < keys.size() && all; ++i) {
            const Node* field = item.find(keys[i]);
            all = field != nullptr && value_text(*field) == values[i];
        }
        if (all) return &item;
    }
    return nullptr;
}

Result<void> set_element(std::vector<Node>& list, std::span<const std::string_view> keys, std::span<const std::string> values,
                         const Node* element) {
    const bool sets_map = !keys.empty() && !keys.front().empty() && !values.empty() && !values.front().empty();
    std::vector<Node> kept;
    kept.reserve(list.size() + 1);
    bool matched = false;
    for (Node& item : list) {
        if (is_empty_element(item)) continue;
        if (!item.is_map() && sets_map) {
            kept.push_back(std::move(item));
            continue;
        }
        TRY(const bool matches, element_matches(item, keys, values));
        if (!matches) {
            if (!values.empty()) kept.push_back(std::move(item));
            continue;
        }
        matched = true;
        if (element != nullptr) kept.push_back(*element);
    }
    if (element != nullptr && !element->is_null() && !matched) kept.push_back(*element);
    list = std::move(kept);
    return {};
}

KeyValues key_values(const Node& element, std::span<const std::string_view> keys) {
    KeyValues values;
    values.reserve(keys.size());
    for (const std::string_view key : keys) {
        const Node* field = element.find(key);
        values.emplace_back(is_blank(field) ? std::string_view() : value_text(*field));
    }
    return values;
}

void unify_values(std::vector<KeyValues>& tuples) {
    KeyValues united;
    for (std::size_t i = 0; i < tuples.size(); ++i) {
        const KeyValues first = tuples[i];
        for (KeyValues& second : tuples) {
            if (!unite(first, second, united)) continue;
            tuples[i] = united;
            second = united;
        }
    }
}

bool is_regular(const Node& list, std::span<const std::string_view> keys) {
    std::unordered_set<std::string> seen;
    std::vector<bool> used;
    for (const Node& item : list.items()) {
        if (is_empty_element(item)) return false;
        std::string identity;
        std::vector<bool> has;
        if (keys.empty()) {
            if (!item.is_scalar() || item.text().empty()) return false;
            identity = item.text();
        } else {
            if (!item.is_map()) return false;
            for (const std::string_view key : keys) {
                const Node* field = item.find(key);
                const bool present = field != nullptr && field->is_scalar() && !field->text().empty();
                if (field != nullptr && !present) return false;
                has.push_back(present);
                identity.append(present ? field->text() : std::string_view()).push_back('\0');
            }
            if (std::ranges::find(has, true) == has.end()) return false;
            if (used.empty()) used = has;
            else if (used != has) return false;
        }
        if (!seen.insert(std::move(identity)).second) return false;
    }
    return true;
}

} // namespace weber::kustomize
