// YAML as SOPS writes it: go-yaml v3's emitter with an indentation of four or what the user wants, comments where the tree has them, no folding.
#include <algorithm>
#include <cmath>
#include <utility>

#include "gitops/decrypt/stores.h"
#include "kube/base/digest.h"
#include "kube/base/number.h"
#include "kube/base/utf8.h"
#include "kube/base/yaml_style.h"

namespace weber::gitops::sops {

namespace {

class Writer {
public:
    explicit Writer(int indentation) : step_(indentation < 2 || indentation > 9 ? 2 : indentation) {} // as go-yaml limits it

    std::string write(const Branch& root) {
        if (root.empty()) return "{}\n";
        branch(root, 0, true);
        return std::move(out_);
    }

private:
    // Inside a list only the "- " is skipped; everything else stands at multiples of the indentation.
    [[nodiscard]] int deeper(int indent) const { return step_ * ((indent + step_) / step_); }

    void comment(const std::string& text, int indent) { out_.append(static_cast<std::size_t>(indent), ' ').append("#").append(text).append("\n"); }

    // Comments behind a value that has no place for them there: on lines of their own.
    void comments(const std::vector<std::string>& texts, int indent) {
        for (const std::string& text : texts) comment(text, indent);
    }

    static std::string joined(const std::vector<std::string>& texts) {
        std::string out;
        for (const std::string& text : texts) out += " #" + text;
        return out;
    }

    // A map or list without entries; comments do not count.
    static bool is_empty(const Value& v) {
        return std::ranges::all_of(v.branch, &Item::is_comment) && std::ranges::all_of(v.list, [](const Value& item) { return item.kind == Kind::comment; });
    }
    static bool is_block(const Value& v) { return (v.kind == Kind::branch || v.kind == Kind::list) && !is_empty(v); }

    // The comments before the first entry of what stands behind "- ".
    void heads(const Value& v, int indent) {
        if (!is_block(v)) return;
        for (const Item& item : v.branch) {
            if (!item.is_comment()) break;
            if (!item.value.inline_comment) comment(item.value.text, indent);
        }
        for (const Value& item : v.list) {
            if (item.kind != Kind::comment) return heads(item, indent);
            if (!item.inline_comment) comment(item.text, indent);
        }
    }

    // An empty map or list, which is written as {} or [], or another leaf. Of the comments inside it the first stands behind the brackets, where sops, too, takes it
    // for one inside.
    void leaf_with_comments(const Value& v, int indent, int parent, std::string behind) {
        std::vector<std::string> inner;
        for (const Item& item : v.branch) inner.push_back(item.value.text);
        for (const Value& item : v.list) inner.push_back(item.text);
        const bool first_behind = behind.empty() && !inner.empty();
        if (first_behind) behind = " #" + inner.front();
        leaf(v, indent, parent, behind);
        for (std::size_t i = first_behind ? 1 : 0; i < inner.size(); ++i) comment(inner[i], parent);
    }

    // The entries, the first key without indentation when it stands behind "- ". Comments before the first key were written by whoever calls then.
    void branch(const Branch& items, int indent, bool fresh_line) {
        std::vector<std::string> behind; // inline comments, for the value that follows
        bool leading = !fresh_line;
        for (const Item& item : items) {
            if (item.is_comment()) {
                if (item.value.inline_comment) behind.push_back(item.value.text);
                else if (!leading) comment(item.value.text, indent);
                continue;
            }
            if (!leading) out_.append(static_cast<std::size_t>(indent), ' ');
            leading = false;
            scalar(item.key, indent, indent, true);
            out_ += ':';
            value(item.value, indent, joined(behind));
            behind.clear();
        }
        comments(behind, indent);
    }

    // After "key:".
    void value(const Value& v, int indent, const std::string& behind) {
        if (!is_block(v)) {
            out_ += ' ';
            return leaf_with_comments(v, deeper(indent), indent, behind);
        }
        out_.append(behind).append("\n");
        v.kind == Kind::branch ? branch(v.branch, deeper(indent), true) : list(v.list, deeper(indent), true);
    }

    void list(const std::vector<Value>& items, int indent, bool fresh_line) {
        std::vector<std::string> behind;
        bool leading = !fresh_line;
        for (const Value& v : items) {
            if (v.kind == Kind::comment) {
                if (v.inline_comment) behind.push_back(v.text);
                else if (!leading) comment(v.text, indent);
                continue;
            }
            if (!leading) {
                if (is_block(v)) comments(std::exchange(behind, {}), indent);
                heads(v, indent);
                out_.append(static_cast<std::size_t>(indent), ' ');
            }
            leading = false;
            out_ += "- ";
            if (!is_block(v)) {
                leaf_with_comments(v, indent + 2, indent, joined(behind));
            } else if (v.kind == Kind::branch) {
                branch(v.branch, indent + 2, false);
            } else {
                list(v.list, indent + 2, false);
            }
            behind.clear();
        }
        comments(behind, indent);
    }

    // `indent`: of the lines of a literal; `parent`: of the map or list around it.
    void leaf(const Value& v, int indent, int parent, const std::string& behind) {
        switch (v.kind) {
        case Kind::text: scalar(v.text, indent, parent, false, behind); break;
        case Kind::integer: out_ += std::to_string(v.integer); break;
        case Kind::floating: out_ += float_text(v.floating); break;
        case Kind::boolean: out_ += v.boolean ? "true" : "false"; break;
        case Kind::time: out_ += v.text; break;
        case Kind::branch: out_ += "{}"; break;
        case Kind::list: out_ += "[]"; break;
        default: out_ += "null"; break;
        }
        if (out_.ends_with('\n')) return; // a block scalar ended its line
        out_.append(behind).append("\n");
    }

    static std::string float_text(double d) {
        if (std::isnan(d)) return ".nan";
        if (std::isinf(d)) return d > 0 ? ".inf" : "-.inf";
        if (d == 0 && std::signbit(d)) return "-0";
        return kube::yaml_number_text(kube::format_double(d));
    }

    // The go-yaml of sops takes tabs in literals, that of kustomize does not.
    static kube::YamlScalarStyle style_of(const std::string& text, bool key) {
        if (key || text.find('\t') == std::string::npos || text.find('\n') == std::string::npos) return kube::yaml_scalar_style(text, key);
        std::string without = text;
        std::ranges::replace(without, '\t', '-');
        const auto style = kube::yaml_scalar_style(without, key);
        return style == kube::YamlScalarStyle::literal ? style : kube::YamlScalarStyle::double_quoted;
    }

    // `behind`: a comment for the head of a literal.
    void scalar(const std::string& text, int indent, int parent, bool key, const std::string& behind = {}) {
        if (!kube::is_valid_utf8(text)) {
            out_.append("!!binary ").append(kube::base64_encode(text));
            return;
        }
        if (text == "<<") { // as go-yaml writes this text
            out_ += "!!merge <<";
            return;
        }
        switch (style_of(text, key)) {
        case kube::YamlScalarStyle::plain: out_ += text; break;
        case kube::YamlScalarStyle::single_quoted: single_quoted(text, indent); break;
        case kube::YamlScalarStyle::double_quoted: double_quoted(text); break;
        case kube::YamlScalarStyle::literal: literal(text, indent, indent - parent, behind); break;
        }
    }

    // A line of a scalar. Behind U+2028 and U+2029 go-yaml indents, as behind every line break.
    void line(std::string_view text, int indent) {
        for (std::size_t i = 0; i < text.size();) {
            const kube::CodePoint c = kube::decode_utf8(text, i);
            out_.append(text, i, c.bytes);
            i += c.bytes;
            if (!kube::is_yaml_break(c.value) || i == text.size()) continue;
            const kube::CodePoint next = kube::decode_utf8(text, i);
            if (!kube::is_yaml_break(next.value)) out_.append(static_cast<std::size_t>(indent), ' ');
        }
    }

    void single_quoted(const std::string& text, int indent) {
        std::string doubled;
        for (const char c : text) doubled.append(c == '\'' ? 2 : 1, c);
        out_ += '\'';
        line(doubled, indent);
        out_ += '\'';
    }

    void double_quoted(const std::string& text) {
        const bool marked = text.starts_with("\xEF\xBB\xBF"); // go-yaml then escapes all there is
        out_ += '"';
        for (std::size_t i = 0; i < text.size();) {
            const kube::CodePoint c = kube::decode_utf8(text, i);
            if (marked || !kube::is_yaml_printable(c.value) || kube::is_yaml_break(c.value) || c.value == '"' || c.value == '\\') escape(c.value);
            else out_.append(text, i, c.bytes);
            i += c.bytes;
        }
        out_ += '"';
    }

    void escape(std::uint32_t c) {
        static constexpr std::pair<std::uint32_t, char> kShort[] = {{0, '0'},     {7, 'a'},     {8, 'b'},    {9, 't'},     {0x0A, 'n'},   {0x0B, 'v'},   {0x0C, 'f'}, {0x0D, 'r'},
                                                                    {0x1B, 'e'},  {0x22, '"'},  {0x5C, '\\'}, {0x85, 'N'}, {0xA0, '_'},  {0x2028, 'L'}, {0x2029, 'P'}};
        out_ += '\\';
        for (const auto& [value, letter] : kShort)
            if (value == c) {
                out_ += letter;
                return;
            }
        const int digits = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
        out_ += digits == 2 ? 'x' : digits == 4 ? 'u' : 'U';
        for (int k = (digits - 1) * 4; k >= 0; k -= 4) out_ += "0123456789ABCDEF"[(c >> k) & 0xF];
    }

    // go-yaml always writes the hint 4, which in lists no YAML reader understands.
    void literal(const std::string& text, int indent, int hint, const std::string& behind) {
        out_ += '|';
        if (text.front() == ' ' || text.front() == '\n') out_ += static_cast<char>('0' + hint);
        out_.append(kube::yaml_chomping(text)).append(behind).append("\n");
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find('\n', at), text.size());
            if (end > at) {
                out_.append(static_cast<std::size_t>(indent), ' ');
                line(std::string_view(text).substr(at, end - at), indent);
            }
            out_ += '\n';
            at = end + 1;
        }
    }

    int step_;
    std::string out_;
};

} // namespace

Result<std::string> emit_yaml(const Branches& branches, int indentation) {
    if (indentation < 0) return fail(ErrorCode::invalid, "YAML Negative indentation not accepted");
    if (indentation == 0) indentation = Indentation().yaml;
    std::string out;
    for (std::size_t i = 0; i < branches.size(); ++i) {
        if (i > 0) out += "---\n";
        out += Writer(indentation).write(branches[i]);
    }
    return out;
}

} // namespace weber::gitops::sops
