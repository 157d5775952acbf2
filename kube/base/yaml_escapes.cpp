#include "kube/base/yaml_escapes.h"

#include <yaml.h>

#include <cstdint>

#include "kube/base/utf8.h"

namespace weber::kube {

namespace {

constexpr std::uint64_t kMostWork = 64u << 20; // bytes that are read again and again, a time for each scalar with \' and each bracket in a tag
constexpr std::string_view kTagEnds = "[],";

// "!" with one of those before the next blank: a tag, or not.
bool may_hold_tag_with_brackets(std::string_view text) {
    for (std::size_t at = text.find('!'); at != std::string_view::npos; at = text.find('!', at)) {
        at = text.find_first_of(" \t\r\n[],", at);
        if (at == std::string_view::npos) return false;
        if (kTagEnds.find(text[at]) != std::string_view::npos) return true;
    }
    return false;
}

class Escapes {
public:
    explicit Escapes(std::string_view text) : text_(text) {}

    // Whether anything was changed.
    bool change() {
        for (std::uint64_t work = 0; work < kMostWork && pass(); work += text_.size() + 1) {}
        return changed_;
    }
    std::string take() { return std::move(text_); }

private:
    // Reads up to the first \' and takes the scalar's backslashes before quotes away, or up to the first tag that libyaml ends too early; false: there is none (left).
    bool pass() {
        yaml_parser_t parser;
        yaml_parser_initialize(&parser);
        yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text_.data()), text_.size());
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        character_ = byte_ = 0;
        bool end = false, longer = false;
        for (yaml_token_t token; !end && yaml_parser_scan(&parser, &token) == 1; yaml_token_delete(&token)) {
            end = token.type == YAML_STREAM_END_TOKEN || token.type == YAML_NO_TOKEN;
            if (token.type == YAML_SCALAR_TOKEN && token.data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE) {
                const std::size_t from = byte_of(token.start_mark.index);
                spoil_slashes(from, byte_of(token.end_mark.index));
            } else if (token.type == YAML_TAG_TOKEN) {
                end = longer = escape_in_tag(byte_of(token.end_mark.index));
            }
        }
        const bool failed = parser.error == YAML_SCANNER_ERROR;
        const std::string_view context = failed && parser.context != nullptr ? parser.context : "";
        const std::size_t begin = failed ? byte_of(parser.context_mark.index) : 0;
        const std::size_t at = failed ? byte_of(parser.problem_mark.index) : 0;
        yaml_parser_delete(&parser);
        if (longer || (context == "while scanning a tag" && escape_in_tag(at))) return true;
        if (context == "while scanning a quoted scalar" && text_[begin] == '"') spoil_slashes(begin, text_.size()); // one without an end
        return failed && text_.compare(at, 2, "\\'") == 0 && drop_backslashes(at);
    }

    // A character behind what libyaml takes for the tag, which go-yaml takes for a part of it.
    bool escape_in_tag(std::size_t at) {
        if (at >= text_.size() || at == 0 || text_[at - 1] == '>' || kTagEnds.find(text_[at]) == std::string_view::npos) return false;
        text_.replace(at, 1, text_[at] == '[' ? "%5B" : text_[at] == ']' ? "%5D" : "%2C");
        return changed_ = true;
    }

    // Positions only grow.
    std::size_t byte_of(std::size_t character) {
        for (; character_ < character && byte_ < text_.size(); ++character_) byte_ += decode_utf8(text_, byte_).bytes;
        return byte_;
    }

    // \/ becomes an escape that libyaml does not know either.
    void spoil_slashes(std::size_t from, std::size_t to) {
        for (std::size_t at = text_.find('\\', from); at < to; at = text_.find('\\', at + 2))
            if (text_[at + 1] == '/') {
                text_[at + 1] = 'y';
                changed_ = true;
            }
    }

    bool drop_backslashes(std::size_t at) {
        std::size_t to = at;
        for (; at < text_.size() && text_[at] != '"'; ++at) {
            if (text_[at] == '\\' && at + 1 < text_.size()) {
                if (text_[at + 1] != '\'') text_[to++] = text_[at];
                ++at;
            }
            text_[to++] = text_[at];
        }
        text_.erase(to, at - to);
        return changed_ = true;
    }

    std::string text_;
    bool changed_ = false;
    std::size_t character_ = 0, byte_ = 0;
};

} // namespace

std::optional<std::string> escapes_for_libyaml(std::string_view text) {
    if (text.find("\\'") == std::string_view::npos && text.find("\\/") == std::string_view::npos && !may_hold_tag_with_brackets(text)) return std::nullopt;
    Escapes escapes(text);
    return escapes.change() ? std::optional(escapes.take()) : std::nullopt;
}

} // namespace weber::kube
