// Writes YAML in the style it was read in, through libyaml's emitter, as kyaml writes a tree back into a scalar.
#include <yaml.h>

#include "kube/base/yaml.h"

namespace weber::kube {
namespace {

int append(void* out, unsigned char* bytes, std::size_t size) {
    static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(bytes), size);
    return 1;
}

unsigned char* bytes_of(std::string_view s) {
    static unsigned char empty[1] = {0};
    return s.empty() ? empty : reinterpret_cast<unsigned char*>(const_cast<char*>(s.data()));
}

class StyledWriter {
public:
    explicit StyledWriter(std::string& out) {
        yaml_emitter_initialize(&emitter_);
        yaml_emitter_set_output(&emitter_, append, &out);
        yaml_emitter_set_width(&emitter_, -1);
        yaml_emitter_set_indent(&emitter_, 2);
        yaml_emitter_set_unicode(&emitter_, 1);
    }
    StyledWriter(const StyledWriter&) = delete;
    StyledWriter& operator=(const StyledWriter&) = delete;
    ~StyledWriter() { yaml_emitter_delete(&emitter_); }

    void document(const Node& node) {
        yaml_event_t event;
        yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
        yaml_emitter_emit(&emitter_, &event);
        yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1);
        yaml_emitter_emit(&emitter_, &event);
        write(node);
        yaml_document_end_event_initialize(&event, 1);
        yaml_emitter_emit(&emitter_, &event);
        yaml_stream_end_event_initialize(&event);
        yaml_emitter_emit(&emitter_, &event);
    }

private:
    void write(const Node& node) {
        yaml_event_t event;
        const bool flow = node.style() == NodeStyle::flow;
        if (node.is_map()) {
            yaml_mapping_start_event_initialize(&event, nullptr, nullptr, 1, flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE);
            yaml_emitter_emit(&emitter_, &event);
            for (const Node::Entry& e : node.entries()) {
                scalar(e.key, YAML_PLAIN_SCALAR_STYLE);
                write(e.value);
            }
            yaml_mapping_end_event_initialize(&event);
            yaml_emitter_emit(&emitter_, &event);
        } else if (node.is_list()) {
            yaml_sequence_start_event_initialize(&event, nullptr, nullptr, 1, flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE);
            yaml_emitter_emit(&emitter_, &event);
            for (const Node& item : node.items()) write(item);
            yaml_sequence_end_event_initialize(&event);
            yaml_emitter_emit(&emitter_, &event);
        } else if (node.is_null()) {
            scalar(node.style() == NodeStyle::absent ? "" : node.style() == NodeStyle::tilde ? "~" : "null", YAML_PLAIN_SCALAR_STYLE);
        } else {
            scalar(node.text(), style_of(node));
        }
    }

    static yaml_scalar_style_t style_of(const Node& node) {
        switch (node.style()) {
        case NodeStyle::single_quoted: return YAML_SINGLE_QUOTED_SCALAR_STYLE;
        case NodeStyle::double_quoted: return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
        case NodeStyle::literal: return YAML_LITERAL_SCALAR_STYLE;
        case NodeStyle::folded: return YAML_FOLDED_SCALAR_STYLE;
        default: break;
        }
        if (!node.is_string()) return YAML_PLAIN_SCALAR_STYLE;
        if (node.text().find('\n') != std::string_view::npos) return YAML_LITERAL_SCALAR_STYLE;
        const bool reads_back = resolve_plain(node.text(), YamlSchema::go_yaml_v3) == NodeKind::string;
        return reads_back ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    }

    void scalar(std::string_view text, yaml_scalar_style_t style) {
        yaml_event_t event;
        if (!yaml_scalar_event_initialize(&event, nullptr, nullptr, bytes_of(text), static_cast<int>(text.size()), 1, 1, style)) {
            constexpr std::string_view kNotText = ""; // bytes that are no UTF-8 cannot stand in YAML
            yaml_scalar_event_initialize(&event, nullptr, nullptr, bytes_of(kNotText), 0, 1, 1, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
        }
        yaml_emitter_emit(&emitter_, &event);
    }

    yaml_emitter_t emitter_;
};

} // namespace

std::string write_yaml_styled(const Node& node) {
    std::string out;
    StyledWriter(out).document(node);
    constexpr std::string_view kEnd = "\n...\n"; // libyaml's, after a block that keeps its last line breaks; go-yaml has none
    if (out.ends_with(kEnd)) out.resize(out.size() - kEnd.size() + 1);
    return out;
}

} // namespace weber::kube
