#include "kube/server/go_json.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace weber::kube::server {
namespace {

// The places of the grammar between two bytes; each byte leads from one to the next or is an error that names the place.
enum class Place {
    value, value_or_end, key, key_or_end, colon, after_member, after_item, top_end, // between tokens
    string, escape, hex, literal,
    minus, integer, zero, point, fraction, exponent, exponent_sign, exponent_digits, // numbers
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// A byte as Go quotes it; above ASCII it is taken for a character of that number.
std::string quoted(char c) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '\'') return R"('\'')";
    if (c == '"') return R"('"')";
    if (c == '\\') return R"('\\')";
    constexpr std::string_view kNamed = "abtnvfr"; // \a is 7, \b 8 …
    constexpr std::array<unsigned char, 7> kCodes{7, 8, 9, 10, 11, 12, 13};
    for (std::size_t i = 0; i < kCodes.size(); ++i)
        if (u == kCodes[i]) return std::string("'\\") + kNamed[i] + "'";
    char text[12];
    if (u < 0x20 || u == 0x7f) {
        std::snprintf(text, sizeof text, "'\\x%02x'", u);
        return text;
    }
    if (u >= 0x80 && u < 0xa1) {
        std::snprintf(text, sizeof text, "'\\u00%02x'", u);
        return text;
    }
    if (u < 0x80) return std::string("'") + c + "'";
    return {'\'', static_cast<char>(0xc0 | (u >> 6)), static_cast<char>(0x80 | (u & 0x3f)), '\''};
}

class Scanner {
public:
    // The error that the byte is, or "".
    std::string step(char c) {
        switch (place_) {
        case Place::string:
            if (c == '"') return end_value();
            if (c == '\\') place_ = Place::escape;
            else if (static_cast<unsigned char>(c) < 0x20) return wrong(c, "in string literal");
            return {};
        case Place::escape:
            if (c == 'u') {
                place_ = Place::hex;
                left_ = 4;
            } else if (std::string_view("bfnrt\\/\"").find(c) != std::string_view::npos) {
                place_ = Place::string;
            } else {
                return wrong(c, "in string escape code");
            }
            return {};
        case Place::hex:
            if (!is_hex(c)) return wrong(c, "in \\u hexadecimal character escape");
            if (--left_ == 0) place_ = Place::string;
            return {};
        case Place::literal:
            if (c != word_[at_]) return wrong(c, "in literal " + std::string(word_) + " (expecting " + quoted(word_[at_]) + ")");
            return ++at_ == word_.size() ? end_value() : std::string();
        case Place::minus:
            if (!is_digit(c)) return wrong(c, "in numeric literal");
            place_ = c == '0' ? Place::zero : Place::integer;
            return {};
        case Place::integer:
            if (is_digit(c)) return {};
            [[fallthrough]];
        case Place::zero:
            if (c == '.') place_ = Place::point;
            else if (c == 'e' || c == 'E') place_ = Place::exponent;
            else return after_number(c);
            return {};
        case Place::point:
            if (!is_digit(c)) return wrong(c, "after decimal point in numeric literal");
            place_ = Place::fraction;
            return {};
        case Place::fraction:
            if (is_digit(c)) return {};
            if (c != 'e' && c != 'E') return after_number(c);
            place_ = Place::exponent;
            return {};
        case Place::exponent:
            if (c == '+' || c == '-') {
                place_ = Place::exponent_sign;
                return {};
            }
            [[fallthrough]];
        case Place::exponent_sign:
            if (!is_digit(c)) return wrong(c, "in exponent of numeric literal");
            place_ = Place::exponent_digits;
            return {};
        case Place::exponent_digits: return is_digit(c) ? std::string() : after_number(c);
        default: return is_space(c) ? std::string() : token(c);
        }
    }
    [[nodiscard]] bool done() const { return place_ == Place::top_end; }

private:
    static std::string wrong(char c, const std::string& where) { return "invalid character " + quoted(c) + " " + where; }

    std::string token(char c) {
        switch (place_) {
        case Place::value_or_end:
            if (c == ']') return close();
            return value(c);
        case Place::value: return value(c);
        case Place::key_or_end:
            if (c == '}') return close();
            [[fallthrough]];
        case Place::key:
            if (c != '"') return wrong(c, "looking for beginning of object key string");
            key_ = true;
            place_ = Place::string;
            return {};
        case Place::colon:
            if (c != ':') return wrong(c, "after object key");
            place_ = Place::value;
            return {};
        case Place::after_member:
            if (c == '}') return close();
            if (c != ',') return wrong(c, "after object key:value pair");
            place_ = Place::key;
            return {};
        case Place::after_item:
            if (c == ']') return close();
            if (c != ',') return wrong(c, "after array element");
            place_ = Place::value;
            return {};
        default: return wrong(c, "after top-level value");
        }
    }

    std::string value(char c) {
        if (c == '{' || c == '[') {
            open_.push_back(c);
            place_ = c == '{' ? Place::key_or_end : Place::value_or_end;
        } else if (c == '"') {
            place_ = Place::string;
        } else if (c == '-') {
            place_ = Place::minus;
        } else if (is_digit(c)) {
            place_ = c == '0' ? Place::zero : Place::integer;
        } else if (c == 't' || c == 'f' || c == 'n') {
            word_ = c == 't' ? "true" : c == 'f' ? "false" : "null";
            at_ = 1;
            place_ = Place::literal;
        } else {
            return wrong(c, "looking for beginning of value");
        }
        return {};
    }

    std::string close() {
        open_.pop_back();
        return end_value();
    }
    std::string end_value() {
        if (key_) {
            key_ = false;
            place_ = Place::colon;
        } else {
            place_ = open_.empty() ? Place::top_end : open_.back() == '{' ? Place::after_member : Place::after_item;
        }
        return {};
    }
    // A number ends where the next token begins.
    std::string after_number(char c) {
        (void)end_value();
        return step(c);
    }

    Place place_ = Place::value;
    std::vector<char> open_;
    bool key_ = false; // the string at hand is a member's name
    std::string_view word_;
    std::size_t at_ = 0;
    int left_ = 0;
};

} // namespace

std::string go_json_error(std::string_view text) {
    Scanner scanner;
    for (const char c : text)
        if (std::string error = scanner.step(c); !error.empty()) return error;
    if (scanner.done()) return {};
    if (std::string error = scanner.step(' '); !error.empty()) return error; // the end counts as a blank
    return scanner.done() ? std::string() : "unexpected end of JSON input";
}

std::string go_misfit(const Node& value, std::string_view go_type) {
    return "json: cannot unmarshal " + std::string(value.is_number() ? "number" : value.kind_word()) + " into Go value of type " + std::string(go_type);
}

std::string go_type_meta_error(std::string_view body, const Result<Node>& parsed) {
    std::string words = parsed ? go_misfit(*parsed, "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }") : go_json_error(body);
    if (words.empty()) words = parsed.error().message;
    return "couldn't get version/kind; json parse error: " + words;
}

std::string go_yaml_error(std::string_view message) {
    constexpr std::string_view kLine = "yaml: line ";
    const auto colon = message.find(": ", kLine.size());
    if (!message.starts_with(kLine) || colon == std::string_view::npos) return std::string(message);
    const std::string_view what = message.substr(colon + 2);
    int line = std::atoi(std::string(message.substr(kLine.size(), colon - kLine.size())).c_str());
    for (const std::string_view parser : {"<document start>", "node content", "'-' indicator", "key", "',' or ']'", "',' or '}'"})
        if (what == "did not find expected " + std::string(parser)) --line; // only what the scanner finds is counted from 1
    return line < 1 || (line == 1 && !what.starts_with("did not find expected")) ? "yaml: " + std::string(what) : std::string(kLine) + std::to_string(line) + ": " + std::string(what);
}

} // namespace weber::kube::server
