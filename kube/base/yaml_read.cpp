#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>

#include "kube/base/digest.h"
#include "kube/base/text_pool.h"
#include "kube/base/utf8.h"
#include "kube/base/yaml.h"
#include "kube/base/yaml_escapes.h"
#include "kube/base/yaml_events.h"
#include "kube/base/yaml_keys.h"
#include "kube/base/yaml_plain.h"
#include "kube/base/yaml_style.h"

namespace weber::kube {

namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

struct Anchor {
    Node node;
    std::uint32_t weight = 1; // nodes in the tree
    bool open = true;         // still being read: an alias to it would be a cycle
};

class Reader {
public:
    Reader(std::string_view text, const YamlReadOptions& options, bool typed_keys = false)
        : options_(options), file_(intern_file(options.file)), typed_keys_(typed_keys) {
        yaml_parser_initialize(&parser_);
        if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
        if (changed_ = escapes_for_libyaml(text); changed_) text = *changed_;
        if (text.data() == nullptr) text = ""; // libyaml asserts that there is a buffer
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    }
    ~Reader() {
        if (have_event_) yaml_event_delete(&event_);
        yaml_parser_delete(&parser_);
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    Result<std::vector<Node>> documents() {
        std::vector<Node> out;
        for (;;) {
            TRY_VOID(next());
            if (event_.type == YAML_STREAM_END_EVENT) return out;
            if (event_.type != YAML_DOCUMENT_START_EVENT) continue; // stream start, document end
            if (out.size() >= options_.limits.documents) return too_large("more than {} documents", options_.limits.documents);
            anchors_.clear();
            TRY_VOID(next());
            std::uint32_t weight = 0;
            TRY(Node node, value(0, weight));
            out.push_back(std::move(node));
        }
    }

    [[nodiscard]] std::uint64_t expanded() const { return expanded_; }

private:
    [[nodiscard]] Where here() const { return {std::string(options_.file), line(), 0}; }
    [[nodiscard]] std::uint32_t line() const { return static_cast<std::uint32_t>(event_.start_mark.line) + options_.first_line; }
    // As messages count.
    [[nodiscard]] std::string in_text(std::uint32_t line) const { return std::to_string(line + 1 - options_.first_line); }

    std::unexpected<Error> too_large(std::string text, std::uint64_t limit) const {
        if (const auto at = text.find("{}"); at != std::string::npos) text.replace(at, 2, std::to_string(limit));
        return fail(ErrorCode::too_large, "YAML has " + text, here());
    }
    [[nodiscard]] std::unexpected<Error> bad(std::string message) const {
        return fail(ErrorCode::invalid, "yaml: line " + in_text(line()) + ": " + std::move(message), here());
    }

    Result<void> next() {
        if (have_event_) yaml_event_delete(&event_);
        have_event_ = false;
        if (yaml_parser_parse(&parser_, &event_) != 1) return yaml_syntax_error(parser_, options_.file, options_.first_line);
        have_event_ = true;
        return {};
    }

    // The value that the current event starts; on return the current event is its last one. Adds its node count to `weight`.
    Result<Node> value(std::uint32_t depth, std::uint32_t& weight) {
        if (depth > options_.limits.depth) return too_large("more than {} nested levels", options_.limits.depth);
        if (++made_ > options_.limits.nodes) return too_large("more than {} nodes", options_.limits.nodes);
        ++weight;
        switch (event_.type) {
        case YAML_SCALAR_EVENT: return scalar();
        case YAML_SEQUENCE_START_EVENT: return sequence(depth, weight);
        case YAML_MAPPING_START_EVENT: return mapping(depth, weight);
        case YAML_ALIAS_EVENT: return alias(weight);
        default: return bad("unexpected content");
        }
    }

    Result<Node> alias(std::uint32_t& weight) {
        const std::string name(reinterpret_cast<const char*>(event_.data.alias.anchor));
        const auto it = anchors_.find(name);
        if (it == anchors_.end()) return fail(ErrorCode::invalid, "yaml: unknown anchor '" + name + "' referenced", here());
        if (it->second.open) return fail(ErrorCode::invalid, "yaml: anchor '" + name + "' value contains itself", here());
        expanded_ += it->second.weight;
        if (expanded_ > options_.limits.alias_expansion)
            return too_large("aliases that stand for more than {} nodes (document contains excessive aliasing)",
                             options_.limits.alias_expansion);
        weight += it->second.weight;
        return it->second.node;
    }

    void open_anchor(const std::string& name) {
        if (!name.empty()) anchors_[name] = Anchor{};
    }
    void close_anchor(const std::string& name, const Node& node, std::uint32_t weight) {
        if (!name.empty()) anchors_[name] = Anchor{node, weight, false};
    }

    Result<Node> scalar() {
        const auto& s = event_.data.scalar;
        const std::string_view text(reinterpret_cast<const char*>(s.value), s.length);
        TRY(const NodeKind kind, scalar_kind(text));
        Node node;
        if (kind == NodeKind::boolean) node = boolean_as_written(text, options_.schema);
        else if (std::string value; kind == NodeKind::string && decoded_binary(text, value)) node = Node::string(value);
        else if (kind != NodeKind::null) node = Node::scalar(kind, pool_.get(text), node_style(s.style));
        else node.set_style(null_style(text));
        node.set_position(file_, line());
        if (s.anchor != nullptr) close_anchor(text_of(s.anchor), node, 1);
        return node;
    }

    // go-yaml v3 decodes !!binary; bytes that are no text become U+FFFD on the way through JSON.
    bool decoded_binary(std::string_view text, std::string& value) const {
        const auto& s = event_.data.scalar;
        if (s.tag == nullptr || options_.schema != YamlSchema::go_yaml_v3) return false;
        if (std::string_view(reinterpret_cast<const char*>(s.tag)) != "tag:yaml.org,2002:binary") return false;
        auto bytes = base64_decode(text);
        if (bytes) value = valid_utf8(std::move(*bytes));
        return bytes.has_value();
    }

    // Type by tag, else by quotes, else by the look of the plain text.
    Result<NodeKind> scalar_kind(std::string_view text) const {
        const auto& s = event_.data.scalar;
        if (s.tag == nullptr) return s.style == YAML_PLAIN_SCALAR_STYLE ? resolve_plain(text, options_.schema) : NodeKind::string;
        const std::string_view tag(reinterpret_cast<const char*>(s.tag));
        if (tag == "!" || tag == YAML_STR_TAG || tag == "tag:yaml.org,2002:binary" || tag == YAML_TIMESTAMP_TAG) return NodeKind::string;
        const NodeKind plain = resolve_plain(text, options_.schema);
        const bool known = tag == YAML_INT_TAG || tag == YAML_FLOAT_TAG || tag == YAML_BOOL_TAG || tag == YAML_NULL_TAG;
        if (!known) return NodeKind::string; // as it stands
        if (tag == YAML_FLOAT_TAG && plain == NodeKind::integer) return NodeKind::floating;
        if ((tag == YAML_INT_TAG && plain == NodeKind::integer) || (tag == YAML_FLOAT_TAG && plain == NodeKind::floating) ||
            (tag == YAML_BOOL_TAG && plain == NodeKind::boolean) || (tag == YAML_NULL_TAG && plain == NodeKind::null))
            return plain;
        return bad("cannot decode a scalar as a !!" + std::string(tag.substr(tag.rfind(':') + 1)));
    }

    Result<Node> sequence(std::uint32_t depth, std::uint32_t& weight) {
        Node list = Node::list();
        list.set_position(file_, line());
        if (event_.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE) list.set_style(NodeStyle::flow);
        const std::string anchor = text_of(event_.data.sequence_start.anchor);
        open_anchor(anchor);
        const std::uint32_t before = weight;
        for (;;) {
            TRY_VOID(next());
            if (event_.type == YAML_SEQUENCE_END_EVENT) break;
            TRY(Node item, value(depth + 1, weight));
            list.push_back(std::move(item));
        }
        close_anchor(anchor, list, weight - before + 1);
        return list;
    }

    Result<Node> mapping(std::uint32_t depth, std::uint32_t& weight) {
        Node map = Node::map();
        map.set_position(file_, line());
        if (event_.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE) map.set_style(NodeStyle::flow);
        const std::string anchor = text_of(event_.data.mapping_start.anchor);
        open_anchor(anchor);
        const std::uint32_t before = weight;
        Node merged; // of `<<`
        for (;;) {
            TRY_VOID(next());
            if (event_.type == YAML_MAPPING_END_EVENT) break;
            const std::uint32_t key_line = line();
            bool merge = false;
            TRY(Text key, map_key(merge));
            TRY_VOID(next());
            const std::uint32_t item_line = line();
            TRY(Node item, value(depth + 1, weight));
            if (merge) {
                TRY_VOID(merge_in(merged, item, weight));
                continue;
            }
            if (map.find(key) == nullptr) {
                map.append_unchecked(std::move(key), std::move(item));
            } else if (options_.unique_keys) {
                return fail(ErrorCode::invalid,
                            "yaml: line " + in_text(key_line) + ": mapping key \"" + key.str() + "\" already defined",
                            {std::string(options_.file), key_line, 0});
            } else {
                if (options_.repeated != nullptr) options_.repeated->push_back("line " + in_text(item_line) + ": key \"" + key.str() + "\" already set in map");
                map.set(key, std::move(item)); // the last one wins
            }
        }
        for (const auto& [key, item] : merged.entries())
            if (map.find(key) == nullptr) map.append_unchecked(key, item);
        close_anchor(anchor, map, weight - before + 1);
        return map;
    }

    Result<Text> map_key(bool& merge) {
        if (event_.type == YAML_ALIAS_EVENT) {
            std::uint32_t weight = 0;
            TRY(Node key, alias(weight));
            if (!key.is_scalar()) return bad("a map key must be a scalar");
            return key.shared_text();
        }
        if (event_.type != YAML_SCALAR_EVENT) return bad("a map key must be a scalar (is a template {{ }} or an unquoted brace left in the file?)");
        const auto& s = event_.data.scalar;
        const std::string_view text(reinterpret_cast<const char*>(s.value), s.length);
        merge = text == "<<" && s.style == YAML_PLAIN_SCALAR_STYLE && (s.tag == nullptr || std::string_view(reinterpret_cast<const char*>(s.tag)) == "tag:yaml.org,2002:merge");
        if (s.anchor != nullptr) close_anchor(text_of(s.anchor), Node::string(text), 1);
        const bool may_be_boolean = s.tag == nullptr || std::string_view(reinterpret_cast<const char*>(s.tag)) == YAML_BOOL_TAG;
        if (options_.schema == YamlSchema::yaml_1_1 && s.style == YAML_PLAIN_SCALAR_STYLE && may_be_boolean && resolve_plain(text, options_.schema) == NodeKind::boolean)
            return pool_.get(plain_truth(text) ? "true" : "false");
        if (typed_keys_ && s.style == YAML_PLAIN_SCALAR_STYLE && s.tag == nullptr) return typed_key(text);
        return pool_.get(text);
    }

    // As sigs.k8s.io/yaml, which shows the value of a key that is none; it may be secret.
    Result<Text> typed_key(std::string_view text) {
        const NodeKind kind = resolve_plain(text, options_.schema);
        if (kind == NodeKind::null) return fail(ErrorCode::invalid, "unsupported map key of type: %!s(<nil>), key: <nil>, value: <redacted>", here());
        if (kind != NodeKind::integer && kind != NodeKind::floating) return pool_.get(text);
        TRY(const std::string number, yaml_number_key(text, kind));
        return pool_.get(number);
    }

    // Earlier merges win over later ones; explicit keys win over all (done by the caller).
    Result<void> merge_in(Node& merged, const Node& from, std::uint32_t& weight) {
        if (from.is_list()) {
            for (const Node& item : from.items()) {
                if (!item.is_map()) return bad("map merge requires map or sequence of maps as the value");
                TRY_VOID(merge_in(merged, item, weight));
            }
            return {};
        }
        if (!from.is_map()) return bad("map merge requires map or sequence of maps as the value");
        for (const auto& [key, item] : from.entries())
            if (merged.find(key) == nullptr) merged.set(key, item);
        return {};
    }

    const YamlReadOptions& options_;
    std::uint32_t file_;
    bool typed_keys_;
    yaml_parser_t parser_ = {};
    yaml_event_t event_ = {};
    bool have_event_ = false;
    std::uint64_t made_ = 0;
    std::optional<std::string> changed_; // the text, where it is not the caller's
    std::uint64_t expanded_ = 0;
    std::unordered_map<std::string, Anchor> anchors_;
    TextPool<> pool_;
};

} // namespace

Result<std::vector<Node>> read_yaml(std::string_view text, const YamlReadOptions& options) {
    if (text.size() > options.limits.bytes)
        return fail(ErrorCode::too_large, "YAML text of " + std::to_string(text.size()) + " bytes exceeds the limit of " + std::to_string(options.limits.bytes),
                    {std::string(options.file), 0, 0});
    if (auto documents = read_plain_yaml(text, options)) return std::move(*documents);
    return read_any_yaml(text, options);
}

Result<std::vector<Node>> read_any_yaml(std::string_view text, const YamlReadOptions& options, std::uint64_t* expanded) {
    Reader reader(text, options);
    auto documents = reader.documents();
    if (expanded != nullptr) *expanded = reader.expanded();
    return documents;
}

namespace {
// Whether a key of the quick way, which knows plain ones only, is anything but a text.
bool has_typed_key(const Node& node, YamlSchema schema) {
    if (node.is_map())
        return std::ranges::any_of(node.entries(), [&](const auto& e) { return resolve_plain(e.key.view(), schema) != NodeKind::string || has_typed_key(e.value, schema); });
    return node.is_list() && std::ranges::any_of(node.items(), [&](const Node& item) { return has_typed_key(item, schema); });
}
} // namespace

Result<std::vector<Node>> read_yaml_with_typed_keys(std::string_view text, const YamlReadOptions& options) {
    if (text.size() <= options.limits.bytes)
        if (auto documents = read_plain_yaml(text, options))
            if (std::ranges::none_of(*documents, [&](const Node& d) { return has_typed_key(d, options.schema); })) return std::move(*documents);
    return Reader(text, options, true).documents();
}

Result<Node> read_yaml_one(std::string_view text, const YamlReadOptions& options) {
    TRY(std::vector<Node> documents, read_yaml(text, options));
    if (documents.empty()) return Node();
    if (documents.size() > 1)
        return fail(ErrorCode::invalid, "expected one YAML document, found " + std::to_string(documents.size()), documents[1].where());
    return std::move(documents.front());
}

} // namespace weber::kube
