#include "kustomize/transform/path_matcher.h"

#include <algorithm>
#include <utility>

#include "kube/base/json.h"
#include "kube/base/yaml.h"
#include "kube/base/yaml_document.h"
#include "kustomize/transform/path_lookup.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

using Part = PathPattern::Part;
using Path = std::span<const Part>;

bool is_literal(std::string_view pattern) { return pattern.find_first_of("\\.+*?()|[]{}^$") == std::string_view::npos; }

// A scalar as it would be written: what kyaml matches against, quotes included.
std::string rendered(const Node& scalar) {
    const std::string_view text = written_text(scalar);
    if (scalar.style() == NodeStyle::double_quoted) return kube::write_json(Node::string(text));
    if (scalar.style() == NodeStyle::single_quoted) {
        std::string out = "'";
        for (char c : text) out.append(c == '\'' ? 2 : 1, c);
        return out + "'";
    }
    return std::string(text);
}

Part compile(std::string text) {
    Part part;
    const auto number = element_number(text);
    if (number && *number >= 0) {
        part.kind = Part::Kind::number;
        part.number = static_cast<std::size_t>(*number);
    } else if (is_list_part(text)) {
        part.kind = Part::Kind::elements;
        if (auto test = split_element_part(text); !test) {
            part.error = std::move(test.error());
        } else {
            part.key = test->key;
            part.value = test->value;
            if (!is_literal(part.value)) {
                auto regex = Regex::compile(part.value);
                if (regex) part.regex = std::move(*regex);
                else part.error = std::move(regex.error());
            }
        }
    } else if (text == "*") {
        part.kind = Part::Kind::every;
    }
    part.text = std::move(text);
    return part;
}

class Matcher {
public:
    Matcher(FieldMatches& out, std::optional<NodeKind> create) : out_(out), create_(create) {}

    Result<void> match(Node& node, Path path) {
        if (path.empty()) {
            out_.fields.push_back(&node);
            return {};
        }
        switch (path.front().kind) {
        case Part::Kind::number: return match_number(node, path);
        case Part::Kind::elements: return match_elements(node, path);
        case Part::Kind::every: return match_every(node, path);
        case Part::Kind::field: return match_field(node, path);
        }
        return {};
    }

private:
    [[nodiscard]] Node new_node(Path path) const {
        return created_node(created_kind(path.size() > 1 ? std::string_view(path[1].text) : std::string_view(), *create_));
    }

    // Below a null nothing is kept; what is created there goes nowhere.
    Node& detach(Node node) { return out_.detached.emplace_back(std::move(node)); }

    Result<void> match_field(Node& node, Path path) {
        const Part& part = path.front();
        if (node.is_null()) return create_ ? match(detach(new_node(path)), path.subspan(1)) : Result<void>();
        if (!node.is_map()) return wrong_node_kind(NodeKind::map, node);
        Node* field = node.find_mut(part.text);
        if (field == nullptr) {
            if (!create_) return {};
            field = &node.set(part.text, new_node(path));
        }
        const bool is_text = !field->is_map() && !field->is_list();
        if (is_text && path.size() > 1) return match_in_text(*field, path.subspan(1));
        return match(*field, path.subspan(1));
    }

    // kustomize reads the text as YAML and goes on in that copy.
    Result<void> match_in_text(const Node& scalar, Path path) {
        auto document = kube::YamlDocument::read(written_text(scalar));
        if (!document) return fail(within_text(std::move(document).error(), scalar));
        auto done = match(detach(std::move(document->root())), path);
        if (!done) return fail(within_text(std::move(done).error(), scalar));
        return done;
    }

    Result<void> match_number(Node& node, Path path) {
        const std::size_t index = path.front().number;
        if (!node.is_list() && !node.is_null()) return wrong_node_kind(NodeKind::list, node);
        if (node.size() == index && create_) {
            if (node.is_null()) return match(detach(new_node(path)), path.subspan(1));
            node.push_back(new_node(path));
        }
        if (node.size() < index + 1)
            return fail(ErrorCode::invalid, "index " + std::to_string(index) + " specified but only " + std::to_string(node.size()) + " elements found", node.where());
        return match(node.items_mut()[index], path.subspan(1));
    }

    Result<void> match_every(Node& node, Path path) {
        if (!node.is_list() && !node.is_null()) return wrong_node_kind(NodeKind::list, node);
        for (Node& item : node.items_mut()) TRY_VOID(match(item, path.subspan(1)));
        return {};
    }

    Result<void> match_elements(Node& node, Path path) {
        const Part& part = path.front();
        if (part.error && part.key.empty() && part.value.empty()) return fail(*part.error);
        if (!node.is_list() && !node.is_null()) return wrong_node_kind(NodeKind::list, node);
        const std::size_t before = out_.fields.size();
        for (Node& item : node.items_mut()) TRY_VOID(match_element(item, path));
        if (!create_ || out_.fields.size() != before) return {};
        Node value = bare_scalar(part.value);
        Node element = part.key.empty() ? std::move(value) : Node::map({{part.key, std::move(value)}});
        Node& added = node.is_null() ? detach(std::move(element)) : node.push_back(std::move(element));
        return match_element(added, path);
    }

    Result<void> match_element(Node& item, Path path) {
        const Part& part = path.front();
        if (part.error) return fail(*part.error);
        if (part.key.empty()) {
            if (part.matches(item)) out_.fields.push_back(&item); // the rest of the path does not count
            return {};
        }
        const Node* field = item.find(part.key);
        if (field == nullptr || !part.matches(*field)) return {};
        return match(item, path.subspan(1));
    }

    FieldMatches& out_;
    std::optional<NodeKind> create_;
};

} // namespace

bool PathPattern::Part::matches(const Node& node) const {
    const std::string text = node.is_map() || node.is_list() ? kube::write_yaml(node) : rendered(node);
    return regex ? regex->matches(text) : text.find(value) != std::string::npos;
}

PathPattern::PathPattern(std::vector<std::string> parts) : texts_(std::move(parts)) {
    parts_.reserve(texts_.size());
    for (const std::string& text : texts_) parts_.push_back(compile(text));
}

Result<FieldMatches> match_fields(Node& root, std::span<const PathPattern::Part> path, std::optional<NodeKind> create) {
    FieldMatches matches;
    TRY_VOID(Matcher(matches, create).match(root, path));
    return matches;
}

} // namespace weber::kustomize
