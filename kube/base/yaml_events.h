// What events of libyaml say, in our words. For the readers of this folder alone.
//
// Pure and thread-safe.
#pragma once

#include <yaml.h>

#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube {

// "" for nullptr. For anchors, tags and names of aliases, which hold no NUL.
inline std::string text_of(const yaml_char_t* text) { return text == nullptr ? std::string() : reinterpret_cast<const char*>(text); }

inline NodeStyle node_style(yaml_scalar_style_t style) {
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: return NodeStyle::single_quoted;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return NodeStyle::double_quoted;
    case YAML_LITERAL_SCALAR_STYLE: return NodeStyle::literal;
    case YAML_FOLDED_SCALAR_STYLE: return NodeStyle::folded;
    default: return NodeStyle::plain;
    }
}

// What stopped a parser, worded as go-yaml does it: "yaml: line 3: did not find expected …". `first_line`: of the text within `file`.
inline std::unexpected<Error> yaml_syntax_error(const yaml_parser_t& parser, std::string_view file, std::uint32_t first_line) {
    std::uint64_t at = parser.problem_mark.line != 0 ? parser.problem_mark.line : parser.context_mark.line;
    if (parser.error == YAML_SCANNER_ERROR || parser.error == YAML_PARSER_ERROR) at += 1;
    const char* problem = parser.problem != nullptr ? parser.problem : "unknown problem parsing YAML content";
    if (parser.error == YAML_MEMORY_ERROR) return fail(ErrorCode::too_large, "not enough memory for the YAML text");
    if (parser.error == YAML_READER_ERROR)
        return fail(ErrorCode::invalid, std::string("yaml: ") + problem + " at byte " + std::to_string(parser.problem_offset), {std::string(file), 0, 0});
    return fail(ErrorCode::invalid, "yaml: line " + std::to_string(at) + ": " + problem,
                {std::string(file), static_cast<std::uint32_t>(at) + first_line - 1, static_cast<std::uint32_t>(parser.problem_mark.column + 1)});
}

} // namespace weber::kube
