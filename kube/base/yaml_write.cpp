// Writes YAML byte for byte as sigs.k8s.io/yaml does (go-yaml v2: its key order, quoting, folding at 80 columns).
// `kustomize build` and `kubectl get -o yaml` print this form.
#include "kube/base/yaml.h"

#include <algorithm>
#include <cstdint>

#include "kube/base/utf8.h"
#include "kube/base/yaml_style.h"

namespace weber::kube {
namespace {

constexpr int kIndent = 2;
constexpr int kWidth = 80;
constexpr std::size_t kSimpleKeyBytes = 128;

// Where the writer stands, in the terms of libyaml's emitter.
class Writer {
public:
    Writer(std::string& out, const YamlWriteOptions& options) : out_(out), options_(options) {}

    void document(const Node& node) {
        value(node, Context::root);
        indent_ = 0;
        write_indent();
    }

private:
    enum class Context : std::uint8_t { root, item, key, simple_key, map_value };

    // ---- nodes --------------------------------------------------------------------------------------------------
    void value(const Node& node, Context context) {
        switch (node.kind()) {
        case NodeKind::map:
            if (node.empty()) return indicator("{}", true);
            return map(node);
        case NodeKind::list:
            if (node.empty()) return indicator("[]", true);
            return list(node, context);
        case NodeKind::null: return plain_word("null");
        case NodeKind::boolean: return plain_word(node.as_bool() ? "true" : "false");
        case NodeKind::integer:
        case NodeKind::floating: return number(node);
        case NodeKind::string: return string(node.text(), context);
        }
    }

    void map(const Node& node) {
        const int outer = indent_;
        indent_ = outer < 0 ? 0 : outer + kIndent;
        if (options_.order == YamlKeyOrder::as_is) {
            for (const Node::Entry& e : node.entries()) entry(e);
        } else {
            sorted_entries(node);
        }
        indent_ = outer;
    }

    void sorted_entries(const Node& node) {
        const auto entries = node.entries();
        const auto less = [](const Node::Entry& a, const Node::Entry& b) { return yaml_key_less(a.key, b.key); };
        if (std::is_sorted(entries.begin(), entries.end(), less)) {
            for (const Node::Entry& e : entries) entry(e);
            return;
        }
        std::vector<const Node::Entry*> order;
        order.reserve(entries.size());
        for (const Node::Entry& e : entries) order.push_back(&e);
        std::ranges::stable_sort(order, [&](const auto* a, const auto* b) { return less(*a, *b); });
        for (const Node::Entry* e : order) entry(*e);
    }

    void entry(const Node::Entry& e) {
        write_indent();
        const std::string_view key = e.key.view();
        const bool word = is_plain_yaml_word(key);
        if (key.size() <= kSimpleKeyBytes && (word || !has_yaml_break(key))) {
            if (word) plain_word(key);
            else string(key, Context::simple_key);
            out_.push_back(':');
            ++column_;
            whitespace_ = indention_ = false;
        } else {
            indicator("?", true, true);
            string(key, Context::key);
            write_indent();
            indicator(":", true, true);
        }
        value(e.value, Context::map_value);
    }

    void list(const Node& node, Context context) {
        const int outer = indent_;
        const bool in_column = context == Context::map_value && !indention_ && options_.compact_sequences;
        if (outer < 0) indent_ = 0;
        else if (!in_column) indent_ = outer + kIndent;
        for (const Node& item : node.items()) {
            write_indent();
            indicator("-", true, true);
            value(item, Context::item);
        }
        indent_ = outer;
    }

    // ---- scalars ------------------------------------------------------------------------------------------------
    void number(const Node& node) {
        if (node.is_integer()) {
            if (const auto i = node.as_int()) return plain_word(std::to_string(*i));
        }
        plain_word(yaml_number_text(node.text()));
    }

    void plain_word(std::string_view text) {
        space_before();
        out_.append(text);
        column_ += static_cast<int>(text.size());
        whitespace_ = indention_ = false;
    }

    void string(std::string_view text, Context context) {
        if (is_plain_yaml_word(text)) return plain_word(text);
        const YamlScalarStyle style = yaml_scalar_style(text, context == Context::simple_key);
        const int outer = indent_;
        indent_ = outer < 0 ? kIndent : outer + kIndent;
        const bool folds = context != Context::simple_key;
        switch (style) {
        case YamlScalarStyle::plain: plain(text, folds); break;
        case YamlScalarStyle::single_quoted: single_quoted(text, folds); break;
        case YamlScalarStyle::double_quoted: double_quoted(text, folds); break;
        case YamlScalarStyle::literal: literal(text); break;
        }
        indent_ = outer;
    }

    void plain(std::string_view text, bool folds) {
        space_before();
        folded_words(text, folds, /*quoted=*/false);
        whitespace_ = indention_ = false;
    }

    void single_quoted(std::string_view text, bool folds) {
        space_before();
        put("'");
        folded_words(text, folds, /*quoted=*/true);
        put("'");
        whitespace_ = indention_ = false;
    }

    // A blank beyond the width becomes a line break when it stands alone. The only breaks that come here are U+2028 and U+2029.
    void folded_words(std::string_view text, bool folds, bool quoted) {
        const bool breaks = has_yaml_break(text);
        if (!quoted && !breaks && (!folds || column_ + static_cast<int>(text.size()) <= kWidth)) return put(text);
        bool blank_before = false, break_before = false;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (breaks && is_yaml_break(decode_utf8(text, i).value)) {
                out_.append(text.substr(i, 3));
                i += 2;
                column_ = 0;
                indention_ = break_before = true;
                continue;
            }
            const char c = text[i];
            const bool blank = c == ' ';
            if (break_before && !blank) write_indent();
            const bool inside = !quoted || (i > 0 && i + 1 < text.size());
            const bool alone = !blank_before && (i + 1 >= text.size() || text[i + 1] != ' ');
            if (blank && folds && alone && inside && column_ > kWidth) {
                write_indent();
            } else {
                if (quoted && c == '\'') put_char('\'');
                put_char(c);
            }
            if (!blank) indention_ = break_before = false;
            blank_before = blank;
        }
    }

    void double_quoted(std::string_view text, bool folds) {
        space_before();
        put("\"");
        bool blank_before = false;
        const bool bom = text.starts_with("\xEF\xBB\xBF"); // go-yaml then escapes every character
        for (std::size_t i = 0; i < text.size();) {
            const CodePoint c = decode_utf8(text, i);
            if (bom || !is_yaml_printable(c.value) || is_yaml_break(c.value) || c.value == '"' || c.value == '\\') {
                escape(c.value);
                blank_before = false;
            } else if (c.value == ' ') {
                if (folds && !blank_before && column_ > kWidth && i > 0 && i + 1 < text.size()) {
                    write_indent();
                    if (text[i + 1] == ' ') put("\\");
                } else {
                    put(" ");
                }
                blank_before = true;
            } else {
                out_.append(text.substr(i, c.bytes));
                ++column_;
                blank_before = false;
            }
            i += c.bytes;
        }
        put("\"");
        whitespace_ = indention_ = false;
    }

    void escape(std::uint32_t c) {
        put("\\");
        switch (c) {
        case 0x00: return put("0");
        case 0x07: return put("a");
        case 0x08: return put("b");
        case 0x09: return put("t");
        case 0x0A: return put("n");
        case 0x0B: return put("v");
        case 0x0C: return put("f");
        case 0x0D: return put("r");
        case 0x1B: return put("e");
        case 0x22: return put("\"");
        case 0x5C: return put("\\");
        case 0x85: return put("N");
        case 0xA0: return put("_");
        case 0x2028: return put("L");
        case 0x2029: return put("P");
        default: break;
        }
        const int digits = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
        put(digits == 2 ? "x" : digits == 4 ? "u" : "U");
        for (int k = (digits - 1) * 4; k >= 0; k -= 4) put_char("0123456789ABCDEF"[(c >> k) & 0xF]);
    }

    void literal(std::string_view text) {
        space_before();
        put("|");
        if (text.front() == ' ' || is_yaml_break(decode_utf8(text, 0).value)) put("2");
        put(yaml_chomping(text));
        line_break();
        indention_ = whitespace_ = true;
        bool line_start = true;
        for (std::size_t i = 0; i < text.size();) {
            const CodePoint c = decode_utf8(text, i);
            if (is_yaml_break(c.value)) {
                if (c.value == '\n') line_break();
                else out_.append(text.substr(i, c.bytes)), column_ = 0;
                indention_ = line_start = true;
                i += c.bytes;
                continue;
            }
            if (line_start) write_indent();
            std::size_t end = i; // up to the next break; plain bytes are copied in one go
            while (end < text.size() && text[end] != '\n' && text[end] != '\r' && text[end] != '\xC2' && text[end] != '\xE2') ++end;
            if (end == i) end = i + c.bytes;
            out_.append(text.substr(i, end - i));
            column_ += static_cast<int>(end - i); // only "not zero" matters here
            indention_ = line_start = false;
            i = end;
        }
    }

    // ---- characters ---------------------------------------------------------------------------------------------
    void put(std::string_view ascii) {
        out_.append(ascii);
        for (const char c : ascii) column_ += (c & 0xC0) != 0x80;
    }
    void put_char(char c) {
        out_.push_back(c);
        column_ += (c & 0xC0) != 0x80;
    }
    void space_before() {
        if (!whitespace_) put(" ");
    }
    void indicator(std::string_view text, bool needs_space, bool is_indention = false) {
        if (needs_space) space_before();
        put(text);
        whitespace_ = false;
        indention_ = indention_ && is_indention;
    }
    void line_break() {
        out_.push_back('\n');
        column_ = 0;
    }
    void write_indent() {
        const int indent = std::max(indent_, 0);
        if (!indention_ || column_ > indent || (column_ == indent && !whitespace_)) line_break();
        if (column_ < indent) {
            out_.append(static_cast<std::size_t>(indent - column_), ' ');
            column_ = indent;
        }
        whitespace_ = indention_ = true;
    }

    std::string& out_;
    const YamlWriteOptions& options_;
    int indent_ = -1;
    int column_ = 0;
    bool whitespace_ = true; // the last thing written was blank
    bool indention_ = true;  // only indentation, or "-", "?", ":" so far on this line
};

} // namespace

void write_yaml(const Node& node, std::string& out, const YamlWriteOptions& options) {
    Writer(out, options).document(node);
}

std::string write_yaml(const Node& node, const YamlWriteOptions& options) {
    std::string out;
    write_yaml(node, out, options);
    return out;
}

std::string write_yaml_all(const std::vector<Node>& nodes, const YamlWriteOptions& options) {
    std::string out;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (i > 0) out += "---\n";
        write_yaml(nodes[i], out, options);
    }
    return out;
}

} // namespace weber::kube
