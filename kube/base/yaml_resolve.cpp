// What a plain scalar means: the resolution of go-yaml v3 and v2.
#include <array>
#include <cmath>

#include "kube/base/number.h"
#include "kube/base/yaml.h"

namespace weber::kube {

namespace {

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    for (std::string_view word : words)
        if (text == word) return true;
    return false;
}

bool digit(char c) { return c >= '0' && c <= '9'; }

bool all_of_base(std::string_view digits, int base) {
    if (digits.empty()) return false;
    for (char c : digits) {
        if (c == '_') continue;
        const int value = digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
        if (value >= base) return false;
    }
    return true;
}

// go-yaml's yamlStyleFloat: ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$ – underscores were taken out before.
bool float_style(std::string_view s) {
    std::size_t i = 0;
    const auto digits = [&] {
        const std::size_t from = i;
        while (i < s.size() && (digit(s[i]) || (s[i] == '_' && i > from))) ++i;
        return i - from;
    };
    if (i < s.size() && (s[i] == '-' || s[i] == '+')) ++i;
    const std::size_t whole = digits();
    std::size_t fraction = 0;
    if (i < s.size() && s[i] == '.') {
        ++i;
        fraction = digits();
    }
    if (whole == 0 && fraction == 0) return false;
    if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
        ++i;
        if (i < s.size() && (s[i] == '-' || s[i] == '+')) ++i;
        if (digits() == 0) return false;
    }
    if (i != s.size()) return false;
    if (s.size() < 4 || (s.find_first_of("eE") == std::string_view::npos && s.size() < 300)) return true;
    const auto value = parse_double(s); // beyond float64 it is a string
    return value && !std::isinf(*value);
}

NodeKind number_kind(std::string_view text) {
    std::string_view body = text;
    if (body.front() == '-' || body.front() == '+') body.remove_prefix(1);
    if (body.empty()) return NodeKind::string;
    if (all_of_base(body, 10) && digit(body[0])) {
        if (body.size() > 1 && body[0] == '0' && !all_of_base(body, 8)) return NodeKind::floating; // 089: not octal
        return parse_int(text) ? NodeKind::integer : NodeKind::floating;
    }
    if (body.size() > 2 && body[0] == '0') {
        const int base = body[1] == 'x' || body[1] == 'X' ? 16 : body[1] == 'o' || body[1] == 'O' ? 8 : body[1] == 'b' || body[1] == 'B' ? 2 : 0;
        if (base != 0 && all_of_base(body.substr(2), base) && parse_int(text)) return NodeKind::integer;
    }
    return float_style(text) ? NodeKind::floating : NodeKind::string;
}

} // namespace

NodeKind resolve_plain(std::string_view text, YamlSchema schema) {
    if (text.empty()) return NodeKind::null;
    switch (text.front()) {
    case '~': return text.size() == 1 ? NodeKind::null : NodeKind::string;
    case 'n':
    case 'N':
        if (one_of(text, {"null", "Null", "NULL"})) return NodeKind::null;
        break;
    case 't':
    case 'T':
        if (one_of(text, {"true", "True", "TRUE"})) return NodeKind::boolean;
        return NodeKind::string;
    case 'f':
    case 'F':
        if (one_of(text, {"false", "False", "FALSE"})) return NodeKind::boolean;
        return NodeKind::string;
    case '.':
        if (one_of(text, {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"})) return NodeKind::floating;
        return float_style(text) ? NodeKind::floating : NodeKind::string;
    case '+':
    case '-':
        if (one_of(text.substr(1), {".inf", ".Inf", ".INF"})) return NodeKind::floating;
        return number_kind(text);
    default: break;
    }
    if (digit(text.front())) return number_kind(text);
    if (schema == YamlSchema::yaml_1_1 &&
        one_of(text, {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"}))
        return NodeKind::boolean;
    return NodeKind::string;
}

} // namespace weber::kube
