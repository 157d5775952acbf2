#include <algorithm>
#include <cmath>

#include "kube/base/json.h"
#include "kube/base/number.h"
#include "kube/base/utf8.h"

namespace weber::kube {

namespace {

void write_unicode_escape(std::uint32_t c, std::string& out) {
    constexpr char kHex[] = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(c >> shift) & 0xF];
}

void write_control(unsigned char c, std::string& out) {
    switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    default: write_unicode_escape(c, out);
    }
}

void write_string(std::string_view s, std::string& out, JsonEscape escape) {
    out += '"';
    std::size_t done = 0;
    for (std::size_t i = 0; i < s.size();) {
        const auto c = static_cast<unsigned char>(s[i]);
        const bool html = escape == JsonEscape::html && (c == '<' || c == '>' || c == '&');
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && !html) {
            ++i;
            continue;
        }
        std::size_t width = 1;
        if (c >= 0x80) {
            const CodePoint p = decode_utf8(s, i);
            width = p.bytes;
            const bool separator = escape == JsonEscape::html && (p.value == 0x2028 || p.value == 0x2029);
            if (p.valid && !separator) {
                i += width;
                continue;
            }
            out.append(s, done, i - done);
            if (separator) write_unicode_escape(p.value, out);
            else out += "\xEF\xBF\xBD";
        } else {
            out.append(s, done, i - done);
            if (html) write_unicode_escape(c, out);
            else write_control(c, out);
        }
        i += width;
        done = i;
    }
    out.append(s, done);
    out += '"';
}

void write_number(const Node& node, std::string& out) {
    if (is_json_number(node.text())) {
        out += node.text();
    } else if (const auto i = node.as_int(); i && node.is_integer()) {
        out += std::to_string(*i);
    } else {
        const double d = node.as_double().value_or(0);
        out += std::isfinite(d) ? format_double(d) : "null";
    }
}

class Writer {
public:
    Writer(std::string& out, JsonEscape escape, int indent, bool sort) : out_(out), escape_(escape), indent_(indent), sort_(sort) {}

    void write(const Node& node, int depth) {
        switch (node.kind()) {
        case NodeKind::null: out_ += "null"; break;
        case NodeKind::boolean: out_ += node.as_bool() ? "true" : "false"; break;
        case NodeKind::integer:
        case NodeKind::floating: write_number(node, out_); break;
        case NodeKind::string: write_string(node.text(), out_, escape_); break;
        case NodeKind::list: list(node, depth); break;
        case NodeKind::map: map(node, depth); break;
        }
    }

private:
    void line(int depth) {
        if (indent_ < 0) return;
        out_ += '\n';
        out_.append(static_cast<std::size_t>(indent_ * depth), ' ');
    }
    void list(const Node& node, int depth) {
        out_ += '[';
        bool first = true;
        for (const Node& item : node.items()) {
            if (!std::exchange(first, false)) out_ += ',';
            line(depth + 1);
            write(item, depth + 1);
        }
        if (!first) line(depth);
        out_ += ']';
    }
    void entry(const Node::Entry& e, bool& first, int depth) {
        if (!std::exchange(first, false)) out_ += ',';
        line(depth + 1);
        write_string(e.key.view(), out_, escape_);
        out_ += indent_ < 0 ? ":" : ": ";
        write(e.value, depth + 1);
    }
    void map(const Node& node, int depth) {
        out_ += '{';
        bool first = true;
        if (sort_) {
            std::vector<const Node::Entry*> sorted;
            for (const Node::Entry& e : node.entries()) sorted.push_back(&e);
            std::ranges::sort(sorted, {}, [](const Node::Entry* e) { return e->key.view(); });
            for (const Node::Entry* e : sorted) entry(*e, first, depth);
        } else {
            for (const Node::Entry& e : node.entries()) entry(e, first, depth);
        }
        if (!first) line(depth);
        out_ += '}';
    }

    std::string& out_;
    JsonEscape escape_;
    int indent_; // -1: all on one line
    bool sort_;
};

} // namespace

void write_json(const Node& node, std::string& out, JsonEscape escape) { Writer(out, escape, -1, false).write(node, 0); }

std::string write_json(const Node& node, JsonEscape escape) {
    std::string out;
    write_json(node, out, escape);
    return out;
}

std::string write_json_pretty(const Node& node, int indent, bool sort_keys, JsonEscape escape) {
    std::string out;
    Writer(out, escape, indent, sort_keys).write(node, 0);
    out += '\n';
    return out;
}

} // namespace weber::kube
