// YAML with its comments: events for the values, and what stands between them for the comments, which events do not tell.
#include <algorithm>
#include <charconv>
#include <limits>
#include <unordered_map>

#include "gitops/decrypt/stores.h"
#include "gitops/decrypt/yaml_events.h"
#include "kube/base/digest.h"
#include "kube/base/utf8.h"
#include "kube/base/yaml.h"
#include "kube/base/yaml_style.h"

namespace weber::gitops::sops {

namespace {

constexpr std::size_t kMaxDepth = 512, kMaxAliased = 250'000;
constexpr std::size_t kUsualEntries = 8; // of a map: room for them saves moving them

struct Comment {
    YamlPosition at;
    bool behind = false; // something stands before it on its line
    std::string text;    // without the first '#'
};

// ---- comments -----------------------------------------------------------------------------------------------------

// The bytes of the line break at `at`, 0 when there is none. Old Macs' and Unicode's count, as in libyaml.
std::size_t line_break(std::string_view text, std::size_t at) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("\r\n") || rest.starts_with("\xC2\x85")) return 2;
    if (rest.starts_with('\n') || rest.starts_with('\r')) return 1;
    return rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9") ? 3 : 0;
}
std::size_t line_end(std::string_view text, std::size_t at) {
    while (at < text.size() && line_break(text, at) == 0) ++at;
    return at;
}

// Every '#' outside scalars, at a line's start or behind a blank.
std::vector<Comment> comments_of(std::string_view text, const std::vector<YamlEvent>& events) {
    std::vector<std::pair<YamlPosition, YamlPosition>> scalars;
    for (const YamlEvent& e : events)
        if (e.kind == YamlEventKind::scalar && e.start < e.end) // a comment may stand behind the head of a literal
            scalars.emplace_back(e.block ? YamlPosition{e.start.line + 1, 0} : e.start, e.end);
    std::vector<Comment> out;
    std::size_t scalar = 0;
    YamlPosition at;
    bool content = false, blank_before = true;
    for (std::size_t i = 0; i < text.size();) {
        while (scalar < scalars.size() && scalars[scalar].second <= at) ++scalar;
        const bool inside = scalar < scalars.size() && scalars[scalar].first <= at;
        const char c = text[i];
        if (c == '#' && !inside && blank_before) {
            const std::size_t end = line_end(text, i);
            out.push_back({at, content, std::string(text.substr(i + 1, end - i - 1))});
            i = end;
            continue;
        }
        if (const std::size_t size = line_break(text, i); size != 0) {
            ++at.line;
            at.column = 0;
            content = false;
            blank_before = true;
            i += size;
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
    Builder(const YamlEvents& events, std::vector<Comment> comments) : events_(events.list), comments_(std::move(comments)) {}

    Result<Branches> documents() {
        Branches out;
        for (; event().kind != YamlEventKind::stream_end; ++at_) {
            if (event().kind != YamlEventKind::document_start) continue;
            ++at_;
            anchors_.clear();
            const auto bad = [](const char* what) { return fail(ErrorCode::invalid, std::string("Error unmarshaling input YAML: YAML documents that are ") + what + " are not supported"); };
            if (event().kind == YamlEventKind::list_start) return bad("sequences");
            Branch branch;
            if (event().kind == YamlEventKind::scalar) {
                Value value;
                TRY_VOID(scalar(events_[at_], value));
                if (value.kind != Kind::null) return bad("values");
            } else {
                Value root(Kind::branch);
                TRY_VOID(map_or_alias(root));
                branch = std::move(root.branch);
            }
            ++at_;
            take_until(event().kind == YamlEventKind::document_end && at_ + 1 < events_.size() ? events_[at_ + 1].start : event().start, 0, branch);
            out.push_back(std::move(branch));
        }
        return out;
    }

private:
    [[nodiscard]] const YamlEvent& event() const { return events_[at_]; }

    Result<void> map_or_alias(Value& out) {
        if (event().kind == YamlEventKind::map_start) return map(out, 1);
        TRY_VOID(alias(out));
        if (out.kind != Kind::branch) return fail(ErrorCode::invalid, "Error unmarshaling input YAML: YAML documents that are values are not supported");
        return {};
    }

    // Comments on lines of their own before `to`, at `column` or further right.
    void take_until(const YamlPosition& to, std::size_t column, Branch& out) {
        for (; next_ < comments_.size() && comments_[next_].at < to && comments_[next_].at.column >= column; ++next_)
            out.push_back({"", Value::of_comment(comments_[next_].text)});
    }
    void take_until(const YamlPosition& to, std::size_t column, std::vector<Value>& out) {
        for (; next_ < comments_.size() && comments_[next_].at < to && comments_[next_].at.column >= column; ++next_)
            out.push_back(Value::of_comment(comments_[next_].text));
    }
    // A comment behind a scalar that ended, or a literal whose head stands, at `end`.
    std::optional<Value> take_behind(const YamlPosition& end) {
        if (next_ >= comments_.size() || !comments_[next_].behind || comments_[next_].at.line != end.line) return std::nullopt;
        return Value::of_comment(comments_[next_++].text, true);
    }

    Result<void> value(std::size_t depth, Value& out) {
        if (depth > kMaxDepth) return fail(ErrorCode::too_large, "the YAML text nests too deeply");
        const YamlEvent& e = event();
        switch (e.kind) {
        case YamlEventKind::scalar:
            TRY_VOID(scalar(e, out));
            if (!e.anchor.empty()) anchors_[std::string(e.anchor)] = out;
            return {};
        case YamlEventKind::alias: return alias(out);
        case YamlEventKind::map_start: out.kind = Kind::branch; return map(out, depth);
        default: out.kind = Kind::list; return list(out, depth);
        }
    }

    Result<void> alias(Value& out) {
        const auto it = anchors_.find(std::string(event().anchor));
        if (it == anchors_.end()) return fail(ErrorCode::invalid, "yaml: unknown anchor referenced");
        expanded_ += weight(it->second);
        if (expanded_ > kMaxAliased) return fail(ErrorCode::too_large, "yaml: document contains excessive aliasing");
        out = it->second;
        return {};
    }

    static std::size_t weight(const Value& v) {
        std::size_t n = 1;
        for (const Item& item : v.branch) n += weight(item.value);
        for (const Value& item : v.list) n += weight(item);
        return n;
    }

    Result<void> map(Value& out, std::size_t depth) {
        const std::string anchor(event().anchor);
        const bool flow = event().flow;
        std::size_t column = event().start.column;
        out.branch.reserve(kUsualEntries);
        ++at_;
        for (bool first = true; event().kind != YamlEventKind::map_end; ++at_, first = false) {
            const YamlEvent& key = events_[at_];
            if (first) column = key.start.column;
            take_until(key.start, 0, out.branch);
            if (key.kind != YamlEventKind::scalar) return fail(ErrorCode::invalid, "Tree contains a non-string key (line " + std::to_string(key.start.line + 1) + "). Only string keys are supported");
            Value name;
            TRY_VOID(scalar(key, name));
            if (name.kind != Kind::text && name.kind != Kind::time)
                return fail(ErrorCode::invalid, "Tree contains a non-string key (type " + std::string(type_word(name.kind)) + "): " + std::string(key.text) + ". Only string keys are supported");
            for (const Item& item : out.branch)
                if (!item.is_comment() && item.key == name.text)
                    return fail(ErrorCode::invalid, "yaml: line " + std::to_string(key.start.line + 1) + ": mapping key \"" + name.text + "\" already defined");
            ++at_;
            TRY_VOID(entry(std::move(name.text), key, out.branch, depth));
        }
        take_until(event().start, flow ? 0 : column, out.branch);
        if (!anchor.empty()) anchors_[anchor] = out;
        return {};
    }

    // The value of a key, with the comment behind it.
    Result<void> entry(std::string name, const YamlEvent& key, Branch& out, std::size_t depth) {
        const bool collection = event().kind == YamlEventKind::map_start || event().kind == YamlEventKind::list_start;
        const bool flow = event().flow;
        if (collection && !flow)
            if (auto behind = take_behind(key.end)) out.push_back({"", Value::of_comment(std::move(behind->text))});
        const YamlPosition block_head = event().start;
        const bool block = event().block;
        const std::size_t slot = out.size();
        out.push_back({std::move(name), Value()});
        TRY_VOID(value(depth + 1, out[slot].value));
        Value& v = out[slot].value;
        auto behind = collection && !flow ? std::nullopt : take_behind(block ? block_head : event().end);
        // As in sops: what stands behind [a, b] goes before its first entry, what stands behind [] into it.
        if (behind && v.kind == Kind::list) v.list.insert(v.list.begin(), Value::of_comment(std::move(behind->text)));
        else if (behind && v.kind == Kind::branch) v.branch.insert(v.branch.begin(), {"", Value::of_comment(std::move(behind->text))});
        else if (behind) out.insert(out.begin() + static_cast<std::ptrdiff_t>(slot), {"", std::move(*behind)});
        return {};
    }

    Result<void> list(Value& out, std::size_t depth) {
        const std::string anchor(event().anchor);
        const bool flow = event().flow;
        const std::size_t column = event().start.column;
        ++at_;
        for (; event().kind != YamlEventKind::list_end; ++at_) {
            take_until(event().start, 0, out.list);
            const bool one_line = event().kind == YamlEventKind::scalar || event().kind == YamlEventKind::alias || event().flow;
            const YamlPosition block_head = event().start;
            const bool block = event().block;
            const std::size_t slot = out.list.size();
            TRY_VOID(value(depth + 1, out.list.emplace_back()));
            if (!one_line) continue;
            if (auto behind = take_behind(block ? block_head : event().end)) out.list.insert(out.list.begin() + static_cast<std::ptrdiff_t>(slot), std::move(*behind));
        }
        take_until(event().start, flow ? 0 : column + (column > 0 ? 0 : 1), out.list);
        if (!anchor.empty()) anchors_[anchor] = out;
        return {};
    }

    // An integer beyond the signed ones: SOPS has no type for it.
    static bool is_unsigned_only(std::string_view text) {
        std::uint64_t n = 0;
        if (text.starts_with('+')) text.remove_prefix(1);
        const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), n);
        return error == std::errc() && stop == text.data() + text.size();
    }

    // `.inf`, `-.Inf`, `.NAN`…
    static double special(std::string_view text) {
        if (text.find_first_of("aA") != std::string_view::npos) return std::numeric_limits<double>::quiet_NaN();
        return text.starts_with('-') ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    }

    static Result<void> scalar(const YamlEvent& e, Value& out) {
        const auto take = [&out](Value value) -> Result<void> {
            out = std::move(value);
            return {};
        };
        const auto take_text = [&] -> Result<void> {
            out.kind = Kind::text;
            out.text = e.text;
            return {};
        };
        if (e.tag == "tag:yaml.org,2002:binary") {
            auto bytes = kube::base64_decode(e.text);
            if (!bytes) return fail(ErrorCode::invalid, "yaml: line " + std::to_string(e.start.line + 1) + ": !!binary value contains invalid base64 data");
            return take(Value::of_text(std::move(*bytes)));
        }
        const bool other_tag = e.tag == "tag:yaml.org,2002:int" || e.tag == "tag:yaml.org,2002:float" || e.tag == "tag:yaml.org,2002:bool";
        const bool typed = other_tag || (e.plain && (e.tag.empty() || e.tag == "tag:yaml.org,2002:null" || e.tag == "tag:yaml.org,2002:timestamp")); // others are texts
        if (!typed) return take_text();
        if (std::string time = kube::yaml_timestamp(e.text); !time.empty()) return take(Value(Kind::time, std::move(time)));
        const NodeKind kind = kube::resolve_plain(e.text, kube::YamlSchema::go_yaml_v3);
        if (kind == NodeKind::null) return take(Value{});
        if (kind == NodeKind::boolean) return take(Value::of_boolean(e.text[0] == 't' || e.text[0] == 'T'));
        if (kind == NodeKind::string) return take_text();
        const Node number = Node::scalar(kind, kube::Text(e.text));
        if (const auto n = number.as_int(); n && kind == NodeKind::integer && e.tag != "tag:yaml.org,2002:float") return take(Value::of_integer(*n));
        if (e.tag != "tag:yaml.org,2002:float" && is_unsigned_only(e.text))
            return fail(ErrorCode::invalid, "yaml: line " + std::to_string(e.start.line + 1) + ": Cannot walk value, unknown type: uint64"); // what sops says
        if (kind == NodeKind::floating && e.text.size() <= 5 && e.text.find_first_of("iInN") != std::string_view::npos) return take(Value::of_floating(special(e.text)));
        return take(Value::of_floating(number.as_double().value_or(0)));
    }

    const std::vector<YamlEvent>& events_;
    std::vector<Comment> comments_;
    std::size_t at_ = 0, next_ = 0, expanded_ = 0;
    std::unordered_map<std::string, Value> anchors_;
};

} // namespace

Result<Branches> load_yaml(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (const auto events = simple_yaml_events(text)) return Builder(*events, {}).documents();
    TRY(const YamlEvents events, yaml_events(text));
    std::vector<Comment> comments = text.find('#') == std::string_view::npos ? std::vector<Comment>() : comments_of(text, events.list);
    return Builder(events, std::move(comments)).documents();
}

} // namespace weber::gitops::sops
