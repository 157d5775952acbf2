#include "kube/base/json_plain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "kube/base/text_pool.h"
#include "kube/base/utf8.h"

namespace weber::kube {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Bytes of a string that mean themselves: no control characters, no quote, no backslash, no UTF-8 of several bytes.
constexpr std::array<bool, 256> kItself = [] {
    std::array<bool, 256> out{};
    for (std::size_t c = 0x20; c < 0x80; ++c) out[c] = c != '"' && c != '\\';
    return out;
}();

class PlainReader {
public:
    PlainReader(std::string_view text, const JsonReadOptions& options)
        : at_(text.data()), end_(text.data() + text.size()), depth_left_(options.depth), file_(intern_file(options.file)) {
        if (text.size() > kSmall) pool_.emplace();
    }

    bool document(Node& out) {
        if (!value(out)) return false;
        skip_blanks();
        return at_ == end_;
    }

private:
    static constexpr std::size_t kSmall = 8192; // a text without enough keys to pay for a pool
    static constexpr std::size_t kFew = 24;     // keys that are compared one by one

    void skip_blanks() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
    }
    bool take(char c) {
        skip_blanks();
        if (at_ == end_ || *at_ != c) return false;
        ++at_;
        return true;
    }
    bool word(std::string_view w) {
        if (!std::string_view(at_, end_).starts_with(w)) return false;
        at_ += w.size();
        return true;
    }

    bool value(Node& out) {
        skip_blanks();
        if (at_ == end_) return false;
        switch (*at_) {
        case '{': return nested(out, true);
        case '[': return nested(out, false);
        case '"': {
            std::string_view text;
            if (!string(text)) return false;
            out = Node::string(text, NodeStyle::double_quoted);
            return true;
        }
        case 't': out = Node::boolean(true); return word("true");
        case 'f': out = Node::boolean(false); return word("false");
        case 'n': out = Node(); return word("null");
        default: return number(out);
        }
    }

    bool nested(Node& out, bool is_map) {
        if (depth_left_ == 0) return false;
        --depth_left_;
        ++at_;
        const bool done = is_map ? map(out) : list(out);
        ++depth_left_;
        if (done) out.set_position(file_, 0);
        return done;
    }

    bool list(Node& out) {
        const std::size_t start = items_.size();
        if (!take(']')) {
            do {
                Node item;
                if (!value(item)) return false;
                items_.push_back(std::move(item));
            } while (take(','));
            if (!take(']')) return false;
        }
        out = Node::list_of(std::span(items_).subspan(start));
        items_.resize(start);
        return true;
    }

    bool map(Node& out) {
        const std::size_t start = entries_.size();
        if (!take('}')) {
            do {
                skip_blanks();
                std::string_view text;
                if (at_ == end_ || *at_ != '"' || !string(text)) return false;
                Node::Entry entry{pool_ ? pool_->get(text) : Text(text), {}};
                if (!take(':') || !value(entry.value)) return false;
                entries_.push_back(std::move(entry));
            } while (take(','));
            if (!take('}')) return false;
        }
        const auto own = std::span(entries_).subspan(start);
        if (has_repeated(own)) return false;
        out = Node::map_of(own);
        entries_.resize(start);
        return true;
    }

    static bool has_repeated(std::span<const Node::Entry> entries) {
        if (entries.size() <= kFew) {
            for (std::size_t i = 1; i < entries.size(); ++i)
                for (std::size_t k = 0; k < i; ++k)
                    if (entries[i].key == entries[k].key) return true;
            return false;
        }
        std::vector<std::string_view> keys;
        keys.reserve(entries.size());
        for (const Node::Entry& e : entries) keys.push_back(e.key.view());
        std::ranges::sort(keys);
        return std::ranges::adjacent_find(keys) != keys.end();
    }

    // The text between quotes: a part of the input, or of `unescaped_`, good until the next string.
    bool string(std::string_view& out) {
        const char* start = ++at_;
        while (at_ != end_ && kItself[static_cast<unsigned char>(*at_)]) ++at_;
        if (at_ != end_ && *at_ == '"') {
            out = {start, at_++};
            return true;
        }
        bool ascii = true;
        unescaped_.assign(start, at_);
        for (; at_ != end_ && *at_ != '"'; ++at_) {
            const auto c = static_cast<unsigned char>(*at_);
            if (c < 0x20) return false;
            if (c >= 0x80) ascii = false;
            if (c != '\\') unescaped_ += *at_;
            else if (!escape()) return false;
        }
        if (at_ == end_ || (!ascii && !is_valid_utf8(unescaped_))) return false;
        ++at_;
        out = unescaped_;
        return true;
    }

    // At a backslash; leaves `at_` at the escape's last byte.
    bool escape() {
        if (++at_ == end_) return false;
        switch (*at_) {
        case '"':
        case '\\':
        case '/': unescaped_ += *at_; return true;
        case 'b': unescaped_ += '\b'; return true;
        case 'f': unescaped_ += '\f'; return true;
        case 'n': unescaped_ += '\n'; return true;
        case 'r': unescaped_ += '\r'; return true;
        case 't': unescaped_ += '\t'; return true;
        case 'u': break;
        default: return false;
        }
        if (end_ - at_ < 5) return false;
        unsigned code = 0;
        const auto [stop, error] = std::from_chars(at_ + 1, at_ + 5, code, 16);
        if (error != std::errc() || stop != at_ + 5 || (code >= 0xD800 && code < 0xE000)) return false;
        append_utf8(unescaped_, code);
        at_ += 4;
        return true;
    }

    bool number(Node& out) {
        const char* start = at_;
        if (*at_ == '-') ++at_;
        const char* digits = at_;
        while (at_ != end_ && is_digit(*at_)) ++at_;
        const auto count = at_ - digits;
        if (count == 0 || count > 18 || (*digits == '0' && (count > 1 || start != digits))) return false; // "-0" as well
        if (at_ == end_ || (*at_ != '.' && *at_ != 'e' && *at_ != 'E')) {
            std::int64_t n = 0;
            std::from_chars(start, at_, n);
            out = Node::integer(n);
            return true;
        }
        if (*at_ != '.') return false;
        const char* fraction = ++at_;
        while (at_ != end_ && is_digit(*at_)) ++at_;
        if (at_ == fraction || (at_ != end_ && (*at_ == 'e' || *at_ == 'E'))) return false;
        out = Node::scalar(NodeKind::floating, Text(std::string_view(start, at_)));
        return true;
    }

    const char* at_;
    const char* const end_;
    std::size_t depth_left_;
    const std::uint32_t file_;
    std::vector<Node> items_;          // of the lists that are open
    std::vector<Node::Entry> entries_; // of the maps that are open
    std::string unescaped_;
    std::optional<TextPool<509>> pool_;
};

} // namespace

std::optional<Node> read_plain_json(std::string_view text, const JsonReadOptions& options) {
    std::optional<Node> out(std::in_place);
    if (!PlainReader(text, options).document(*out)) out.reset();
    return out;
}

} // namespace weber::kube
