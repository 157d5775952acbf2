#include "kustomize/transform/scalars.h"

#include "kube/base/yaml.h"
#include "kube/base/yaml_style.h"

namespace weber::kustomize {
namespace {

bool is_quoting(NodeStyle style) {
    return style == NodeStyle::single_quoted || style == NodeStyle::double_quoted || style == NodeStyle::literal ||
           style == NodeStyle::folded;
}

std::string_view kind_name(NodeKind kind) {
    return kind == NodeKind::map ? "MappingNode" : kind == NodeKind::list ? "SequenceNode" : "ScalarNode";
}

// Made by `create` or written by an earlier step: it takes any type.
bool takes_any_type(const Node& target) {
    return target.style() == NodeStyle::untyped || (target.line() == 0 && target.is_null() && target.style() == NodeStyle::absent);
}

} // namespace

bool is_text(const Node& node) { return node.style() == NodeStyle::untyped || (node.is_string() && date_of(node).empty()); }

Node bare_scalar(std::string_view text, NodeStyle style) {
    if (is_quoting(style)) return Node::string(text, style);
    if (text.find('\n') != std::string_view::npos) return Node::string(text, NodeStyle::literal);
    const NodeKind kind = kube::resolve_plain(text, kube::YamlSchema::go_yaml_v3);
    if (kind == NodeKind::string) return Node::string(text, NodeStyle::untyped);
    if (kind == NodeKind::boolean) {
        Node boolean = kube::boolean_as_written(text, kube::YamlSchema::go_yaml_v3);
        boolean.set_style(NodeStyle::untyped);
        return boolean;
    }
    if (kind != NodeKind::null) return Node::scalar(kind, kube::Text(text), NodeStyle::untyped);
    Node null;
    null.set_style(kube::null_style(text));
    return null;
}

Result<void> set_bare_text(Node& target, std::string_view text) {
    if (target.is_list() || target.is_map()) return wrong_node_kind(NodeKind::string, target);
    Node value = bare_scalar(text, target.style());
    value.set_position(target.file(), target.line());
    target = std::move(value);
    return {};
}

Result<void> overwrite(Node& target, std::string_view text) {
    const NodeKind kind = target.kind();
    const NodeKind looks = kube::resolve_plain(text, kube::YamlSchema::go_yaml_v3);
    const std::uint32_t file = target.file(), line = target.line();
    if (kind == NodeKind::string && target.style() == NodeStyle::plain && line != 0) { // as it stood in a file
        const bool was_date = !date_of(target).empty(), is_date = !kube::yaml_timestamp(text).empty();
        if (was_date && !is_date)
            return fail(Error{.code = ErrorCode::invalid, .message = "the value to write is no date, which the target is", .where = target.where(), .hint = "put the target in quotes if it is meant as text"});
        if (!was_date && is_date) target.set_style(NodeStyle::double_quoted); // stays a text
    }
    if (kind == NodeKind::string && !takes_any_type(target)) {
        target = Node::string(text, target.style());
    } else if (looks == kind || (kind == NodeKind::floating && looks == NodeKind::integer) || takes_any_type(target)) {
        target = bare_scalar(text);
    } else {
        return fail(ErrorCode::invalid, "the value to write is no " + std::string(target.kind_word()) + ", which the target is", target.where());
    }
    target.set_position(file, line);
    return {};
}

Node restyled(Node value, NodeStyle style) {
    if (!value.is_scalar()) return value;
    if (is_quoting(style)) {
        Node text = Node::string(value.shared_text(), style);
        text.set_position(value.file(), value.line());
        return text;
    }
    if (value.style() != NodeStyle::untyped) value.set_style(NodeStyle::plain);
    return value;
}

bool needs_quotes(const Node& value) {
    const bool text = value.style() == NodeStyle::untyped || (value.is_string() && value.style() == NodeStyle::plain);
    return text && kube::resolve_plain(value.text(), kube::YamlSchema::yaml_1_1) != NodeKind::string;
}

void put_quotes(Node& value) {
    if (needs_quotes(value)) value = restyled(std::move(value), NodeStyle::double_quoted);
}

void set_field(Node& map, std::string_view key, Node value) {
    put_quotes(value);
    Node* old = map.find_mut(key);
    if (old == nullptr) {
        map.set(key, std::move(value));
    } else if (old->is_list() || old->is_map()) {
        *old = std::move(value);
    } else {
        *old = restyled(std::move(value), old->style());
    }
}

std::unexpected<Error> wrong_node_kind(NodeKind expected, const Node& found) {
    std::string message = "wrong node kind: expected ";
    message.append(kind_name(expected)).append(" but got ").append(kind_name(found.kind()));
    return fail(ErrorCode::invalid, std::move(message), found.where());
}

Error within_text(Error error, const Node& scalar) {
    const std::uint32_t line = error.where.line;
    error.where = scalar.where(); // whatever file the text's own nodes name is none
    if (scalar.style() == NodeStyle::literal && scalar.line() != 0) error.where.line += line;
    return error;
}

std::string date_of(const Node& scalar) {
    if (!scalar.is_string()) return {};
    const bool is_bare_text = scalar.style() == NodeStyle::untyped || (scalar.style() == NodeStyle::plain && scalar.line() != 0);
    return is_bare_text ? kube::yaml_timestamp(scalar.text()) : std::string();
}

std::string date_of(const Node& scalar, bool in_brackets) {
    return in_brackets && scalar.text().find(':') != std::string_view::npos ? std::string() : date_of(scalar);
}

std::string refolded(std::string_view text) {
    const auto blank = [&](std::size_t at) { return at < text.size() && (text[at] == ' ' || text[at] == '\t'); };
    const std::size_t first = text.find_first_not_of('\n');
    std::string out(text.substr(0, std::min(first, text.size())));
    if (first == std::string_view::npos || blank(first)) return std::string(text);
    for (std::size_t at = first; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::size_t next = std::min(text.find_first_not_of('\n', end), text.size());
        out.append(text.substr(at, next - at));
        if (!blank(at) && end < next && (next == text.size() ? next - end > 1 : blank(next))) out.push_back('\n');
        at = next;
    }
    return out;
}

std::string_view written_text(const Node& scalar) {
    return scalar.is_null() ? kube::null_text(scalar.style()) : scalar.text();
}

NodeStyle new_value_style(std::string_view value) {
    if (value.find('\n') != std::string_view::npos) return NodeStyle::literal;
    const NodeKind kind = kube::resolve_plain(value, kube::YamlSchema::yaml_1_1);
    return kind == NodeKind::string || value.empty() ? NodeStyle::plain : NodeStyle::double_quoted;
}

} // namespace weber::kustomize
