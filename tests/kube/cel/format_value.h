// A value as a CEL expression, as types.Format of cel-go writes it: test data holds values so.
#pragma once

#include <cmath>
#include <map>
#include <string>

#include "kube/base/utf8.h"
#include "kube/cel/go_format.h"
#include "kube/cel/time.h"
#include "kube/cel/value.h"

namespace weber::cel {

// As Go's strconv.Quote, but that of the unprintable characters beyond ASCII only those of the tests are known.
inline std::string quoted(std::string_view text) {
    constexpr std::string_view kPlain = "\a\b\f\n\r\t\v\\\"";
    constexpr std::string_view kLetters = "abfnrtv\\\"";
    const auto byte = [](char c) {
        const std::string hex = format_base(static_cast<std::uint8_t>(c), 16);
        return "\\x" + std::string(2 - hex.size(), '0') + hex;
    };
    std::string out = "\"";
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        const std::size_t i = kPlain.find(c);
        if (i != std::string_view::npos) {
            out += '\\';
            out += kLetters[i];
        } else if (static_cast<unsigned char>(c) < 32 || c == 127) {
            out += byte(c);
        } else if (text.substr(at).starts_with("\u00a0") || text.substr(at).starts_with("\u3000")) {
            out += c == '\xC2' ? "\\u00a0" : "\\u3000";
            at += c == '\xC2' ? 1 : 2;
        } else if (const kube::CodePoint point = kube::decode_utf8(text, at); !point.valid) {
            out += byte(c);
        } else {
            out += text.substr(at, point.bytes);
            at += point.bytes - 1u;
        }
    }
    return out + "\"";
}

inline std::string double_literal(double v) {
    if (std::isnan(v)) return "double(\"NaN\")";
    if (std::isinf(v)) return v > 0 ? "double(\"Infinity\")" : "double(\"-Infinity\")";
    std::string s = format_plain(v);
    return s.find('.') == std::string::npos ? s + ".0" : s;
}

inline std::string bytes_literal(std::string_view bytes) {
    std::string out = "b\"";
    for (const char c : bytes) {
        const std::string octal = format_base(static_cast<std::uint8_t>(c), 8);
        out += "\\" + std::string(3 - octal.size(), '0') + octal;
    }
    return out + "\"";
}

inline std::string format_value(const Value& v) {
    switch (v.kind()) {
    case Kind::unsigned_integer: return std::to_string(v.as_uint()) + "u";
    case Kind::floating: return double_literal(v.as_double());
    case Kind::string: return quoted(v.as_string());
    case Kind::bytes: return bytes_literal(v.as_bytes());
    case Kind::duration: return "duration(\"" + format_seconds(v.as_duration()) + "\")";
    case Kind::timestamp: {
        Timestamp t = v.as_timestamp();
        t.offset = 0;
        return "timestamp(\"" + format_timestamp(t) + "\")";
    }
    case Kind::list: {
        std::string out = "[";
        for (std::size_t i = 0; i < v.as_list().size(); ++i) out += (i != 0 ? ", " : "") + format_value(v.as_list().at(i));
        return out + "]";
    }
    case Kind::map: {
        std::multimap<std::string, std::string> entries;
        for (std::size_t i = 0; i < v.as_map().size(); ++i) entries.emplace(format_value(v.as_map().key_at(i)), format_value(v.as_map().value_at(i)));
        std::string out = "{";
        for (const auto& [key, value] : entries) out += (out.size() > 1 ? ", " : "") + key + ": " + value;
        return out + "}";
    }
    case Kind::optional: return v.as_optional() != nullptr ? "optional.of(" + format_value(*v.as_optional()) + ")" : "optional.none()";
    case Kind::error: return std::string(v.as_error());
    case Kind::null: return "null";
    case Kind::boolean: return v.as_bool() ? "true" : "false";
    case Kind::integer: return std::to_string(v.as_int());
    case Kind::type: return std::string(v.as_type());
    }
    return {};
}

} // namespace weber::cel
