#include <algorithm>
#include <array>

#include "gitops/decrypt/yaml_events.h"

namespace weber::gitops::sops {

namespace {

constexpr std::size_t kMaxText = 1u << 20, kMaxKey = 500; // a longer key is none for libyaml
constexpr int kMaxDepth = 50;

struct Line {
    std::size_t indent = 0;
    std::string_view content; // behind the indentation, without the line break
};

// What a key and a plain scalar may begin with; `#` and everything that is not printable ASCII was refused before.
constexpr std::array<bool, 256> make_starts() {
    std::array<bool, 256> out{};
    for (int c = 0; c < 256; ++c) out[static_cast<std::size_t>(c)] = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    for (const char c : {'_', '.', '/', '^', '(', '+', '$', '~'}) out[static_cast<unsigned char>(c)] = true;
    return out;
}
constexpr std::array<bool, 256> kStarts = make_starts();

bool starts_plain(std::string_view text) { return !text.empty() && kStarts[static_cast<unsigned char>(text[0])]; }

// Printable ASCII and line breaks, the last character one; no comments. (On bytes and without a branch, so that compilers take many at a time.)
bool is_simple(std::string_view text) {
    if (text.empty() || text.size() > kMaxText || text.back() != '\n') return false;
    std::uint8_t bad = 0;
    for (const char c : text) {
        const auto byte = static_cast<std::uint8_t>(c), above = static_cast<std::uint8_t>(byte - ' ');
        const auto unprintable = static_cast<std::uint8_t>(above > '~' - ' '), other = static_cast<std::uint8_t>(byte != '\n'), comment = static_cast<std::uint8_t>(byte == '#');
        bad |= static_cast<std::uint8_t>((unprintable & other) | comment);
    }
    return bad == 0;
}

bool is_item(const Line& line) { return line.content.starts_with("- "); }

class Scanner {
public:
    explicit Scanner(std::string_view text) {
        lines_.reserve(64);
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = text.find('\n', at), content = std::min(text.find_first_not_of(' ', at), end);
            lines_.push_back({content - at, text.substr(content, end - content)});
            at = end + 1;
        }
        events_.list.reserve(64);
    }

    std::optional<YamlEvents> events() {
        if (lines_[0].indent != 0) return std::nullopt;
        add(YamlEventKind::document_start);
        if (!block(0, 0) || at_ != lines_.size()) return std::nullopt;
        add(YamlEventKind::document_end);
        add(YamlEventKind::stream_end);
        return std::move(events_);
    }

private:
    [[nodiscard]] bool more() const { return at_ < lines_.size(); }
    [[nodiscard]] const Line& line() const { return lines_[at_]; }

    YamlEvent& add(YamlEventKind kind) {
        YamlEvent& e = events_.list.emplace_back();
        e.kind = kind;
        e.start.line = e.end.line = at_;
        return e;
    }

    void scalar(std::string_view text, bool plain) {
        YamlEvent& e = add(YamlEventKind::scalar);
        e.text = text;
        e.plain = plain;
    }

    // Every function below: the lines from `at_` on; false when something is not simple.
    bool block(std::size_t indent, int depth) {
        if (depth > kMaxDepth || !(is_item(line()) ? list(indent, depth) : map(indent, depth))) return false;
        return !more() || line().indent < indent; // a map behind a list, or deeper lines: of no block
    }

    bool list(std::size_t indent, int depth) {
        add(YamlEventKind::list_start).start.column = indent;
        while (more() && line().indent == indent && is_item(line())) {
            const std::string_view item = line().content.substr(2);
            if (!starts_plain(item) || key_size(item) == 0) {
                if (!value(item, indent)) return false;
                continue;
            }
            lines_[at_] = {indent + 2, item};
            if (!map(indent + 2, depth + 1) || (more() && line().indent > indent)) return false;
        }
        add(YamlEventKind::list_end);
        return true;
    }

    // Of the key that `text` begins with; 0 when it begins with none.
    static std::size_t key_size(std::string_view text) {
        const std::size_t colon = text.find(": ");
        if (colon != std::string_view::npos) return colon;
        return text.ends_with(':') ? text.size() - 1 : 0;
    }

    bool map(std::size_t indent, int depth) {
        add(YamlEventKind::map_start).start.column = indent;
        while (more() && line().indent == indent && !is_item(line())) {
            const std::string_view content = line().content;
            const std::size_t size = key_size(content);
            if (!starts_plain(content) || size == 0 || size > kMaxKey) return false;
            const std::string_view key = content.substr(0, size);
            if (key.ends_with(' ') || (indent == 0 && key.starts_with("..."))) return false;
            scalar(key, true);
            events_.list.back().start.column = indent;
            if (size + 1 < content.size()) {
                if (!value(content.substr(size + 2), indent)) return false;
                continue;
            }
            ++at_;
            if (!more() || line().indent < indent || (line().indent == indent && !is_item(line()))) scalar("", true);
            else if (line().indent == indent ? !list(indent, depth + 1) : !block(line().indent, depth + 1)) return false;
        }
        add(YamlEventKind::map_end);
        return true;
    }

    // The rest of a line of a block at `indent`.
    bool value(std::string_view text, std::size_t indent) {
        if (text == "|" || text == "|-") return literal(text == "|", indent);
        const char quote = text.empty() ? ' ' : text.front();
        if (quote == '"' || quote == '\'') {
            const std::string_view inner = text.substr(1, std::max<std::size_t>(text.size(), 2) - 2);
            if (text.size() < 2 || text.back() != quote || inner.find(quote) != std::string_view::npos || (quote == '"' && inner.find('\\') != std::string_view::npos)) return false;
            scalar(inner, false);
        } else {
            if (!starts_plain(text) || text.ends_with(' ') || text.ends_with(':') || text.find(": ") != std::string_view::npos) return false;
            scalar(text, true);
        }
        ++at_;
        return !more() || line().indent <= indent; // else it goes on there
    }

    bool literal(bool final_break, std::size_t indent) {
        const std::size_t first = at_++;
        if (!more() || line().indent <= indent) return false;
        const std::size_t margin = line().indent;
        std::string text;
        for (; more() && line().indent >= margin; ++at_) {
            if (line().content.empty()) return false;
            text.append(line().indent - margin, ' ').append(line().content).append("\n");
        }
        if (more() && line().indent > indent) return false;
        if (!final_break) text.pop_back();
        scalar(events_.texts.emplace_front(std::move(text)), false);
        events_.list.back().start.line = first;
        events_.list.back().block = true;
        return true;
    }

    std::vector<Line> lines_;
    YamlEvents events_;
    std::size_t at_ = 0;
};

} // namespace

std::optional<YamlEvents> simple_yaml_events(std::string_view text) {
    if (!is_simple(text)) return std::nullopt;
    return Scanner(text).events();
}

} // namespace weber::gitops::sops
