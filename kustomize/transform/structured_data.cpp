#include "kustomize/transform/structured_data.h"

#include <charconv>
#include <vector>

#include "kube/base/json.h"
#include "kube/base/number.h"
#include "kube/base/yaml.h"
#include "kube/base/yaml_style.h"

namespace weber::kustomize {
namespace {

std::string_view trimmed(std::string_view s) {
    const std::size_t first = s.find_first_not_of(" \t\r\n\v\f");
    return first == std::string_view::npos ? std::string_view() : s.substr(first, s.find_last_not_of(" \t\r\n\v\f") - first + 1);
}

// Scalars as Go reads YAML and writes JSON: the shortest form of a number (3.50 is 3.5, 1e3 is 1000), whole numbers exact up to 64
// bits, an unquoted date with its time.
void shorten_scalars(Node& node) {
    if (node.is_map()) {
        for (Node::Entry& e : node.entries_mut()) shorten_scalars(e.value);
    } else if (node.is_list()) {
        for (Node& item : node.items_mut()) shorten_scalars(item);
    } else if (node.kind() == NodeKind::floating) {
        const std::string_view text = node.text();
        std::uint64_t whole = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
        if (error == std::errc() && end == text.data() + text.size()) return;
        if (const auto value = kube::parse_double(text)) node = Node::scalar(NodeKind::floating, kube::Text(*value == 0 ? "0" : kube::format_double(*value)));
    } else if (node.is_string() && node.style() == NodeStyle::plain) {
        if (const std::string date = kube::yaml_timestamp(node.text()); !date.empty()) node = Node::string(date);
    }
}

} // namespace

Result<Node> read_structured(std::string_view text) {
    TRY(std::vector<Node> documents, kube::read_yaml(text, {.file = {}}));
    if (documents.empty()) return fail(ErrorCode::not_found, "the text holds no data");
    return std::move(documents.front());
}

std::string write_structured(const Node& tree, std::string_view original) {
    const std::string_view text = trimmed(original);
    if (text.starts_with('{') || text.starts_with('[')) {
        Node sorted = tree;
        sorted.sort_keys_deep();
        shorten_scalars(sorted);
        const bool indented = original.find('\n') != std::string_view::npos && original.find("  ") != std::string_view::npos;
        if (!indented) return kube::write_json(sorted, kube::JsonEscape::html);
        std::string out = kube::write_json_pretty(sorted, 2, false, kube::JsonEscape::html);
        out.pop_back();
        return out;
    }
    return std::string(trimmed(kube::write_yaml_styled(tree)));
}

} // namespace weber::kustomize
