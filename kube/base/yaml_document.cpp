#include "kube/base/yaml_document.h"

#include "kube/base/yaml.h"
#include "kube/base/yaml_escapes.h"
#include "kube/base/yaml_events.h"
#include "kube/base/yaml_style.h"

namespace weber::kube {
namespace {

constexpr std::uint32_t kMaxDepth = 512;
constexpr const char* kMergeTag = "tag:yaml.org,2002:merge";

bool is_date(const Node& node) { return node.is_string() && node.style() == NodeStyle::plain && node.line() != 0 && !yaml_timestamp(node.text()).empty(); }

// The tag that go-yaml gives a scalar without one, by its look.
std::string_view implicit_tag(const Node& scalar) {
    switch (scalar.kind()) {
    case NodeKind::null: return YAML_NULL_TAG;
    case NodeKind::boolean: return YAML_BOOL_TAG;
    case NodeKind::integer: return YAML_INT_TAG;
    case NodeKind::floating: return YAML_FLOAT_TAG;
    default: return is_date(scalar) ? YAML_TIMESTAMP_TAG : YAML_STR_TAG;
    }
}

void forget_positions(Node& tree) {
    tree.set_position(0, 0);
    if (tree.is_map()) {
        for (Node::Entry& e : tree.entries_mut()) forget_positions(e.value);
    } else if (tree.is_list()) {
        for (Node& item : tree.items_mut()) forget_positions(item);
    }
}

Node plain_scalar(NodeKind kind, std::string_view text) {
    if (kind != NodeKind::null) return Node::scalar(kind, Text(text));
    Node null;
    null.set_style(null_style(text));
    return null;
}

} // namespace

class YamlDocumentReader {
public:
    YamlDocumentReader(std::string_view text, YamlDocument& out) : out_(out) {
        if (changed_ = escapes_for_libyaml(text); changed_) text = *changed_;
        yaml_parser_initialize(&parser_);
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    }
    YamlDocumentReader(const YamlDocumentReader&) = delete;
    YamlDocumentReader& operator=(const YamlDocumentReader&) = delete;
    ~YamlDocumentReader() {
        if (have_event_) yaml_event_delete(&event_);
        yaml_parser_delete(&parser_);
    }

    Result<void> read() {
        TRY_VOID(next());
        if (event_.type == YAML_STREAM_START_EVENT) TRY_VOID(next());
        if (event_.type != YAML_DOCUMENT_START_EVENT) return fail(ErrorCode::not_found, "the text holds no data");
        const auto* version = event_.data.document_start.version_directive;
        if (version != nullptr && (version->major != 1 || version->minor != 1)) return fail(ErrorCode::invalid, "yaml: found incompatible YAML document");
        TRY_VOID(next());
        return value(0, out_.root_);
    }

private:
    Result<void> next() {
        if (have_event_) yaml_event_delete(&event_);
        have_event_ = yaml_parser_parse(&parser_, &event_) == 1;
        if (!have_event_) return yaml_syntax_error(parser_, {}, 1);
        return {};
    }

    void place(Node& node, const yaml_char_t* anchor, const yaml_char_t* tag, bool alias = false) {
        const auto line = static_cast<std::uint32_t>(event_.start_mark.line + 1);
        YamlDocument::Mark mark{alias ? std::string() : text_of(anchor), text_of(tag), alias};
        if (mark.tag == "!") mark.tag.clear();
        if (mark.anchor.empty() && mark.tag.empty() && !alias) return node.set_position(0, line);
        node.set_position(static_cast<std::uint32_t>(out_.marks_.size()), line);
        out_.marks_.push_back(std::move(mark));
    }

    Result<void> value(std::uint32_t depth, Node& out) {
        if (depth > kMaxDepth) return fail(ErrorCode::too_large, "YAML has more than " + std::to_string(kMaxDepth) + " nested levels");
        switch (event_.type) {
        case YAML_ALIAS_EVENT:
            out = Node::string(text_of(event_.data.alias.anchor));
            place(out, nullptr, nullptr, true);
            return {};
        case YAML_SCALAR_EVENT: scalar(out); return {};
        case YAML_SEQUENCE_START_EVENT: return sequence(depth, out);
        case YAML_MAPPING_START_EVENT: return mapping(depth, out);
        default: return fail(ErrorCode::invalid, "yaml: unexpected content");
        }
    }

    void scalar(Node& out) {
        const auto& s = event_.data.scalar;
        const std::string_view text(reinterpret_cast<const char*>(s.value), s.length);
        const bool by_look = s.tag == nullptr && s.style == YAML_PLAIN_SCALAR_STYLE;
        out = by_look ? plain_scalar(resolve_plain(text, YamlSchema::go_yaml_v3), text) : Node::string(text, node_style(s.style));
        place(out, s.anchor, s.tag);
    }

    Result<void> sequence(std::uint32_t depth, Node& out) {
        out = Node::list();
        if (event_.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE) out.set_style(NodeStyle::flow);
        place(out, event_.data.sequence_start.anchor, event_.data.sequence_start.tag);
        for (;;) {
            TRY_VOID(next());
            if (event_.type == YAML_SEQUENCE_END_EVENT) return {};
            Node item;
            TRY_VOID(value(depth + 1, item));
            out.push_back(std::move(item));
        }
    }

    Result<void> mapping(std::uint32_t depth, Node& out) {
        out = Node::map();
        if (event_.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE) out.set_style(NodeStyle::flow);
        place(out, event_.data.mapping_start.anchor, event_.data.mapping_start.tag);
        for (;;) {
            TRY_VOID(next());
            if (event_.type == YAML_MAPPING_END_EVENT) return {};
            if (event_.type != YAML_SCALAR_EVENT) return fail(ErrorCode::invalid, "yaml: a map key must be a scalar");
            Text key(std::string_view(reinterpret_cast<const char*>(event_.data.scalar.value), event_.data.scalar.length));
            TRY_VOID(next());
            Node item;
            TRY_VOID(value(depth + 1, item));
            out.append_unchecked(std::move(key), std::move(item));
        }
    }

    YamlDocument& out_;
    std::optional<std::string> changed_; // the text, where it is not the caller's
    yaml_parser_t parser_ = {};
    yaml_event_t event_ = {};
    bool have_event_ = false;
};

class YamlDocumentWriter {
public:
    YamlDocumentWriter(const YamlDocument& document, std::string& out) : document_(document), out_(out) {
        yaml_emitter_initialize(&emitter_);
        yaml_emitter_set_output(&emitter_, append, &out_);
        yaml_emitter_set_width(&emitter_, -1);
        yaml_emitter_set_indent(&emitter_, 2);
        yaml_emitter_set_unicode(&emitter_, 1);
    }
    YamlDocumentWriter(const YamlDocumentWriter&) = delete;
    YamlDocumentWriter& operator=(const YamlDocumentWriter&) = delete;
    ~YamlDocumentWriter() { yaml_emitter_delete(&emitter_); }

    void write() {
        yaml_event_t event;
        yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
        yaml_emitter_emit(&emitter_, &event);
        yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1);
        yaml_emitter_emit(&emitter_, &event);
        node(document_.root());
        yaml_document_end_event_initialize(&event, 1);
        yaml_emitter_emit(&emitter_, &event);
        yaml_stream_end_event_initialize(&event);
        yaml_emitter_emit(&emitter_, &event);
    }

private:
    static int append(void* out, unsigned char* bytes, std::size_t size) {
        static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(bytes), size);
        return 1;
    }
    // libyaml takes what it copies as not const.
    static unsigned char* bytes_of(std::string_view s) {
        static unsigned char empty[1] = {0};
        return s.empty() ? empty : reinterpret_cast<unsigned char*>(const_cast<char*>(s.data()));
    }
    static unsigned char* bytes_or_none(const std::string& s) { return s.empty() ? nullptr : bytes_of(s); }

    void node(const Node& n) {
        yaml_event_t event;
        const YamlDocument::Mark& mark = document_.mark_of(n);
        const bool flow = n.style() == NodeStyle::flow, bare = mark.tag.empty();
        if (mark.alias) {
            const std::string name(n.text());
            yaml_alias_event_initialize(&event, bytes_of(name));
            yaml_emitter_emit(&emitter_, &event);
        } else if (n.is_map()) {
            yaml_mapping_start_event_initialize(&event, bytes_or_none(mark.anchor), bytes_or_none(mark.tag), bare, flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE);
            yaml_emitter_emit(&emitter_, &event);
            for (const Node::Entry& e : n.entries()) {
                scalar(e.key, YAML_PLAIN_SCALAR_STYLE, {.anchor = {}, .tag = e.key.view() == "<<" ? kMergeTag : "", .alias = false});
                node(e.value);
            }
            yaml_mapping_end_event_initialize(&event);
            yaml_emitter_emit(&emitter_, &event);
        } else if (n.is_list()) {
            yaml_sequence_start_event_initialize(&event, bytes_or_none(mark.anchor), bytes_or_none(mark.tag), bare, flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE);
            yaml_emitter_emit(&emitter_, &event);
            for (const Node& item : n.items()) node(item);
            yaml_sequence_end_event_initialize(&event);
            yaml_emitter_emit(&emitter_, &event);
        } else if (n.is_null()) {
            scalar(null_text(n.style()), YAML_PLAIN_SCALAR_STYLE, mark);
        } else {
            scalar(n.text(), scalar_style(n, bare), mark);
        }
    }

    static yaml_scalar_style_t scalar_style(const Node& n, bool bare) {
        switch (n.style()) {
        case NodeStyle::single_quoted: return YAML_SINGLE_QUOTED_SCALAR_STYLE;
        case NodeStyle::double_quoted: return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
        case NodeStyle::literal: return YAML_LITERAL_SCALAR_STYLE;
        case NodeStyle::folded: return YAML_FOLDED_SCALAR_STYLE;
        default: break;
        }
        if (n.is_string() && n.text().find('\n') != std::string_view::npos) return YAML_LITERAL_SCALAR_STYLE;
        if (!n.is_string() || !bare) return YAML_PLAIN_SCALAR_STYLE;
        const bool reads_back = resolve_plain(n.text(), YamlSchema::go_yaml_v3) == NodeKind::string;
        return reads_back ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    }

    void scalar(std::string_view text, yaml_scalar_style_t style, const YamlDocument::Mark& mark) {
        yaml_event_t event;
        const bool bare = mark.tag.empty();
        if (!yaml_scalar_event_initialize(&event, bytes_or_none(mark.anchor), bytes_or_none(mark.tag), bytes_of(text), static_cast<int>(text.size()), bare, bare, style)) {
            constexpr std::string_view kNotText = ""; // bytes that are no UTF-8 cannot stand in YAML
            yaml_scalar_event_initialize(&event, nullptr, nullptr, bytes_of(kNotText), 0, 1, 1, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
        }
        yaml_emitter_emit(&emitter_, &event);
    }

    const YamlDocument& document_;
    std::string& out_;
    yaml_emitter_t emitter_;
};

Result<YamlDocument> YamlDocument::read(std::string_view text) {
    constexpr std::string_view kBom = "\xEF\xBB\xBF";
    if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
    if (text.data() == nullptr) text = ""; // libyaml asserts that there is a buffer
    YamlDocument document;
    TRY_VOID(YamlDocumentReader(text, document).read());
    return document;
}

const YamlDocument::Mark& YamlDocument::mark_of(const Node& node) const { return marks_[node.file() < marks_.size() ? node.file() : 0]; }

void YamlDocument::tag(Node& scalar, std::string_view tag) {
    if (mark_of(scalar).anchor.empty()) {
        scalar.set_position(static_cast<std::uint32_t>(marks_.size()), scalar.line());
        marks_.emplace_back();
    }
    marks_[scalar.file()].tag = tag;
}

void YamlDocument::set_text(Node& scalar, std::string_view text) {
    const NodeStyle style = scalar.style();
    const std::uint32_t file = scalar.file(), line = scalar.line();
    const std::string_view was = implicit_tag(scalar);
    const bool tagged = !mark_of(scalar).tag.empty(), created = line == 0 && scalar.is_null() && style == NodeStyle::absent;
    const bool untyped = created || style == NodeStyle::untyped;
    Node look = plain_scalar(resolve_plain(text, YamlSchema::go_yaml_v3), text);
    look.set_position(file, line);
    if (tagged || (!untyped && was == YAML_STR_TAG)) {
        const bool date = !tagged && style == NodeStyle::plain && !yaml_timestamp(text).empty();
        scalar = Node::string(text, date ? NodeStyle::double_quoted : style);
    } else if (untyped || implicit_tag(look) == was) {
        scalar = std::move(look);
        if (untyped && scalar.is_scalar()) scalar.set_style(NodeStyle::untyped);
    } else {
        scalar = Node::string(text);
        scalar.set_position(file, line);
        return tag(scalar, was);
    }
    scalar.set_position(file, line);
}

void YamlDocument::set_tree(Node& place, const Node& tree) {
    place = tree;
    forget_positions(place);
}

std::string YamlDocument::write() const {
    std::string out;
    YamlDocumentWriter(*this, out).write();
    constexpr std::string_view kEnd = "\n...\n"; // libyaml's, after a block that keeps its last line breaks; go-yaml has none
    if (out.ends_with(kEnd)) out.resize(out.size() - kEnd.size() + 1);
    return out;
}

} // namespace weber::kube
