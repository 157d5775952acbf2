// YAML with its comments: libyaml's events for the values, and what stands between them for the comments, which libyaml drops.
#include <yaml.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "gitops/decrypt/stores.h"
#include "kube/base/digest.h"
#include "kube/base/utf8.h"
#include "kube/base/yaml.h"
#include "kube/base/yaml_style.h"

namespace weber::gitops::sops {

namespace {

constexpr std::size_t kMaxDepth = 512, kMaxNodes = 1'000'000;

struct Position {
    std::size_t line = 0, column = 0; // from 0; columns count characters
    auto operator<=>(const Position&) const = default;
};
Position position_of(const yaml_mark_t& mark) { return {mark.line, mark.column}; }

struct Comment {
    Position at;
    bool behind = false; // something stands before it on its line
    std::string text;    // without the first '#'
};

struct Event {
    yaml_event_type_t type = YAML_NO_EVENT;
    Position start, end;
    std::string text = {}, tag = {}, anchor = {};
    bool plain = false;
};

std::string text_of(const yaml_char_t* s) { return s != nullptr ? std::string(reinterpret_cast<const char*>(s)) : std::string(); }

// ---- events -------------------------------------------------------------------------------------------------------

Event event_of(const yaml_event_t& e) {
    Event out{.type = e.type, .start = position_of(e.start_mark), .end = position_of(e.end_mark)};
    if (e.type == YAML_SCALAR_EVENT) {
        out.text.assign(reinterpret_cast<const char*>(e.data.scalar.value), e.data.scalar.length);
        out.tag = text_of(e.data.scalar.tag);
        out.anchor = text_of(e.data.scalar.anchor);
        out.plain = e.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    } else if (e.type == YAML_ALIAS_EVENT) {
        out.anchor = text_of(e.data.alias.anchor);
    } else if (e.type == YAML_MAPPING_START_EVENT) {
        out.anchor = text_of(e.data.mapping_start.anchor);
    } else if (e.type == YAML_SEQUENCE_START_EVENT) {
        out.anchor = text_of(e.data.sequence_start.anchor);
    }
    return out;
}

Result<std::vector<Event>> events_of(std::string_view text) {
    yaml_parser_t parser;
    yaml_parser_initialize(&parser);
    const std::unique_ptr<yaml_parser_t, void (*)(yaml_parser_t*)> owner(&parser, yaml_parser_delete);
    if (text.empty()) text = std::string_view("", 0);
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    std::vector<Event> out;
    out.reserve(64);
    for (yaml_event_t event; out.size() < kMaxNodes;) {
        if (yaml_parser_parse(&parser, &event) != 1) {
            const std::size_t line = (parser.problem_mark.line != 0 ? parser.problem_mark.line : parser.context_mark.line) + 1;
            return fail(ErrorCode::invalid, "yaml: line " + std::to_string(line) + ": " + (parser.problem != nullptr ? parser.problem : "unknown problem parsing YAML content"));
        }
        out.push_back(event_of(event));
        yaml_event_delete(&event);
        if (out.back().type == YAML_STREAM_END_EVENT) return out;
    }
    return fail(ErrorCode::too_large, "the YAML text has too many nodes");
}

// ---- comments -----------------------------------------------------------------------------------------------------

// Every '#' outside scalars, at a line's start or behind a blank.
std::vector<Comment> comments_of(std::string_view text, const std::vector<Event>& events) {
    std::vector<std::pair<Position, Position>> scalars;
    for (const Event& e : events)
        if (e.type == YAML_SCALAR_EVENT && e.start < e.end) scalars.emplace_back(e.start, e.end);
    std::vector<Comment> out;
    std::size_t scalar = 0;
    Position at;
    bool content = false, blank_before = true;
    for (std::size_t i = 0; i < text.size();) {
        while (scalar < scalars.size() && scalars[scalar].second <= at) ++scalar;
        const bool inside = scalar < scalars.size() && scalars[scalar].first <= at;
        const char c = text[i];
        if (c == '#' && !inside && blank_before) {
            const std::size_t end = std::min(text.find('\n', i), text.size());
            std::string_view line = text.substr(i + 1, end - i - 1);
            if (line.ends_with('\r')) line.remove_suffix(1);
            out.push_back({at, content, std::string(line)});
            i = end;
            continue;
        }
        if (c == '\n') {
            ++at.line;
            at.column = 0;
            content = false;
            blank_before = true;
            ++i;
            continue;
        }
        blank_before = c == ' ' || c == '\t';
        content = content || !blank_before;
        ++at.column;
        i += kube::decode_utf8(text, i).bytes;
    }
    return out;
}

// ---- the tree -----------------------------------------------------------------------------------------------------

class Builder {
public:
    Builder(std::vector<Event> events, std::vector<Comment> comments) : events_(std::move(events)), comments_(std::move(comments)) {}

    Result<Branches> documents() {
        Branches out;
        for (; event().type != YAML_STREAM_END_EVENT; ++at_) {
            if (event().type != YAML_DOCUMENT_START_EVENT) continue;
            ++at_;
            anchors_.clear();
            const auto bad = [](const char* what) { return fail(ErrorCode::invalid, std::string("Error unmarshaling input YAML: YAML documents that are ") + what + " are not supported"); };
            if (event().type == YAML_SEQUENCE_START_EVENT) return bad("sequences");
            Branch branch;
            if (event().type == YAML_SCALAR_EVENT) {
                TRY(const Value value, scalar(event()));
                if (value.kind != Kind::null) return bad("values");
            } else {
                Value root{.kind = Kind::branch};
                TRY_VOID(map_or_alias(root));
                branch = std::move(root.branch);
            }
            ++at_;
            take_until(event().type == YAML_DOCUMENT_END_EVENT && at_ + 1 < events_.size() ? events_[at_ + 1].start : event().start, 0, branch);
            out.push_back(std::move(branch));
        }
        return out;
    }

private:
    [[nodiscard]] const Event& event() const { return events_[at_]; }

    Result<void> map_or_alias(Value& out) {
        if (event().type == YAML_MAPPING_START_EVENT) return map(out, 1);
        TRY(out, alias());
        if (out.kind != Kind::branch) return fail(ErrorCode::invalid, "Error unmarshaling input YAML: YAML documents that are values are not supported");
        return {};
    }

    // Comments on lines of their own before `to`, at `column` or further right.
    void take_until(const Position& to, std::size_t column, Branch& out) {
        for (; next_ < comments_.size() && comments_[next_].at < to && comments_[next_].at.column >= column; ++next_)
            out.push_back({"", Value::of_comment(comments_[next_].text)});
    }
    void take_until(const Position& to, std::size_t column, std::vector<Value>& out) {
        for (; next_ < comments_.size() && comments_[next_].at < to && comments_[next_].at.column >= column; ++next_)
            out.push_back(Value::of_comment(comments_[next_].text));
    }
    // A comment behind a scalar that ended on `line`.
    std::optional<Value> take_behind(std::size_t line) {
        if (next_ >= comments_.size() || !comments_[next_].behind || comments_[next_].at.line != line) return std::nullopt;
        return Value::of_comment(comments_[next_++].text, true);
    }

    Result<Value> value(std::size_t depth) {
        if (depth > kMaxDepth) return fail(ErrorCode::too_large, "the YAML text nests too deeply");
        const Event& e = event();
        switch (e.type) {
        case YAML_SCALAR_EVENT: {
            TRY(Value v, scalar(e));
            if (!e.anchor.empty()) anchors_[e.anchor] = v;
            return v;
        }
        case YAML_ALIAS_EVENT: return alias();
        case YAML_MAPPING_START_EVENT: {
            Value v{.kind = Kind::branch};
            TRY_VOID(map(v, depth));
            return v;
        }
        default: {
            Value v{.kind = Kind::list};
            TRY_VOID(list(v, depth));
            return v;
        }
        }
    }

    Result<Value> alias() {
        const auto it = anchors_.find(event().anchor);
        if (it == anchors_.end()) return fail(ErrorCode::invalid, "yaml: unknown anchor referenced");
        expanded_ += weight(it->second);
        if (expanded_ > kMaxNodes / 4) return fail(ErrorCode::too_large, "yaml: document contains excessive aliasing");
        return it->second;
    }

    static std::size_t weight(const Value& v) {
        std::size_t n = 1;
        for (const Item& item : v.branch) n += weight(item.value);
        for (const Value& item : v.list) n += weight(item);
        return n;
    }

    Result<void> map(Value& out, std::size_t depth) {
        const std::string anchor = event().anchor;
        std::size_t column = event().start.column;
        ++at_;
        for (bool first = true; event().type != YAML_MAPPING_END_EVENT; ++at_, first = false) {
            const Event& key = event();
            if (first) column = key.start.column;
            take_until(key.start, 0, out.branch);
            if (key.type != YAML_SCALAR_EVENT) return fail(ErrorCode::invalid, "Tree contains a non-string key (line " + std::to_string(key.start.line + 1) + "). Only string keys are supported");
            TRY(const Value name, scalar(key));
            if (name.kind != Kind::text && name.kind != Kind::time)
                return fail(ErrorCode::invalid, "Tree contains a non-string key (type " + std::string(type_word(name.kind)) + "): " + key.text + ". Only string keys are supported");
            for (const Item& item : out.branch)
                if (!item.is_comment() && item.key == name.text)
                    return fail(ErrorCode::invalid, "yaml: line " + std::to_string(key.start.line + 1) + ": mapping key \"" + name.text + "\" already defined");
            ++at_;
            TRY_VOID(entry(name.text, key, out.branch, depth));
        }
        take_until(event().start, column, out.branch);
        if (!anchor.empty()) anchors_[anchor] = out;
        return {};
    }

    // The value of a key, with the comment behind it.
    Result<void> entry(const std::string& name, const Event& key, Branch& out, std::size_t depth) {
        const bool collection = event().type == YAML_MAPPING_START_EVENT || event().type == YAML_SEQUENCE_START_EVENT;
        if (collection)
            if (auto behind = take_behind(key.end.line)) out.push_back({"", Value::of_comment(std::move(behind->text))});
        const std::size_t slot = out.size();
        TRY(Value v, value(depth + 1));
        out.push_back({name, std::move(v)});
        if (!collection)
            if (auto behind = take_behind(event().end.line)) out.insert(out.begin() + static_cast<std::ptrdiff_t>(slot), {"", std::move(*behind)});
        return {};
    }

    Result<void> list(Value& out, std::size_t depth) {
        const std::string anchor = event().anchor;
        const std::size_t column = event().start.column;
        ++at_;
        for (; event().type != YAML_SEQUENCE_END_EVENT; ++at_) {
            take_until(event().start, 0, out.list);
            const bool scalar_item = event().type == YAML_SCALAR_EVENT || event().type == YAML_ALIAS_EVENT;
            const std::size_t slot = out.list.size();
            TRY(Value v, value(depth + 1));
            out.list.push_back(std::move(v));
            if (!scalar_item) continue;
            if (auto behind = take_behind(event().end.line)) out.list.insert(out.list.begin() + static_cast<std::ptrdiff_t>(slot), std::move(*behind));
        }
        take_until(event().start, column + (column > 0 ? 0 : 1), out.list);
        if (!anchor.empty()) anchors_[anchor] = out;
        return {};
    }

    static Result<Value> scalar(const Event& e) {
        if (e.tag == "tag:yaml.org,2002:binary") {
            auto bytes = kube::base64_decode(e.text);
            if (!bytes) return fail(ErrorCode::invalid, "yaml: line " + std::to_string(e.start.line + 1) + ": !!binary value contains invalid base64 data");
            return Value::of_text(std::move(*bytes));
        }
        const bool typed = e.plain && (e.tag.empty() || e.tag.starts_with("tag:yaml.org,2002:")) && e.tag != "tag:yaml.org,2002:str";
        if (!typed) return Value::of_text(e.text);
        if (std::string time = kube::yaml_timestamp(e.text); !time.empty()) return Value{.kind = Kind::time, .text = std::move(time)};
        const NodeKind kind = kube::resolve_plain(e.text, kube::YamlSchema::go_yaml_v3);
        if (kind == NodeKind::null) return Value{};
        if (kind == NodeKind::boolean) return Value::of_boolean(e.text[0] == 't' || e.text[0] == 'T');
        if (kind == NodeKind::string) return Value::of_text(e.text);
        const Node number = Node::scalar(kind, kube::Text(e.text));
        if (const auto n = number.as_int(); n && kind == NodeKind::integer && e.tag != "tag:yaml.org,2002:float") return Value::of_integer(*n);
        return Value::of_floating(number.as_double().value_or(0));
    }

    std::vector<Event> events_;
    std::vector<Comment> comments_;
    std::size_t at_ = 0, next_ = 0, expanded_ = 0;
    std::unordered_map<std::string, Value> anchors_;
};

} // namespace

Result<Branches> load_yaml(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    TRY(std::vector<Event> events, events_of(text));
    std::vector<Comment> comments = text.find('#') == std::string_view::npos ? std::vector<Comment>() : comments_of(text, events);
    return Builder(std::move(events), std::move(comments)).documents();
}

} // namespace weber::gitops::sops
