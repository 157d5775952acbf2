// The events of a YAML text as the reader of SOPS' YAML files wants them.
//
// Pure and thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"

namespace weber::gitops::sops {

enum class YamlEventKind : std::uint8_t { other, document_start, document_end, stream_end, scalar, alias, map_start, map_end, list_start, list_end };

struct YamlPosition {
    std::size_t line = 0, column = 0; // from 0; columns count characters
    auto operator<=>(const YamlPosition&) const = default;
};

struct YamlEvent {
    YamlEventKind kind = YamlEventKind::other;
    bool plain = false; // a scalar without quotes
    bool block = false; // a literal or folded scalar
    bool flow = false;  // the start of a map or list in brackets
    YamlPosition start = {}, end = {};
    std::string_view text = {}, tag = {}, anchor = {}; // of the text that was read, or of `texts` below
};

struct YamlEvents {
    std::vector<YamlEvent> list;
    std::forward_list<std::string> texts; // what does not stand in the text that was read as it is
};

// Both need `text` for as long as their events are used.
// By libyaml: any text. Errors: `yaml: line N: …`; too_large beyond a million nodes.
Result<YamlEvents> yaml_events(std::string_view text);

// Several times faster, for texts as `sops` writes them: block maps and lists, scalars of one line, literals, ASCII, no comments. The same events as yaml_events
// (of the ends of maps and lists only the kind is set), or nothing when the text is not sure to be of that sort.
std::optional<YamlEvents> simple_yaml_events(std::string_view text);

} // namespace weber::gitops::sops
