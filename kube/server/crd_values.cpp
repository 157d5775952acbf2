#include "kube/server/crd_values.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "kube/base/ascii.h"
#include "kube/base/json.h"
#include "kube/base/number.h"
#include "kube/server/crd_formats.h"
#include "kube/server/validate_rules.h"

namespace weber::kube::server {
namespace {

bool flag(const Node& schema, std::string_view key) { return child(schema, key).as_bool(); }

bool nullable(const Node& schema) { return flag(schema, "nullable"); }

const Node* schema_of(const Node& schema, std::string_view key) {
    if (const Node* p = child(schema, "properties").find(key)) return p;
    const Node* more = schema.find("additionalProperties");
    return more && more->is_map() ? more : nullptr;
}

// Patterns are those of a definition, so there are few; a compiled one is kept.
std::shared_ptr<const re2::RE2> pattern(std::string_view text) {
    static std::mutex mutex; // guards patterns
    static std::map<std::string, std::shared_ptr<const re2::RE2>, std::less<>> patterns;
    constexpr std::size_t kMost = 4096;
    const std::lock_guard lock(mutex);
    if (const auto it = patterns.find(text); it != patterns.end()) return it->second;
    if (patterns.size() >= kMost) patterns.clear();
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
    patterns.emplace(text, compiled);
    return compiled;
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class Checker {
public:
    Problems problems;
    bool of_default = false; // a default's own name is empty, and told all the same

    void check(const Node& v, const Node& s, const std::string& path) {
        if (v.is_null() && nullable(s)) return;
        check_type(v, s, path);
        check_combined(v, s, path);
        if (v.is_string()) check_text(v.text(), s, path);
        if (v.is_number()) check_range(v, s, path), check_number(v, s, path);
        if (v.is_list()) check_list(v, s, path);
        if (const Node* options = s.find("enum")) check_enum(v, *options, path);
        if (v.is_map()) check_map(v, s, path);
    }

private:
    [[nodiscard]] std::string in_body(const std::string& path) const { return path.empty() ? (of_default ? " in body" : "") : path + " in body"; }
    void wrong(const std::string& path, const Node& value, const std::string& why) { problems.invalid(path, value, in_body(path) + " " + why); }

    static std::string_view type_of(const Node& v) {
        if (v.is_number()) return v.is_integer() || v.as_int() ? "integer" : "number";
        return v.kind_word();
    }

    void check_type(const Node& v, const Node& s, const std::string& path) {
        if (flag(s, "x-kubernetes-int-or-string")) {
            if (!v.is_string() && !v.as_int()) mismatch(v, path, "integer,string");
            return;
        }
        const auto want = s.text_at("type");
        if (want.empty()) return;
        const auto is = type_of(v);
        if (is != want && !(want == "number" && is == "integer")) mismatch(v, path, want);
    }

    void mismatch(const Node& v, const std::string& path, std::string_view want) {
        const std::string is(type_of(v));
        problems.list.push_back({"FieldValueTypeInvalid",
                                 "Invalid value: \"" + is + "\": " + in_body(path) + " must be of type " + std::string(want) + ": \"" + is + "\"", path});
    }

    // Of length and pattern only the first that is wrong is told.
    void check_length(std::string_view text, const Node& s, const std::string& path) {
        const std::size_t n = characters(text);
        if (const auto most = child(s, "maxLength").as_int(); most && n > static_cast<std::size_t>(*most))
            return problems.too_long(path, static_cast<std::size_t>(*most));
        if (const auto least = child(s, "minLength").as_int(); least && n < static_cast<std::size_t>(*least))
            return wrong(path, Node::string(text), "should be at least " + std::to_string(*least) + " chars long");
        const auto p = s.text_at("pattern");
        if (p.empty()) return;
        const auto compiled = pattern(p);
        if (compiled->ok() && !re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled))
            wrong(path, Node::string(text), "should match '" + std::string(p) + "'");
    }

    void check_text(std::string_view text, const Node& s, const std::string& path) {
        check_length(text, s, path);
        const auto format = s.text_at("format");
        if (!format.empty() && known_format(s.text_at("type"), format) && !has_format(format, text)) {
            const std::string value = write_json(Node::string(text));
            problems.list.push_back({"FieldValueTypeInvalid", "Invalid value: " + value + ": " + in_body(path) + " must be of type " + std::string(format) + ": " + value, path});
        }
    }

    // int32 and float are checked; int64 and double hold whatever a number is.
    void check_range(const Node& v, const Node& s, const std::string& path) {
        const auto type = s.text_at("type"), format = s.text_at("format");
        if (!known_format(type, format)) return;
        const bool fits = format == "int32"   ? v.as_int().value_or(0) == static_cast<std::int32_t>(v.as_int().value_or(0))
                          : format == "float" ? std::fabs(v.as_double().value_or(0)) <= std::numeric_limits<float>::max()
                                              : true;
        if (!fits)
            problems.list.push_back({"FieldValueInvalid", "Invalid value: \"\": Checked value must be of type " + std::string(type) + " with format " + std::string(format) +
                                                              " in " + path, "<nil>"}); // the real server does not know the field either
    }

    void check_number(const Node& v, const Node& s, const std::string& path) {
        const double x = v.as_double().value_or(0);
        if (const Node* m = s.find("maximum")) {
            const double most = m->as_double().value_or(0);
            const bool open = flag(s, "exclusiveMaximum");
            if (open ? x >= most : x > most)
                wrong(path, v, std::string("should be less than ") + (open ? "" : "or equal to ") + format_double(most));
        }
        if (const Node* m = s.find("minimum")) {
            const double least = m->as_double().value_or(0);
            const bool open = flag(s, "exclusiveMinimum");
            if (open ? x <= least : x < least)
                wrong(path, v, std::string("should be greater than ") + (open ? "" : "or equal to ") + format_double(least));
        }
        if (const Node* m = s.find("multipleOf")) {
            const double step = m->as_double().value_or(0);
            if (step > 0 && std::fabs(std::remainder(x, step)) > 1e-9 * std::fabs(step))
                wrong(path, v, "should be a multiple of " + format_double(step));
        }
    }

    void too_many(const std::string& path, std::size_t n, std::int64_t most) {
        problems.list.push_back(
            {"FieldValueTooMany", "Too many: " + std::to_string(n) + ": must have at most " + std::to_string(most) + " items", path});
    }

    void check_list(const Node& v, const Node& s, const std::string& path) {
        if (const auto most = child(s, "maxItems").as_int(); most && v.size() > static_cast<std::size_t>(*most)) too_many(path, v.size(), *most);
        if (const auto least = child(s, "minItems").as_int(); least && v.size() < static_cast<std::size_t>(*least))
            wrong(path, Node::integer(static_cast<std::int64_t>(v.size())), "should have at least " + std::to_string(*least) + " items");
        if (const Node* items = s.find("items"); items && items->is_map()) {
            std::size_t i = 0;
            for (const Node& item : v.items()) check(item, *items, at(path, i++));
        }
        if (flag(s, "uniqueItems")) check_unique(v, path);
        const auto type = s.text_at("x-kubernetes-list-type");
        if (type == "set") check_set(v, path);
        if (type == "map") check_keys(v, s, path);
    }

    void check_unique(const Node& v, const std::string& path) {
        for (std::size_t i = 0; i < v.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                if (v.items()[i] == v.items()[j]) return wrong(path, Node::string(""), "shouldn't contain duplicates");
    }

    void check_set(const Node& v, const std::string& path) {
        std::map<std::string, int> seen;
        std::size_t i = 0;
        for (const Node& item : v.items()) {
            const std::string here = at(path, i++);
            if (++seen[write_json(item)] == 2) problems.duplicate(here, item); // told once for each value
        }
    }

    void check_keys(const Node& v, const Node& s, const std::string& path) {
        std::map<std::string, int> seen;
        std::size_t i = 0;
        for (const Node& item : v.items()) {
            const std::string here = at(path, i++);
            Node key = Node::map();
            for (const Node& k : child(s, "x-kubernetes-list-map-keys").items())
                if (const Node* value = item.find(k.text())) key.set(k.text(), *value);
            key.sort_keys();
            if (++seen[write_json(key)] == 2) problems.duplicate(here, key);
        }
    }

    void check_enum(const Node& v, const Node& options, const std::string& path) {
        std::string all;
        for (const Node& o : options.items()) {
            if (o == v) return;
            all += (all.empty() ? "" : ", ") + write_json(o.is_string() ? o : Node::string(write_json(o)));
        }
        problems.list.push_back({"FieldValueNotSupported", "Unsupported value: " + write_json(v) + ": supported values: " + all, path});
    }

    void check_map(const Node& v, const Node& s, const std::string& path) {
        if (const auto most = child(s, "maxProperties").as_int(); most && v.size() > static_cast<std::size_t>(*most)) too_many(path, v.size(), *most);
        if (const auto least = child(s, "minProperties").as_int(); least && v.size() < static_cast<std::size_t>(*least))
            wrong(path, Node::integer(static_cast<std::int64_t>(v.size())), "should have at least " + std::to_string(*least) + " properties");
        for (const auto& e : v.entries())
            if (const Node* sub = schema_of(s, e.key.view())) check(e.value, *sub, path.empty() ? e.key.str() : path + "." + e.key.str());
        for (const Node& name : child(s, "required").items())
            if (!v.contains(name.text())) problems.required(path.empty() ? std::string(name.text()) : path + "." + std::string(name.text()));
    }

    bool fits(const Node& v, const Node& s, const std::string& path) const {
        Checker c;
        c.check(v, s, path);
        return c.problems.list.empty();
    }

    void check_combined(const Node& v, const Node& s, const std::string& path) {
        const auto count = [&](const Node& list) {
            return std::count_if(list.items().begin(), list.items().end(), [&](const Node& one) { return fits(v, one, path); });
        };
        if (const Node* any = s.find("anyOf"); any && !any->empty() && !flag(s, "x-kubernetes-int-or-string") && count(*any) == 0)
            wrong(path, Node::string(""), "must validate at least one schema (anyOf)");
        if (const Node* one = s.find("oneOf"); one && !one->empty() && count(*one) != 1)
            wrong(path, Node::string(""),
                  std::string("must validate one and only one schema (oneOf). ") +
                      (count(*one) == 0 ? "Found none valid" : "Found " + std::to_string(count(*one)) + " valid alternatives"));
        if (const Node* all = s.find("allOf"))
            for (const Node& sub : all->items()) check(v, sub, path);
        if (const Node* no = s.find("not"); no && fits(v, *no, path)) wrong(path, Node::string(""), "must not validate the schema (not)");
    }
};

// "g/v" or "v".
bool readable_version(std::string_view version) { return std::count(version.begin(), version.end(), '/') <= 1; }

// apiextensions' schema/objectmeta: what an object inside another one must say about itself.
void check_embedded_type(Problems& p, const Node& v, const std::string& path) {
    const auto text = [&](std::string_view field) -> std::optional<std::string_view> {
        const std::string here = path + "." + std::string(field);
        const Node* n = v.find(field);
        if (!n) return p.required(here), std::nullopt;
        if (!n->is_string()) return p.invalid(here, *n, "must be a string"), std::nullopt;
        if (n->text().empty()) return p.invalid(here, "", "must not be empty"), std::nullopt;
        return n->text();
    };
    if (const auto version = text("apiVersion"); version && !readable_version(*version))
        p.invalid(path + ".apiVersion", *version, "unexpected GroupVersion string: " + std::string(*version));
    if (const auto kind = text("kind")) {
        std::string why;
        for (const auto& m : dns_1035_label(ascii_lower(*kind))) why += (why.empty() ? "" : ",") + m;
        if (!why.empty()) p.invalid(path + ".kind", *kind, "may have mixed case, but should otherwise match: " + why);
    }
}

void check_embedded(Problems& p, const Node& v, const Node& s, const std::string& path) {
    if (v.is_map()) {
        if (flag(s, "x-kubernetes-embedded-resource")) {
            check_embedded_type(p, v, path);
            if (const Node* metadata = v.find("metadata"); metadata && metadata->is_map()) check_embedded_metadata(p, path + ".metadata", *metadata);
        }
        const bool named = child(s, "properties").size() > 0 || !child(s, "additionalProperties").is_map();
        for (const auto& e : v.entries())
            if (const Node* sub = schema_of(s, e.key.view()))
                check_embedded(p, e.value, *sub, named ? (path.empty() ? e.key.str() : path + "." + e.key.str()) : key_of(path, e.key.view()));
    } else if (const Node* items = s.find("items"); v.is_list() && items && items->is_map()) {
        for (std::size_t i = 0; i < v.size(); ++i) check_embedded(p, v.items()[i], *items, at(path, i));
    }
}

} // namespace

void default_custom(Node& value, const Node& schema) {
    if (value.is_map()) {
        for (const auto& e : child(schema, "properties").entries()) {
            const Node* d = e.value.find("default");
            const Node* old = d ? value.find(e.key.view()) : nullptr;
            if (d && (!old || (old->is_null() && !nullable(e.value)))) value.set(e.key, *d);
        }
        if (value.empty()) return;
        for (auto& e : value.entries_mut())
            if (const Node* sub = schema_of(schema, e.key.view())) default_custom(e.value, *sub);
    } else if (value.is_list() && !value.empty()) {
        if (const Node* items = schema.find("items"); items && items->is_map())
            for (Node& item : value.items_mut()) default_custom(item, *items);
    }
}

void drop_custom_nulls(Node& value, const Node& schema) {
    if (value.is_map()) {
        std::vector<std::string> drop;
        for (const auto& e : value.entries())
            if (const Node* sub = schema_of(schema, e.key.view());
                e.value.is_null() && sub && !nullable(*sub) && !sub->contains("default") && !flag(*sub, "x-kubernetes-preserve-unknown-fields"))
                drop.push_back(e.key.str());
        for (const auto& key : drop) value.erase(key);
        if (value.empty()) return;
        for (auto& e : value.entries_mut())
            if (const Node* sub = schema_of(schema, e.key.view())) drop_custom_nulls(e.value, *sub);
    } else if (value.is_list() && !value.empty()) {
        if (const Node* items = schema.find("items"); items && items->is_map())
            for (Node& item : value.items_mut()) drop_custom_nulls(item, *items);
    }
}

std::vector<ErrorDetail> validate_custom(const Node& value, const Node& schema) {
    if (!schema.is_map()) return {};
    Node body = value; // metadata has rules of its own; a schema may add some to its names
    const Node* metadata = value.find("metadata");
    body.erase("metadata");
    Checker c;
    if (const Node* s = child(schema, "properties").find("metadata"); s && metadata) c.check(*metadata, *s, "metadata");
    c.check(body, schema, "");
    check_embedded(c.problems, body, schema, "");
    return std::move(c.problems.list);
}

std::vector<ErrorDetail> validate_default(const std::string& path, const Node& value, const Node& schema) {
    Checker embedded;
    check_embedded(embedded.problems, value, schema, path);
    if (!embedded.problems.list.empty()) return std::move(embedded.problems.list);
    Checker c;
    c.of_default = true;
    c.check(value, schema, "");
    for (auto& cause : c.problems.list)
        if (cause.field != "<nil>") cause.field = cause.field.empty() ? path : path + "." + cause.field;
    return std::move(c.problems.list);
}

std::string pattern_error(std::string_view text) {
    const auto compiled = pattern(text);
    static const std::map<re2::RE2::ErrorCode, const char*> kWords{
        {re2::RE2::ErrorBadEscape, "invalid escape sequence"}, {re2::RE2::ErrorBadCharClass, "invalid character class"},
        {re2::RE2::ErrorBadCharRange, "invalid character class range"}, {re2::RE2::ErrorMissingBracket, "missing closing ]"},
        {re2::RE2::ErrorMissingParen, "missing closing )"}, {re2::RE2::ErrorTrailingBackslash, "trailing backslash at end of expression"},
        {re2::RE2::ErrorRepeatArgument, "missing argument to repetition operator"}, {re2::RE2::ErrorRepeatSize, "invalid repeat count"},
        {re2::RE2::ErrorRepeatOp, "invalid nested repetition operator"}, {re2::RE2::ErrorBadPerlOp, "invalid or unsupported Perl syntax"},
        {re2::RE2::ErrorBadUTF8, "invalid UTF-8"}, {re2::RE2::ErrorBadNamedCapture, "invalid named capture"}};
    const auto it = kWords.find(compiled->error_code());
    return compiled->ok() || it == kWords.end() ? "" : std::string(it->second) + ": `" + compiled->error_arg() + "`";
}

namespace {

// Go's words for a value's type.
std::string_view go_type(const Node& n) {
    if (n.is_string()) return "string";
    if (n.is_bool()) return "bool";
    if (n.is_integer()) return "int64";
    if (n.is_number()) return "float64";
    return n.is_list() ? "[]interface {}" : "map[string]interface {}";
}

// What stands at a path like ".spec.replicas" must be a number of instances.
void check_count(Problems& problems, const Node& value, const std::string& path) {
    const Node* at_path = &value;
    std::string walked;
    for (std::size_t begin = 1; begin <= path.size();) {
        const auto end = std::min(path.find('.', begin), path.size());
        const std::string field = path.substr(begin, end - begin);
        walked += "." + field;
        if (at_path->is_null()) return;
        if (!at_path->is_map())
            return problems.invalid(path, Node::integer(0), walked + " accessor error: " + std::string(at_path->text()) + " is of the type " + std::string(go_type(*at_path)) + ", expected map[string]interface{}");
        at_path = at_path->find(field);
        if (!at_path) return;
        begin = end + 1;
    }
    const auto count = at_path->as_int();
    if (!count || !at_path->is_integer())
        problems.invalid(path, Node::integer(0), walked + " accessor error: " + std::string(at_path->text()) + " is of the type " + std::string(go_type(*at_path)) + ", expected int64");
    else if (*count < 0)
        problems.invalid(path, *at_path, "should be a non-negative integer");
    else if (*count > std::numeric_limits<std::int32_t>::max())
        problems.invalid(path, *at_path, "should be less than or equal to 2147483647");
}

} // namespace

std::optional<ErrorDetail> misfit_of_embedded(const Node& value, const Node& schema, const std::string& path) {
    if (value.is_map()) {
        if (flag(schema, "x-kubernetes-embedded-resource"))
            for (const auto field : {"apiVersion", "kind"})
                if (const Node* n = value.find(field); n && !n->is_string()) {
                    Problems p;
                    p.invalid(path + "." + field, *n, "must be a string");
                    return p.list.front();
                }
        for (const auto& e : value.entries())
            if (const Node* sub = schema_of(schema, e.key.view()))
                if (auto found = misfit_of_embedded(e.value, *sub, path.empty() ? e.key.str() : path + "." + e.key.str())) return found;
    } else if (const Node* items = schema.find("items"); value.is_list() && items && items->is_map()) {
        for (std::size_t i = 0; i < value.size(); ++i)
            if (auto found = misfit_of_embedded(value.items()[i], *items, at(path, i))) return found;
    }
    return std::nullopt;
}

std::vector<ErrorDetail> validate_custom_scale(const Node& value, const std::string& spec_path, const std::string& status_path) {
    Problems problems;
    for (const auto* path : {&spec_path, &status_path})
        if (!path->empty()) check_count(problems, value, *path);
    return std::move(problems.list);
}

void each_schema(const Node& schema, const std::function<void(const Node&)>& visit) {
    if (!schema.is_map()) return;
    visit(schema);
    for (const auto key : {"properties", "patternProperties", "definitions"})
        for (const auto& e : child(schema, key).entries()) each_schema(e.value, visit);
    for (const auto key : {"items", "additionalProperties", "additionalItems", "not"})
        if (const Node* sub = schema.find(key)) each_schema(*sub, visit);
    for (const auto key : {"allOf", "anyOf", "oneOf"})
        for (const Node& sub : child(schema, key).items()) each_schema(sub, visit);
}

} // namespace weber::kube::server
