#include "kustomize/transform/path_lookup.h"

#include <charconv>
#include <vector>

#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

std::string_view trimmed(std::string_view s) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
    while (!s.empty() && blank(s.front())) s.remove_prefix(1);
    while (!s.empty() && blank(s.back())) s.remove_suffix(1);
    return s;
}

std::vector<std::string_view> clean(std::span<const std::string> path) {
    std::vector<std::string_view> parts;
    parts.reserve(path.size());
    for (const std::string& part : path)
        if (std::string_view t = trimmed(part); !t.empty()) parts.push_back(t);
    return parts;
}

// Position of the element a part means; nullopt when it is not there.
Result<std::optional<std::size_t>> find_element(const Node& list, std::string_view part) {
    if (list.is_null()) return std::nullopt;
    if (!list.is_list()) return wrong_node_kind(NodeKind::list, list);
    if (part == "-") return list.empty() ? std::nullopt : std::optional(list.size() - 1);
    if (auto number = element_number(part)) {
        if (*number < 0) return fail(ErrorCode::invalid, "array index " + std::to_string(*number) + " cannot be negative", list.where());
        const auto index = static_cast<std::size_t>(*number);
        return index < list.size() ? std::optional(index) : std::nullopt;
    }
    TRY(const ElementTest test, split_element_part(part));
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Node& element = list.items()[i];
        if (test.key.empty()) {
            if (written_text(element) == test.value) return i;
            continue;
        }
        const Node* field = element.find(test.key);
        if (field != nullptr && written_text(*field) == test.value) return i;
    }
    return std::nullopt;
}

bool means_element(std::string_view part) { return part == "-" || is_list_part(part) || element_number(part).has_value(); }

std::unexpected<Error> no_wildcard(const Node& at) {
    return fail(ErrorCode::invalid, "wildcard is not supported in PathGetter", at.where());
}

} // namespace

bool is_list_part(std::string_view part) { return part.starts_with('[') && part.ends_with(']'); }

std::optional<long> element_number(std::string_view part) {
    if (part.starts_with('+')) part.remove_prefix(1);
    long value = 0;
    auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (part.empty() || error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    return value;
}

Result<ElementTest> split_element_part(std::string_view part) {
    if (part.ends_with(']')) part.remove_suffix(1);
    if (part.starts_with('[')) part.remove_prefix(1);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos)
        return fail(ErrorCode::invalid, "list path element must contain fieldName=fieldValue for element to match");
    return ElementTest{part.substr(0, equals), part.substr(equals + 1)};
}

NodeKind created_kind(std::string_view next_part, NodeKind last) {
    const auto number = element_number(next_part);
    if (is_list_part(next_part) || (number && *number >= 0)) return NodeKind::list;
    return next_part.empty() ? last : NodeKind::map;
}

Node created_node(NodeKind kind) {
    if (kind == NodeKind::map) return Node::map();
    if (kind == NodeKind::list) return Node::list();
    return bare_scalar("");
}

Result<const Node*> lookup(const Node& root, std::span<const std::string> path) {
    const Node* at = &root;
    for (std::string_view part : clean(path)) {
        if (part == "*") return no_wildcard(*at);
        if (means_element(part)) {
            TRY(const auto index, find_element(*at, part));
            if (!index) return nullptr;
            at = &at->items()[*index];
            continue;
        }
        if (at->is_null()) return nullptr;
        if (!at->is_map()) return wrong_node_kind(NodeKind::map, *at);
        at = at->find(part);
        if (at == nullptr) return nullptr;
    }
    return at;
}

Result<Node*> lookup_create(Node& root, std::span<const std::string> path) {
    const std::vector<std::string_view> parts = clean(path);
    Node* at = &root;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string_view part = parts[i], next = i + 1 < parts.size() ? parts[i + 1] : std::string_view();
        if (part == "*") return no_wildcard(*at);
        if (at->is_null()) return nullptr;
        if (means_element(part)) {
            TRY(const auto index, find_element(*at, part));
            if (index) {
                at = &at->items_mut()[*index];
                continue;
            }
            if (!is_list_part(part)) return nullptr;
            TRY(const ElementTest test, split_element_part(part));
            Node value = bare_scalar(test.value);
            at = &at->push_back(test.key.empty() ? std::move(value) : Node::map({{test.key, std::move(value)}}));
            continue;
        }
        if (!at->is_map()) return wrong_node_kind(NodeKind::map, *at);
        Node* field = at->find_mut(part);
        at = field != nullptr ? field : &at->set(part, created_node(created_kind(next, NodeKind::string)));
    }
    return at;
}

} // namespace weber::kustomize
