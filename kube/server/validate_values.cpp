#include <algorithm>

#include "kube/base/json.h"
#include "kube/server/validate_rules.h"

namespace weber::kube::server {
namespace {

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool lower_or_digit(char c) { return lower(c) || digit(c); }
bool letter_or_digit(char c) { return lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

bool is_label(std::string_view s) {
    if (s.empty() || !lower_or_digit(s.front()) || !lower_or_digit(s.back())) return false;
    return std::all_of(s.begin(), s.end(), [](char c) { return lower_or_digit(c) || c == '-'; });
}

bool is_subdomain(std::string_view s) {
    for (;;) {
        const auto dot = s.find('.');
        if (!is_label(s.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        s.remove_prefix(dot + 1);
    }
}

bool is_name_part(std::string_view s) {
    if (s.empty() || !letter_or_digit(s.front()) || !letter_or_digit(s.back())) return false;
    return std::all_of(s.begin(), s.end(), [](char c) { return letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
}

std::string too_many(std::size_t n) { return "must be no more than " + std::to_string(n) + " characters"; }
std::string too_many_bytes(std::size_t n) { return "must be no more than " + std::to_string(n) + " bytes"; }

constexpr const char* kLabel = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
                               "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr const char* kSubdomain =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr const char* kLabel1035 =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric "
    "character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr const char* kNamePart =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
    "'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr const char* kLabelValue =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr const char* kConfigKey = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
                                   "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

} // namespace

Messages dns_label(std::string_view v) {
    Messages out;
    if (v.size() > 63) out.push_back(too_many(63));
    if (!is_label(v)) out.emplace_back(is_subdomain(v) ? "must not contain dots" : kLabel);
    return out;
}

Messages dns_subdomain(std::string_view v) {
    Messages out;
    if (v.size() > 253) out.push_back(too_many(253));
    if (!is_subdomain(v)) out.emplace_back(kSubdomain);
    return out;
}

Messages dns_1035_label(std::string_view v) {
    Messages out;
    if (v.size() > 63) out.push_back(too_many(63));
    if (!is_label(v) || !lower(v.front())) out.emplace_back(kLabel1035);
    return out;
}

Messages qualified_name(std::string_view v) {
    Messages out;
    const auto slash = v.find('/');
    std::string_view name = v;
    if (slash != std::string_view::npos) {
        if (v.find('/', slash + 1) != std::string_view::npos) {
            out.push_back(std::string("a valid label key ") + kNamePart + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
            return out;
        }
        const auto prefix = v.substr(0, slash);
        name = v.substr(slash + 1);
        if (prefix.empty())
            out.emplace_back("prefix part must be non-empty");
        else
            for (const auto& m : dns_subdomain(prefix)) out.push_back("prefix part " + m);
    }
    if (name.empty())
        out.emplace_back("name part must be non-empty");
    else if (name.size() > 63)
        out.push_back("name part " + too_many_bytes(63));
    if (!is_name_part(name)) out.push_back(std::string("name part ") + kNamePart);
    return out;
}

Messages label_value(std::string_view v) {
    Messages out;
    if (v.size() > 63) out.push_back(too_many_bytes(63));
    if (!v.empty() && !is_name_part(v)) out.emplace_back(kLabelValue);
    return out;
}

Messages config_key(std::string_view v) {
    Messages out;
    if (v.size() > 253) out.push_back(too_many(253));
    const bool good = !v.empty() && std::all_of(v.begin(), v.end(), [](char c) { return letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
    if (!good) out.emplace_back(kConfigKey);
    if (v == ".")
        out.emplace_back("must not be '.'");
    else if (v == "..")
        out.emplace_back("must not be '..'");
    else if (v.starts_with(".."))
        out.emplace_back("must not start with '..'");
    return out;
}

Messages port_name(std::string_view v) {
    Messages out;
    if (v.size() > 15) out.push_back(too_many(15));
    if (v.empty() || !std::all_of(v.begin(), v.end(), [](char c) { return lower_or_digit(c) || c == '-'; }))
        out.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    if (std::none_of(v.begin(), v.end(), lower)) out.emplace_back("must contain at least one letter (a-z)");
    if (v.find("--") != std::string_view::npos) out.emplace_back("must not contain consecutive hyphens");
    if (!v.empty() && (v.front() == '-' || v.back() == '-')) out.emplace_back("must not begin or end with a hyphen");
    return out;
}

Messages env_name(std::string_view v) {
    for (const char c : v)
        if (c < 0x20 || c > 0x7e || c == '=')
            return {"a valid environment variable name must consist only of printable ASCII characters other than '='"};
    return {};
}

Messages path_segment(std::string_view v) {
    Messages out;
    if (v == "." || v == "..") out.push_back("may not be '" + std::string(v) + "'");
    for (const auto bad : {"/", "%"})
        if (v.find(bad) != std::string_view::npos) out.push_back("may not contain '" + std::string(bad) + "'");
    return out;
}

std::string quoted(std::string_view text) { return write_json(Node::string(text)); }

// ---- problems -------------------------------------------------------------------------------------------------------------

namespace {
std::string shown(const Node& v) { return v.is_null() ? "null" : write_json(v); }
std::string after(std::string_view word, std::string_view why) { return std::string(word) + (why.empty() ? "" : ": " + std::string(why)); }
} // namespace

void Problems::required(std::string path, std::string_view why) { list.push_back({"FieldValueRequired", after("Required value", why), std::move(path)}); }
void Problems::invalid(std::string path, const Node& value, std::string_view why) {
    list.push_back({"FieldValueInvalid", after("Invalid value: " + shown(value), why), std::move(path)});
}
void Problems::invalid(std::string path, std::string_view value, std::string_view why) { invalid(std::move(path), Node::string(value), why); }
void Problems::invalid_all(const std::string& path, std::string_view value, const Messages& why) {
    for (const auto& m : why) invalid(path, value, m);
}
void Problems::forbidden(std::string path, std::string_view why) { list.push_back({"FieldValueForbidden", after("Forbidden", why), std::move(path)}); }
void Problems::duplicate(std::string path, const Node& value) { list.push_back({"FieldValueDuplicate", "Duplicate value: " + shown(value), std::move(path)}); }
void Problems::not_supported(std::string path, const Node& value, std::initializer_list<std::string_view> supported) {
    std::string all;
    for (const auto s : supported) all += (all.empty() ? "" : ", ") + quoted(s);
    list.push_back({"FieldValueNotSupported", "Unsupported value: " + shown(value) + ": supported values: " + all, std::move(path)});
}
void Problems::not_found(std::string path, std::string_view value) {
    list.push_back({"FieldValueNotFound", "Not found: " + quoted(value), std::move(path)});
}
void Problems::too_long(std::string path, std::size_t limit) {
    list.push_back({"FieldValueTooLong", "Too long: may not be more than " + std::to_string(limit) + " bytes", std::move(path)});
}

void Problems::nonnegative(const std::string& path, const Node* value) {
    if (value && value->as_int().value_or(0) < 0) invalid(path, *value, "must be greater than or equal to 0");
}
void Problems::port(const std::string& path, const Node* value) {
    const auto n = value ? value->as_int().value_or(0) : 0;
    if (n < 1 || n > 65535) invalid(path, Node::integer(n), "must be between 1 and 65535, inclusive");
}
void Problems::one_of(const std::string& path, std::string_view value, std::initializer_list<std::string_view> supported) {
    if (std::find(supported.begin(), supported.end(), value) == supported.end()) not_supported(path, Node::string(value), supported);
}
void Problems::immutable(const std::string& path, const Node* now, const Node* before) {
    if (!same_meaning(now, before)) invalid(path, now ? *now : Node(), "field is immutable");
}

bool same_meaning(const Node* a, const Node* b) {
    const auto nothing = [](const Node* n) { return !n || n->is_null() || ((n->is_map() || n->is_list()) && n->empty()); };
    if (nothing(a) || nothing(b)) return nothing(a) && nothing(b);
    return *a == *b;
}

// ---- labels ---------------------------------------------------------------------------------------------------------------

void check_labels(Problems& p, const std::string& path, const Node* labels) {
    if (!labels) return;
    for (const auto& e : labels->entries()) {
        p.invalid_all(path, e.key.view(), qualified_name(e.key.view()));
        p.invalid_all(path, e.value.text(), label_value(e.value.text()));
    }
}

void check_label_selector(Problems& p, const std::string& path, const Node* selector) {
    if (!selector || !selector->is_map()) return;
    check_labels(p, path + ".matchLabels", selector->find("matchLabels"));
    std::size_t i = 0;
    for (const Node& e : child(*selector, "matchExpressions").items()) {
        const std::string here = at(path + ".matchExpressions", i++);
        const auto op = e.text_at("operator");
        const Node& values = child(e, "values");
        if ((op == "In" || op == "NotIn") && values.empty())
            p.required(here + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
        else if ((op == "Exists" || op == "DoesNotExist") && !values.empty())
            p.forbidden(here + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        else if (op != "In" && op != "NotIn" && op != "Exists" && op != "DoesNotExist")
            p.invalid(here + ".operator", op, "not a valid selector operator");
        p.invalid_all(here + ".key", e.text_at("key"), qualified_name(e.text_at("key")));
        std::size_t v = 0;
        for (const Node& value : values.items()) p.invalid_all(at(here + ".values", v++), value.text(), label_value(value.text()));
    }
}

bool selector_readable(const Node* selector) {
    Problems p;
    check_label_selector(p, "", selector);
    return p.list.empty();
}

bool selector_matches(const Node* selector, const Node* labels) {
    if (!selector || !selector->is_map()) return false;
    const auto value_of = [&](std::string_view key) { return labels ? labels->find(key) : nullptr; };
    for (const auto& e : child(*selector, "matchLabels").entries()) {
        const Node* v = value_of(e.key.view());
        if (!v || v->text() != e.value.text()) return false;
    }
    for (const Node& e : child(*selector, "matchExpressions").items()) {
        const Node* v = value_of(e.text_at("key"));
        const auto op = e.text_at("operator");
        const auto values = child(e, "values").items();
        const bool in = v && std::any_of(values.begin(), values.end(), [&](const Node& x) { return x.text() == v->text(); });
        if ((op == "In" && !in) || (op == "NotIn" && in) || (op == "Exists" && !v) || (op == "DoesNotExist" && v)) return false;
    }
    return true;
}

} // namespace weber::kube::server
