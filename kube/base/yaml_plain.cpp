#include "kube/base/yaml_plain.h"

#include <algorithm>
#include <string>

#include "kube/base/text_pool.h"

namespace weber::kube {
namespace {

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/'; }
bool is_key_char(char c) { return is_word(c) || c == '-' || c == '.'; }

bool is_simple_text(std::string_view text) {
    return !text.empty() && text.back() == '\n' && std::ranges::all_of(text, [](char c) { return (c >= ' ' && c < 0x7f) || c == '\n'; });
}

// Every function that returns bool: false means that the text is not plain, and all is given up.
class PlainReader {
public:
    PlainReader(std::string_view text, const YamlReadOptions& options)
        : text_(text), options_(options), file_(intern_file(options.file)), line_(options.first_line) {}

    std::optional<std::vector<Node>> documents() {
        std::vector<Node> out;
        to_content();
        if (at_end() || (at_marker() && !pass_marker())) return std::nullopt;
        for (;;) {
            if (out.size() >= options_.limits.documents || !document(out.emplace_back())) return std::nullopt;
            if (at_end()) return out;
            if (!at_marker() || !pass_marker()) return std::nullopt;
        }
    }

private:
    // ---- lines: `at_` is the start of the content of a line, `indent_` its column ----------------------------------------
    [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
    [[nodiscard]] char here() const { return text_[at_]; } // the text ends in a line break
    [[nodiscard]] bool at_item() const { return here() == '-' && (text_[at_ + 1] == ' ' || text_[at_ + 1] == '\n'); }
    [[nodiscard]] bool at_marker() const { return !at_end() && indent_ == 0 && text_.substr(at_).starts_with("---"); }

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
        if (text_[at_ + 3] != '\n') return false;
        at_ += 4;
        ++line_;
        to_content();
        return true;
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
        if (!at_end() && !at_marker()) return block(indent_, 0, out);
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
        out = Node::list();
        out.set_position(file_, line_);
        while (!at_end() && indent_ == column && !at_marker() && at_item()) {
            Node item;
            ++at_;
            std::size_t inner = column + 1;
            while (text_[at_] == ' ') ++at_, ++inner;
            if (text_[at_] == '\n' || text_[at_] == '#') return false;
            if (key_end() != 0) {
                indent_ = inner;
                if (!map(inner, depth + 1, item)) return false;
            } else if (!scalar(column, depth + 1, item)) {
                return false;
            }
            out.push_back(std::move(item));
        }
        return at_end() || indent_ <= column;
    }

    // The place of the colon of a key that starts here; 0: none does.
    [[nodiscard]] std::size_t key_end() const {
        std::size_t end = at_;
        if (!is_word(text_[end]) && !(text_[end] == '.' && is_word(text_[end + 1]))) return 0;
        while (is_key_char(text_[end])) ++end;
        const bool is_key = text_[end] == ':' && (text_[end + 1] == ' ' || text_[end + 1] == '\n') && end - at_ < 1000;
        return is_key ? end : 0;
    }

    bool map(std::size_t column, std::uint32_t depth, Node& out) {
        if (!count(depth)) return false;
        out = Node::map();
        out.set_position(file_, line_);
        while (!at_end() && indent_ == column && !at_marker()) {
            const std::size_t end = key_end();
            if (end == 0) return false;
            const std::string_view key = text_.substr(at_, end - at_);
            if (options_.schema == YamlSchema::yaml_1_1 && resolve_plain(key, options_.schema) == NodeKind::boolean) return false;
            if (out.find(key) != nullptr) return false;
            Text name = pool_.get(key);
            at_ = end + 1;
            Node item;
            if (!value(column, depth + 1, item)) return false;
            out.append_unchecked(std::move(name), std::move(item));
        }
        return at_end() || indent_ <= column;
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
        if (!at_end() && !at_marker() && (indent_ > column || (indent_ == column && at_item()))) return block(indent_, depth, out);
        if (!count(depth)) return false;
        out.set_style(NodeStyle::absent);
        out.set_position(file_, line);
        return true;
    }

    // A scalar that starts here, within a map or list at `column`.
    bool scalar(std::size_t column, std::uint32_t depth, Node& out) {
        if (!count(depth)) return false;
        const std::uint32_t line = line_;
        const char c = here();
        const bool done = c == '|' ? literal(column, out) : c == '"' || c == '\'' ? quoted(out) : c == '[' ? flow_list(depth, out) : c == '{' ? empty_map(out) : plain(out);
        if (!done) return false;
        out.set_position(file_, line);
        return at_end() || indent_ <= column; // deeper lines would go on with the scalar
    }

    bool quoted(Node& out) { return quoted_text(out) && end_line(); }

    bool quoted_text(Node& out) {
        const char quote = here();
        const std::size_t begin = at_ + 1, end = text_.find_first_of(quote == '"' ? "\"\\\n" : "'\n", begin);
        if (text_[end] != quote || text_[end + 1] == quote) return false;
        out = Node::scalar(NodeKind::string, pool_.get(text_.substr(begin, end - begin)), quote == '"' ? NodeStyle::double_quoted : NodeStyle::single_quoted);
        at_ = end + 1;
        return true;
    }

    bool empty_map(Node& out) {
        if (text_[at_ + 1] != '}') return false;
        out = Node::map();
        out.set_style(NodeStyle::flow);
        at_ += 2;
        return end_line();
    }

    // [a, "b"]: scalars on one line.
    bool flow_list(std::uint32_t depth, Node& out) {
        out = Node::list();
        out.set_style(NodeStyle::flow);
        ++at_;
        while (here() != ']') {
            Node item;
            if (!count(depth + 1) || !(here() == '"' || here() == '\'' ? quoted_text(item) : word(item))) return false;
            item.set_position(file_, line_);
            out.push_back(std::move(item));
            if (here() == ']') break;
            if (here() != ',' || text_[at_ + 1] != ' ' || text_[at_ + 2] == ']') return false;
            at_ += 2;
        }
        ++at_;
        return end_line();
    }

    bool word(Node& out) {
        std::size_t end = at_;
        while (is_key_char(text_[end])) ++end;
        if (end == at_ || (here() == '-' && end == at_ + 1)) return false;
        typed(text_.substr(at_, end - at_), out);
        at_ = end;
        return true;
    }

    bool plain(Node& out) {
        const char c = here();
        if (!is_word(c) && !(c == '-' && text_[at_ + 1] != ' ' && text_[at_ + 1] != '\n') && c != '.' && c != '$' && c != '(' && c != '+' && c != '~' && c != '^') return false;
        const std::size_t begin = at_;
        std::size_t end = text_.find('\n', at_);
        for (std::size_t i = begin; i < end; ++i) {
            if (text_[i] == ':' && (text_[i + 1] == ' ' || text_[i + 1] == '\n')) return false;
            if (text_[i] == '#' && text_[i - 1] == ' ') end = i;
        }
        while (text_[end - 1] == ' ') --end;
        typed(text_.substr(begin, end - begin), out);
        at_ = end;
        return end_line();
    }

    void typed(std::string_view text, Node& out) {
        const NodeKind kind = resolve_plain(text, options_.schema);
        if (kind == NodeKind::boolean) out = Node::boolean(plain_truth(text));
        else if (kind != NodeKind::null) out = Node::scalar(kind, pool_.get(text), NodeStyle::plain);
        else if (text == "~") out.set_style(NodeStyle::tilde);
    }

    // `|` or `|-`, no other indicator and no comment; no line of blanks only.
    bool literal(std::size_t column, Node& out) {
        const bool strip = text_[++at_] == '-';
        if (strip) ++at_;
        if (text_[at_] != '\n') return false;
        ++at_;
        ++line_;
        std::string body;
        std::size_t width = 0, breaks = 0; // empty lines not yet written
        while (at_ < text_.size()) {
            std::size_t begin = at_;
            const std::size_t end = text_.find('\n', at_);
            while (text_[begin] == ' ') ++begin;
            const std::size_t blanks = begin - at_;
            if (begin == end) {
                if (blanks != 0) return false;
                ++breaks;
            } else {
                if (width == 0 && blanks <= column) return false; // an empty block
                if (width == 0) width = blanks;
                if (blanks < width) break;
                body.append(breaks, '\n');
                breaks = 0;
                body.append(text_.substr(at_ + width, end - at_ - width)).push_back('\n');
            }
            at_ = end + 1;
            ++line_;
        }
        if (body.empty()) return false;
        if (strip) body.pop_back();
        out = Node::scalar(NodeKind::string, pool_.get(body), NodeStyle::literal);
        to_content();
        return true;
    }

    std::string_view text_;
    const YamlReadOptions& options_;
    std::uint32_t file_;
    std::uint32_t line_;
    std::size_t at_ = 0, indent_ = 0;
    std::uint64_t made_ = 0;
    TextPool<> pool_;
};

} // namespace

std::optional<std::vector<Node>> read_plain_yaml(std::string_view text, const YamlReadOptions& options) {
    if (!is_simple_text(text)) return std::nullopt;
    return PlainReader(text, options).documents();
}

} // namespace weber::kube
