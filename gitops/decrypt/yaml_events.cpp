#include "gitops/decrypt/yaml_events.h"

#include <yaml.h>

#include <memory>

#include "kube/base/yaml_escapes.h"

namespace weber::gitops::sops {

namespace {

constexpr std::size_t kMaxNodes = 1'000'000;

YamlPosition position_of(const yaml_mark_t& mark) { return {mark.line, mark.column}; }

YamlEvent event_of(const yaml_event_t& e, std::forward_list<std::string>& texts) {
    const auto keep = [&](const yaml_char_t* s, std::size_t size) { return size > 0 ? std::string_view(texts.emplace_front(reinterpret_cast<const char*>(s), size)) : std::string_view(); };
    const auto text_of = [&](const yaml_char_t* s) { return s != nullptr ? keep(s, std::char_traits<char>::length(reinterpret_cast<const char*>(s))) : std::string_view(); };
    YamlEvent out;
    out.start = position_of(e.start_mark);
    out.end = position_of(e.end_mark);
    switch (e.type) {
    case YAML_SCALAR_EVENT:
        out.kind = YamlEventKind::scalar;
        out.text = keep(e.data.scalar.value, e.data.scalar.length);
        out.tag = text_of(e.data.scalar.tag);
        out.anchor = text_of(e.data.scalar.anchor);
        out.plain = e.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        out.block = e.data.scalar.style == YAML_LITERAL_SCALAR_STYLE || e.data.scalar.style == YAML_FOLDED_SCALAR_STYLE;
        break;
    case YAML_ALIAS_EVENT:
        out.kind = YamlEventKind::alias;
        out.anchor = text_of(e.data.alias.anchor);
        break;
    case YAML_MAPPING_START_EVENT:
        out.kind = YamlEventKind::map_start;
        out.anchor = text_of(e.data.mapping_start.anchor);
        out.flow = e.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
        break;
    case YAML_SEQUENCE_START_EVENT:
        out.kind = YamlEventKind::list_start;
        out.anchor = text_of(e.data.sequence_start.anchor);
        out.flow = e.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
        break;
    case YAML_MAPPING_END_EVENT: out.kind = YamlEventKind::map_end; break;
    case YAML_SEQUENCE_END_EVENT: out.kind = YamlEventKind::list_end; break;
    case YAML_DOCUMENT_START_EVENT: out.kind = YamlEventKind::document_start; break;
    case YAML_DOCUMENT_END_EVENT: out.kind = YamlEventKind::document_end; break;
    case YAML_STREAM_END_EVENT: out.kind = YamlEventKind::stream_end; break;
    default: break;
    }
    return out;
}

} // namespace

Result<YamlEvents> yaml_events(std::string_view text) {
    yaml_parser_t parser;
    yaml_parser_initialize(&parser);
    const std::unique_ptr<yaml_parser_t, void (*)(yaml_parser_t*)> owner(&parser, yaml_parser_delete);
    const auto changed = kube::escapes_for_libyaml(text);
    if (changed) text = *changed;
    if (text.empty()) text = std::string_view("", 0);
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    YamlEvents out;
    out.list.reserve(64);
    for (yaml_event_t event; out.list.size() < kMaxNodes;) {
        if (yaml_parser_parse(&parser, &event) != 1) {
            const std::size_t line = (parser.problem_mark.line != 0 ? parser.problem_mark.line : parser.context_mark.line) + 1;
            return fail(ErrorCode::invalid, "yaml: line " + std::to_string(line) + ": " + (parser.problem != nullptr ? parser.problem : "unknown problem parsing YAML content"));
        }
        out.list.push_back(event_of(event, out.texts));
        yaml_event_delete(&event);
        if (out.list.back().kind == YamlEventKind::stream_end) return out;
    }
    return fail(ErrorCode::too_large, "the YAML text has too many nodes");
}

} // namespace weber::gitops::sops
