#include "kube/base/yaml_plain.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "kube/base/text_pool.h"
#include "kube/base/utf8.h"
#include "kube/base/yaml_plain_scalars.h"

namespace weber::kube {
namespace {

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/'; }
bool is_key_char(char c) { return is_word(c) || c == '-' || c == '.'; }

bool is_printable(std::uint32_t c) {
    return (c >= 0xA0 && c <= 0xFFFD && c != 0x2028 && c != 0x2029 && c != 0xFEFF) || c >= 0x10000; // beyond ASCII: no breaks, no marks
}

// Lines of characters that libyaml takes as they are.
bool is_simple_text(std::string_view text) {
    if (text.empty() || text.back() != '\n') return false;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if ((c >= ' ' && c < 0x7f) || c == '\n' || c == '\t') {
            ++i;
            continue;
        }
        if (static_cast<unsigned char>(c) < 0x80) return false;
        const CodePoint point = decode_utf8(text, i);
        if (!point.valid || !is_printable(point.value)) return false;
        i += point.bytes;
    }
    return true;
}

// May a plain scalar begin so? No indicator, and "-" only before something.
bool begins_plain(char c, char next) {
    constexpr std::string_view kIndicators = "?:,[]{}#&*!|>'\"%@`";
    if (c == '-') return next != ' ' && next != '\n';
    return c > ' ' || static_cast<unsigned char>(c) >= 0x80 ? kIndicators.find(c) == std::string_view::npos : false;
}

constexpr std::size_t kSmall = 16; // keys of a map that are looked through one by one

// Every function that returns bool: false means that the text is not plain, and all is given up.
class PlainReader {
public:
    PlainReader(std::string_view text, const YamlReadOptions& options)
        : text_(text), options_(options), file_(intern_file(options.file)), line_(options.first_line) {}

    std::optional<std::vector<Node>> documents() {
        std::vector<Node> out;
        for (bool first = true; first || !at_end(); first = false) {
            const std::size_t start = at_;
            const std::uint32_t line = line_;
            if (out.size() >= options_.limits.documents) return std::nullopt;
            if (!next_document(first, out.emplace_back()) && !left_document(first, start, line, out.back())) return std::nullopt;
        }
        return out;
    }

private:
    // From its marker, which the first may lack, to that of the next.
    bool next_document(bool first, Node& out) {
        if (first) {
            to_content();
            if (at_end()) return false;
        }
        if (at_marker() ? !pass_marker() : !first) return false;
        return document(out) && (at_end() || at_marker());
    }

    // Reads with libyaml the one document that begins here; a line of `---` always ends it. Not for texts with other signs of that kind, nor when the caller
    // wants to hear of the text as a whole.
    bool left_document(bool first, std::size_t start, std::uint32_t line, Node& out) {
        if (options_.repeated != nullptr) return false;
        std::size_t end = start, lines = 0;
        bool content = !first || text_.substr(start).starts_with("---"); // has the marker of this document been passed?
        for (end = text_.find('\n', start) + 1, lines = 1; end < text_.size(); end = text_.find('\n', end) + 1, ++lines) {
            const std::string_view rest = text_.substr(end);
            if (rest.starts_with("...") || rest.starts_with('%')) return false;
            if (!rest.starts_with("---")) continue;
            if (rest[3] != '\n' && rest[3] != ' ') return false;
            if (content) break;
            if (has_content(text_.substr(start, end - start))) break;
            content = true;
        }
        YamlReadOptions options = options_;
        options.first_line = line;
        options.limits.documents = 1;
        options.limits.nodes = static_cast<std::uint32_t>(options_.limits.nodes - std::min<std::uint64_t>(made_, options_.limits.nodes));
        options.limits.alias_expansion = static_cast<std::uint32_t>(options_.limits.alias_expansion - expanded_);
        std::uint64_t expanded = 0;
        auto documents = read_any_yaml(text_.substr(start, end - start), options, &expanded);
        expanded_ += expanded;
        if (!documents || documents->size() != 1) return false;
        out = std::move(documents->front());
        items_.clear(); // what was begun
        entries_.clear();
        at_ = end;
        line_ = line + static_cast<std::uint32_t>(lines);
        indent_ = 0;
        return true;
    }

    // Anything but blank lines and comments?
    static bool has_content(std::string_view text) {
        for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
            while (text[at] == ' ') ++at;
            if (text[at] != '\n' && text[at] != '#') return true;
        }
        return false;
    }

    // ---- lines: `at_` is the start of the content of a line, `indent_` its column ----------------------------------------
    [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
    [[nodiscard]] char here() const { return text_[at_]; } // the text ends in a line break
    [[nodiscard]] bool at_item() const { return here() == '-' && (text_[at_ + 1] == ' ' || text_[at_ + 1] == '\n'); }
    [[nodiscard]] bool at_marker() const {
        return !at_end() && indent_ == 0 && text_.substr(at_).starts_with("---") && (text_[at_ + 3] == ' ' || text_[at_ + 3] == '\n');
    }

    // From the start of a line to the next content that is no comment.
    void to_content() {
        while (at_ < text_.size()) {
            const std::size_t start = at_;
            while (text_[at_] == ' ') ++at_;
            if (text_[at_] != '\n' && text_[at_] != '#') {
                indent_ = at_ - start;
                return;
            }
            at_ = text_.find('\n', at_) + 1;
            ++line_;
        }
        indent_ = 0;
    }

    bool pass_marker() {
        at_ += 3;
        return end_line();
    }

    // Blanks and a comment up to the end of the line, then on to the next content. `at_` stands behind a token.
    bool end_line() {
        const std::size_t start = at_;
        while (text_[at_] == ' ') ++at_;
        if (text_[at_] == '#' && at_ == start) return false; // part of the token
        if (text_[at_] != '\n' && text_[at_] != '#') return false;
        at_ = text_.find('\n', at_) + 1;
        ++line_;
        to_content();
        return true;
    }

    // ---- nodes -------------------------------------------------------------------------------------------------------
    bool count(std::uint32_t depth) { return depth <= options_.limits.depth && ++made_ <= options_.limits.nodes; }

    bool document(Node& out) {
        if (!at_end() && !at_marker()) return here() == '{' || here() == '[' ? count(0) && flow_here(out) : block(indent_, 0, out);
        out.set_style(NodeStyle::absent); // nothing, or comments only
        out.set_position(file_, line_);
        return count(0);
    }

    // A map or list at column `column`.
    bool block(std::size_t column, std::uint32_t depth, Node& out) {
        return at_item() ? list(column, depth, out) : map(column, depth, out);
    }

    bool list(std::size_t column, std::uint32_t depth, Node& out) {
        if (!count(depth)) return false;
        const std::uint32_t line = line_;
        const std::size_t first = items_.size();
        while (!at_end() && indent_ == column && !at_marker() && at_item()) {
            Node item;
            ++at_;
            if (!list_item(column, depth + 1, item)) return false;
            items_.push_back(std::move(item));
        }
        out = Node::list_of(std::span(items_).subspan(first));
        items_.resize(first);
        out.set_position(file_, line);
        return at_end() || indent_ <= column;
    }

    // Behind the dash.
    bool list_item(std::size_t column, std::uint32_t depth, Node& out) {
        std::size_t next = at_;
        while (text_[next] == ' ') ++next;
        if (text_[next] == '\n' || text_[next] == '#') { // alone in its line
            if (!end_line()) return false;
            return !at_end() && !at_marker() && indent_ > column && inner(column, depth, out);
        }
        const std::size_t inner_column = column + 1 + (next - at_);
        at_ = next;
        if (!at_item() && key_end() == 0) return scalar(column, depth, out);
        indent_ = inner_column;
        return block(inner_column, depth, out);
    }

    // What begins in a line of its own, deeper than `column`, where it belongs.
    bool inner(std::size_t column, std::uint32_t depth, Node& out) {
        return at_item() || key_end() != 0 ? block(indent_, depth, out) : scalar(column, depth, out);
    }

    // The place of the colon of a key that starts here; 0: none does.
    [[nodiscard]] std::size_t key_end() const {
        std::size_t end = at_;
        if (here() == '"' || here() == '\'') {
            end = quoted_key_end();
            return end != 0 && (text_[end + 1] == ' ' || text_[end + 1] == '\n') ? end : 0;
        }
        if (!is_word(text_[end]) && !(text_[end] == '.' && is_word(text_[end + 1]))) return 0;
        while (is_key_char(text_[end])) ++end;
        for (; text_[end] != '\n'; ++end) { // rarely more than one round
            if (text_[end] == ':' && (text_[end + 1] == ' ' || text_[end + 1] == '\n')) return text_[end - 1] != ' ' && end - at_ < 1000 ? end : 0;
            if (text_[end] == '\t' || (text_[end] == '#' && text_[end - 1] == ' ')) return 0;
        }
        return 0;
    }

    // "a": without escapes; 0: none.
    [[nodiscard]] std::size_t quoted_key_end() const {
        const std::size_t end = text_.find_first_of(here() == '"' ? "\"\\\n\t" : "'\n\t", at_ + 1);
        return text_[end] == here() && text_[end + 1] == ':' && end - at_ < 1000 ? end + 1 : 0;
    }

    // The key that ends before `end`, as a map takes it; false: one that libyaml must look at.
    // `have`: does the map hold a key?
    bool take_key(std::size_t end, Text& out, const auto& have) {
        const bool quoted = here() == '"' || here() == '\'';
        const std::string_view key = quoted ? text_.substr(at_ + 1, end - at_ - 2) : text_.substr(at_, end - at_);
        if (!quoted && options_.schema == YamlSchema::yaml_1_1 && resolve_plain(key, options_.schema) == NodeKind::boolean) return false;
        if (have(key)) return false;
        out = pool_.get(key);
        at_ = end + 1;
        return true;
    }

    bool map(std::size_t column, std::uint32_t depth, Node& out) {
        if (!count(depth)) return false;
        const std::uint32_t line = line_;
        const std::size_t first = entries_.size();
        const auto have = [&](std::string_view key) {
            return std::any_of(entries_.begin() + static_cast<std::ptrdiff_t>(first), entries_.end(), [&](const Node::Entry& e) { return e.key == key; });
        };
        while (begins_entry(column) && entries_.size() - first < kSmall) {
            Node::Entry entry;
            if (!map_entry(column, depth, have, entry)) return false;
            entries_.push_back(std::move(entry));
        }
        out = Node::map_of(std::span(entries_).subspan(first));
        entries_.resize(first);
        out.set_position(file_, line);
        return rest_of_map(column, depth, out) && (at_end() || indent_ <= column);
    }

    [[nodiscard]] bool begins_entry(std::size_t column) const { return !at_end() && indent_ == column && !at_marker(); }

    bool map_entry(std::size_t column, std::uint32_t depth, const auto& have, Node::Entry& out) {
        const std::size_t end = key_end();
        return end != 0 && take_key(end, out.key, have) && value(column, depth + 1, out.value);
    }

    // A large map finds its keys by its own index.
    bool rest_of_map(std::size_t column, std::uint32_t depth, Node& out) {
        const auto have = [&](std::string_view key) { return out.contains(key); };
        while (begins_entry(column)) {
            Node::Entry entry;
            if (!map_entry(column, depth, have, entry)) return false;
            out.append_unchecked(std::move(entry.key), std::move(entry.value));
        }
        return true;
    }

    // What follows a key and its colon.
    bool value(std::size_t column, std::uint32_t depth, Node& out) {
        std::size_t next = at_;
        while (text_[next] == ' ') ++next;
        if (text_[next] != '\n' && text_[next] != '#') {
            at_ = next;
            return scalar(column, depth, out);
        }
        const std::uint32_t line = line_;
        if (!end_line()) return false;
        if (!at_end() && !at_marker() && indent_ == column && at_item()) return block(indent_, depth, out);
        if (!at_end() && !at_marker() && indent_ > column) return inner(column, depth, out);
        if (!count(depth)) return false;
        out.set_style(NodeStyle::absent);
        out.set_position(file_, line);
        return true;
    }

    // A scalar, or a list or map in brackets, that starts here, within a map or list at `column`.
    bool scalar(std::size_t column, std::uint32_t depth, Node& out) {
        if (!count(depth)) return false;
        const std::uint32_t line = line_;
        bool done = false;
        switch (here()) {
        case '|':
        case '>': done = block_scalar(column, out); break;
        case '"':
        case '\'': done = quoted(out) && end_line(); break;
        case '[':
        case '{': return flow(depth, out) && end_line() && (at_end() || indent_ <= column);
        default: done = plain(column, out); break;
        }
        if (!done) return false;
        out.set_position(file_, line);
        return at_end() || indent_ <= column; // deeper lines would go on with the scalar
    }

    bool quoted(Node& out) {
        const NodeStyle style = here() == '"' ? NodeStyle::double_quoted : NodeStyle::single_quoted;
        buffer_.clear();
        if (!read_quoted(text_, at_, line_, buffer_)) return false;
        out = Node::scalar(NodeKind::string, pool_.get(buffer_), style);
        return true;
    }

    bool block_scalar(std::size_t column, Node& out) {
        const NodeStyle style = here() == '|' ? NodeStyle::literal : NodeStyle::folded;
        buffer_.clear();
        if (!read_block_scalar(text_, at_, line_, column, buffer_)) return false;
        out = Node::scalar(NodeKind::string, pool_.get(buffer_), style);
        to_content();
        return true;
    }

    bool plain(std::size_t column, Node& out) {
        if (!begins_plain(here(), text_[at_ + 1])) return false;
        const std::size_t begin = at_, line_end = text_.find('\n', at_);
        std::size_t end = line_end;
        for (std::size_t i = begin; i < end; ++i) {
            if (text_[i] == '\t' || (text_[i] == ':' && (text_[i + 1] == ' ' || text_[i + 1] == '\n'))) return false;
            if (text_[i] == '#' && text_[i - 1] == ' ') end = i;
        }
        const bool ends_line = end == line_end;
        while (text_[end - 1] == ' ') --end;
        const std::string_view first = text_.substr(begin, end - begin);
        at_ = end;
        if (!ends_line || !goes_on(line_end, column)) {
            typed(first, out);
            return end_line();
        }
        buffer_.assign(first);
        at_ = line_end;
        if (!read_more_plain_lines(text_, at_, line_, column, buffer_)) return false;
        typed(buffer_, out);
        return end_line();
    }

    // Is the line below deeper, or empty?
    [[nodiscard]] bool goes_on(std::size_t line_end, std::size_t column) const {
        std::size_t next = line_end + 1;
        while (next < text_.size() && text_[next] == ' ') ++next;
        return next < text_.size() && (text_[next] == '\n' || next - line_end - 1 > column);
    }

    // ---- in brackets -------------------------------------------------------------------------------------------------
    bool flow_here(Node& out) { return flow(0, out) && end_line() && (at_end() || at_marker()); }

    // Blanks and line breaks; no comments.
    bool flow_space() {
        for (; at_ < text_.size() && (here() == ' ' || here() == '\n'); ++at_) {
            if (here() != '\n') continue;
            ++line_;
            if (at_document_mark(text_, at_ + 1)) return false;
        }
        return at_ < text_.size();
    }

    bool flow(std::uint32_t depth, Node& out) {
        const bool is_list = here() == '[';
        const char close = is_list ? ']' : '}';
        out = is_list ? Node::list() : Node::map();
        out.set_style(NodeStyle::flow);
        out.set_position(file_, line_);
        ++at_;
        if (!flow_space()) return false;
        while (here() != close) {
            if (!flow_entry(is_list, depth + 1, out) || !flow_space()) return false;
            if (here() == close) break;
            if (here() != ',') return false;
            ++at_;
            if (!flow_space() || here() == close) return false;
        }
        ++at_;
        return true;
    }

    bool flow_entry(bool is_list, std::uint32_t depth, Node& out) {
        Node item;
        if (is_list) {
            if (!flow_value(depth, item)) return false;
            out.push_back(std::move(item));
            return true;
        }
        const bool is_quoted = here() == '"' || here() == '\'';
        std::size_t end = at_;
        if (is_quoted) end = quoted_key_end();
        else while (is_key_char(text_[end])) ++end;
        if (end == 0 || end == at_ || text_[end] != ':' || (!is_quoted && (here() == '-' || text_[end + 1] != ' '))) return false;
        Text name;
        const auto have = [&](std::string_view key) { return out.contains(key); };
        if (end - at_ >= 1000 || !take_key(end, name, have) || !flow_space() || !flow_value(depth, item)) return false;
        out.append_unchecked(std::move(name), std::move(item));
        return true;
    }

    bool flow_value(std::uint32_t depth, Node& out) {
        if (!count(depth)) return false;
        if (here() == '[' || here() == '{') return flow(depth, out);
        const std::uint32_t line = line_;
        if (!(here() == '"' || here() == '\'' ? quoted(out) : flow_plain(out))) return false;
        out.set_position(file_, line);
        return true;
    }

    // Words on one line.
    bool flow_plain(Node& out) {
        constexpr std::string_view kMore = "$()+=~^<>@;&*!|"; // within a word
        if (!is_word(here()) && !(here() == '-' && is_key_char(text_[at_ + 1])) && here() != '$' && here() != '.') return false;
        std::size_t end = at_;
        for (;; ++end) {
            const char c = text_[end];
            if (is_key_char(c) || kMore.find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80) continue;
            if (c == ':' && is_word(text_[end + 1])) continue;
            if (c == ' ' && (is_word(text_[end + 1]) || text_[end + 1] == ' ')) continue;
            break;
        }
        const std::size_t behind = end;
        while (text_[end - 1] == ' ') --end;
        std::size_t next = behind;
        while (text_[next] == ' ') ++next;
        if (text_[next] != ',' && text_[next] != ']' && text_[next] != '}') return false; // goes on in the next line, or is a key
        typed(text_.substr(at_, end - at_), out);
        at_ = next;
        return true;
    }

    void typed(std::string_view text, Node& out) {
        const NodeKind kind = resolve_plain(text, options_.schema);
        if (kind == NodeKind::boolean) out = boolean_as_written(text, options_.schema);
        else if (kind != NodeKind::null) out = Node::scalar(kind, pool_.get(text), NodeStyle::plain);
        else out.set_style(null_style(text));
    }

    std::string_view text_;
    const YamlReadOptions& options_;
    std::uint32_t file_;
    std::uint32_t line_;
    std::size_t at_ = 0, indent_ = 0;
    std::uint64_t made_ = 0;
    TextPool<> pool_;
    std::string buffer_; // of the scalar being read
    std::vector<Node> items_;            // of the lists being read, the innermost last: each becomes a node when its size is known
    std::vector<Node::Entry> entries_;   // of the maps being read
    std::uint64_t expanded_ = 0; // nodes that aliases stood for
};

} // namespace

std::optional<std::vector<Node>> read_plain_yaml(std::string_view text, const YamlReadOptions& options) {
    if (!is_simple_text(text)) return std::nullopt;
    return PlainReader(text, options).documents();
}

} // namespace weber::kube
