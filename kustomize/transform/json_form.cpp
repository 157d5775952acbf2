#include "kustomize/transform/json_form.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

#include "kube/base/number.h"
#include "kube/base/yaml.h"
#include "kube/base/yaml_style.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

// Go's FormatFloat(value, 'g', -1, 64): the shortest digits, with an exponent below 1e-4 and from 1e6 on.
std::string go_number(double value) {
    char buffer[64];
    auto scientific = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
    const std::string text(buffer, scientific.ptr);
    const std::size_t e = text.find('e');
    const int exponent = std::stoi(text.substr(e + 1));
    if (exponent < -4 || exponent >= 6) return text;
    auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
    return std::string(buffer, fixed.ptr);
}

// A number typed by its look.
Node bare_number(std::string_view text) {
    const bool integral = text.find_first_of(".e") == std::string_view::npos;
    return Node::scalar(integral ? NodeKind::integer : NodeKind::floating, kube::Text(text));
}

Node written_string(std::string_view text) {
    NodeStyle style = NodeStyle::plain;
    switch (kube::yaml_scalar_style(text, false)) {
    case kube::YamlScalarStyle::plain: break;
    case kube::YamlScalarStyle::literal: style = NodeStyle::literal; break;
    case kube::YamlScalarStyle::double_quoted: style = NodeStyle::double_quoted; break;
    case kube::YamlScalarStyle::single_quoted:
        style = kube::resolve_plain(text, kube::YamlSchema::yaml_1_1) == NodeKind::string ? NodeStyle::single_quoted : NodeStyle::double_quoted;
        break;
    }
    return Node::string(text, style);
}

// The scalar as it comes back.
Result<Node> converted(const Node& scalar, bool in_brackets) {
    if (scalar.is_null()) return in_brackets && scalar.style() == NodeStyle::absent ? written_string("") : Node();
    if (scalar.is_bool()) return Node::boolean(scalar.as_bool());
    if (scalar.is_string() && scalar.style() == NodeStyle::folded) return written_string(refolded(scalar.text()));
    if (scalar.is_string()) {
        const std::string date = date_of(scalar, in_brackets);
        return written_string(date.empty() ? scalar.text() : std::string_view(date));
    }
    const double value = scalar.as_double().value_or(0);
    if (!std::isfinite(value))
        return fail(ErrorCode::invalid, std::string("json: unsupported value: ") + (std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"), scalar.where());
    return bare_number(go_number(value));
}

Node json_value(const Node& scalar) {
    if (scalar.is_bool()) return Node::boolean(scalar.as_bool());
    if (scalar.is_string()) {
        const std::string date = date_of(scalar);
        return Node::string(date.empty() ? scalar.text() : std::string_view(date), NodeStyle::double_quoted);
    }
    if (const auto whole = kube::parse_int(scalar.text())) return Node::integer(*whole);
    const std::string_view text = scalar.text();
    std::uint64_t wide = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wide);
    if (error == std::errc() && end == text.data() + text.size()) return Node::scalar(NodeKind::integer, kube::Text(text));
    const double value = scalar.as_double().value_or(0);
    if (!std::isfinite(value)) return scalar;
    return bare_number(value == 0 ? "0" : kube::format_double(value));
}

// A string that the way through JSON leaves as it is, found without making the other one. False says nothing.
bool surely_stays(const Node& scalar) {
    return scalar.is_string() && scalar.style() == NodeStyle::plain && scalar.link() == 0 && kube::is_plain_yaml_word(scalar.text()) && date_of(scalar).empty();
}

// What the node becomes; nullopt: it stays as it is, and so may stay shared.
Result<std::optional<Node>> settled(const Node& node, bool in_brackets = false) {
    std::optional<Node> changed;
    in_brackets = in_brackets || node.style() == NodeStyle::flow;
    if (node.is_map()) {
        const std::span<const Node::Entry> entries = node.entries();
        for (std::size_t i = 0; i < entries.size(); ++i) {
            TRY(std::optional<Node> value, settled(entries[i].value, in_brackets));
            if (!value) continue;
            if (!changed) changed = node; // `entries` stays valid: the node keeps its children, the copy gets its own
            changed->entries_mut()[i].value = std::move(*value);
        }
    } else if (node.is_list()) {
        const std::span<const Node> items = node.items();
        for (std::size_t i = 0; i < items.size(); ++i) {
            TRY(std::optional<Node> value, settled(items[i], in_brackets));
            if (!value) continue;
            if (!changed) changed = node;
            changed->items_mut()[i] = std::move(*value);
        }
    } else if (!surely_stays(node)) {
        TRY(Node back, converted(node, in_brackets));
        if (node.link() == 0 && back.kind() == node.kind() && back.style() == node.style() && back.text() == node.text()) return changed;
        if (node.link() == 0) back.set_position(node.file(), node.line());
        changed = std::move(back);
    }
    return changed;
}

} // namespace

void to_json_values(Node& tree) {
    if (tree.is_map()) {
        for (Node::Entry& e : tree.entries_mut()) to_json_values(e.value);
    } else if (tree.is_list()) {
        for (Node& item : tree.items_mut()) to_json_values(item);
    } else if (tree.is_null()) {
        tree.set_style(NodeStyle::plain);
    } else {
        Node value = json_value(tree);
        value.set_position(tree.file(), tree.line());
        tree = std::move(value);
    }
}

Result<void> through_json(Node& tree) {
    TRY(std::optional<Node> changed, settled(tree));
    if (changed) tree = std::move(*changed);
    return {};
}

} // namespace weber::kustomize
