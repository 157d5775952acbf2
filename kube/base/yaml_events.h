// What events of libyaml say, in our words. For the readers of this folder alone.
//
// Pure and thread-safe.
#pragma once

#include <yaml.h>

#include <string>

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

} // namespace weber::kube
