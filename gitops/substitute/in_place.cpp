// The short way: expressions that stand inside one scalar, results that the YAML reader would take for one scalar at the same place. Whatever could
// reach beyond its scalar (quotes, indicators, folding, keys) is left to the long way.
#include <algorithm>
#include <cstdint>

#include "gitops/substitute/numbers.h"
#include "gitops/substitute/substitute.h"
#include "kube/base/utf8.h"
#include "kube/base/yaml.h"
#include "kube/base/yaml_style.h"

namespace weber::gitops {

namespace {

constexpr std::size_t kUnfolded = 80; // columns: longer lines are broken at blanks by the writer

// May begin a plain scalar.
bool plain_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-./_=+();<^$~").find(c) != std::string_view::npos;
}

bool printable_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// Reads as one plain scalar in block context, with exactly this text.
bool stays_plain(std::string_view text) {
    if (text.empty()) return true; // null
    if (!plain_start(text.front()) || !printable_ascii(text) || text.back() == ' ' || text.back() == ':') return false;
    if (text == "-" || text.starts_with("- ")) return false;
    return text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos;
}

// Lines of a literal block: nothing that changes its indentation or its end.
bool stays_literal(std::string_view text) {
    if (text.empty() || text.front() == ' ' || text.front() == '\n') return false;
    const std::string_view body = text.substr(0, text.find_last_not_of('\n') + 1);
    const std::size_t last = body.rfind('\n');
    if (body.substr(last == std::string_view::npos ? 0 : last + 1).find_first_not_of(' ') == std::string_view::npos) return false;
    return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

std::size_t count_breaks(std::string_view text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

class InPlace {
public:
    InPlace(const Variables& variables, bool strict) : variables_(variables), strict_(strict) {}

    // `indent`: of a collection's lines; `column`: where a scalar starts, at most. False: the long way.
    bool value(Node& node, std::size_t indent, std::size_t column) {
        switch (node.kind()) {
        case NodeKind::map: return map(node, indent);
        case NodeKind::list: return list(node, indent);
        case NodeKind::integer:
        case NodeKind::floating: {
            if (number_is_canonical(node)) return true;
            auto number = number_through_json(node);
            if (!number) return false;
            number->set_position(node.file(), node.line());
            node = std::move(*number);
            return true;
        }
        case NodeKind::string: return node.text().find('$') == std::string_view::npos || string(node, column);
        default: return true;
        }
    }

private:
    // Is anything to be done below? Reading does not unshare.
    static bool touched(const Node& node) {
        switch (node.kind()) {
        case NodeKind::map:
            return std::ranges::any_of(node.entries(), [](const auto& e) { return e.key.view().find('$') != std::string_view::npos || touched(e.value); });
        case NodeKind::list: return std::ranges::any_of(node.items(), touched);
        case NodeKind::integer:
        case NodeKind::floating: return !number_is_canonical(node);
        case NodeKind::string: return node.text().find('$') != std::string_view::npos;
        default: return false;
        }
    }

    bool map(Node& node, std::size_t indent) {
        for (const auto& entry : node.entries())
            if (entry.key.view().find('$') != std::string_view::npos) return false;
        for (std::size_t i = 0; i < node.entries().size(); ++i) {
            if (!touched(node.entries()[i].value)) continue;
            auto& entry = node.entries_mut()[i];
            if (!value(entry.value, indent + 2, indent + entry.key.size() + 4)) return false;
        }
        return true;
    }

    bool list(Node& node, std::size_t indent) {
        for (std::size_t i = 0; i < node.items().size(); ++i)
            if (touched(node.items()[i]) && !value(node.items_mut()[i], indent + 2, indent + 4)) return false;
        return true;
    }

    bool string(Node& node, std::size_t column) {
        const std::string_view text = node.text();
        const kube::YamlScalarStyle style = kube::yaml_scalar_style(text, false);
        if (style != kube::YamlScalarStyle::literal && text.find(' ') != std::string_view::npos && column + text.size() > kUnfolded) return false;
        result_.clear();
        if (!expand(text, variables_, strict_, result_)) return false;
        Node changed;
        if (!reread(style, text, changed)) return false;
        changed.set_position(node.file(), node.line());
        node = std::move(changed);
        return true;
    }

    // What `result_` reads as where `text` stood in that style; false: not sure.
    bool reread(kube::YamlScalarStyle style, std::string_view text, Node& out) const {
        switch (style) {
        case kube::YamlScalarStyle::plain: return stays_plain(result_) && plain(out);
        case kube::YamlScalarStyle::single_quoted:
            if (!printable_ascii(result_) || text.find('\'') != std::string_view::npos || result_.find('\'') != std::string::npos) return false;
            break;
        case kube::YamlScalarStyle::double_quoted:
            if (!printable_ascii(text) || !printable_ascii(result_)) return false;
            if (text.find_first_of("\"\\") != std::string_view::npos || result_.find_first_of("\"\\") != std::string::npos) return false;
            break;
        case kube::YamlScalarStyle::literal:
            if (!stays_literal(text) || !stays_literal(result_) || count_breaks(text) != count_breaks(result_)) return false;
            if (text.ends_with('\n') != result_.ends_with('\n') || text.ends_with("\n\n") || result_.ends_with("\n\n")) return false;
            break;
        }
        out = Node::string(result_);
        return true;
    }

    bool plain(Node& out) const {
        const NodeKind kind = kube::resolve_plain(result_, kube::YamlSchema::yaml_1_1);
        switch (kind) {
        case NodeKind::string: out = Node::string(result_); return true;
        case NodeKind::null: out = Node(); return true;
        case NodeKind::boolean: {
            const char c = result_.front();
            out = Node::boolean(c == 't' || c == 'T' || c == 'y' || c == 'Y' || (result_.size() == 2 && (c == 'o' || c == 'O')));
            return true;
        }
        default: {
            auto number = number_through_json(Node::scalar(kind, kube::Text(result_)));
            if (!number) return false;
            out = std::move(*number);
            return true;
        }
        }
    }

    const Variables& variables_;
    bool strict_;
    std::string result_;
};

} // namespace

bool substitute_in_place(Node& object, const Variables& variables, bool strict) { return InPlace(variables, strict).value(object, 0, 0); }

} // namespace weber::gitops
