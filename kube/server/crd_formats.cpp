#include "kube/server/crd_formats.h"

#include <arpa/inet.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string>

namespace weber::kube::server {
namespace {

using re2::RE2;
re2::StringPiece piece(std::string_view s) { return {s.data(), s.size()}; }
bool matches(std::string_view text, const RE2& pattern) { return RE2::PartialMatch(piece(text), pattern); }

std::string without(std::string_view text, std::string_view unwanted) {
    std::string out;
    for (const char c : text)
        if (unwanted.find(c) == std::string_view::npos) out += c;
    return out;
}

int number(std::string_view digits) {
    int n = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), n);
    return n;
}

bool is_date(std::string_view s) {
    static const RE2 form("^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
    if (!matches(s, form)) return false;
    const int year = number(s.substr(0, 4)), month = number(s.substr(5, 2)), day = number(s.substr(8, 2));
    static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12) return false;
    const bool leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day >= 1 && day <= kDays[month - 1] + (leap ? 1 : 0);
}

bool is_date_time(std::string_view s) {
    static const RE2 time("^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?([zZ]|([+-][0-9]{2}:[0-9]{2}))$");
    const auto t = s.find_first_of("tT");
    if (s.size() < 4 || t == std::string_view::npos || !is_date(s.substr(0, t))) return false;
    std::string_view rest = s.substr(t + 1);
    rest = rest.substr(0, rest.find_first_of("tT")); // what follows a second "t" is not looked at
    return matches(rest, time) && number(rest.substr(0, 2)) <= 23 && number(rest.substr(3, 2)) <= 59 && number(rest.substr(6, 2)) <= 59;
}

// time.ParseDuration's form, or anything in which a number and one of Scala's units is found.
bool is_duration(std::string_view s) {
    static const RE2 go("^[-+]?(0|(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$");
    static const RE2 part("(\\d+)\\s*([A-Za-zµ]+)");
    static const RE2 unit("^(?i)(ns|nano.*|us|µs|micro.*|ms|milli.*|s|sec.*|m|min.*|h|hr|hour.*|d|day.*|w|wk|week.*)$");
    if (matches(s, go)) return true;
    re2::StringPiece rest = piece(s), digits, word;
    bool found = false;
    while (RE2::FindAndConsume(&rest, part, &digits, &word)) {
        std::int64_t n = 0;
        if (std::from_chars(digits.data(), digits.data() + digits.size(), n).ec != std::errc()) return false;
        found = found || RE2::PartialMatch(word, unit);
    }
    return found;
}

bool is_ip(int family, std::string_view s) {
    unsigned char out[16];
    return inet_pton(family, std::string(s).c_str(), out) == 1;
}

// Leading zeros are tolerated: 010.0.0.1 is 10.0.0.1.
bool is_ipv4(std::string_view s) {
    static const RE2 zeros("(^|\\.)0+([0-9])");
    std::string plain(s);
    while (RE2::Replace(&plain, zeros, "\\1\\2")) {
    }
    return is_ip(AF_INET, plain);
}

bool is_cidr(std::string_view s) {
    const auto slash = s.find('/');
    if (slash == std::string_view::npos) return false;
    const auto host = s.substr(0, slash), bits = s.substr(slash + 1);
    static const RE2 digits("^[0-9]{1,3}$");
    if (!matches(bits, digits)) return false;
    return (is_ipv4(host) && number(bits) <= 32) || (is_ip(AF_INET6, host) && number(bits) <= 128);
}

bool is_mac(std::string_view s) {
    static const RE2 form("^(?:(?:[0-9a-fA-F]{2}:){5}|(?:[0-9a-fA-F]{2}:){7}|(?:[0-9a-fA-F]{2}:){19}|(?:[0-9a-fA-F]{2}-){5}|(?:[0-9a-fA-F]{2}-){7}|"
                          "(?:[0-9a-fA-F]{2}-){19})[0-9a-fA-F]{2}$|^(?:(?:[0-9a-fA-F]{4}\\.){2}|(?:[0-9a-fA-F]{4}\\.){3}|(?:[0-9a-fA-F]{4}\\.){9})[0-9a-fA-F]{4}$");
    return matches(s, form);
}

// url.ParseRequestURI: a path from the root, or a scheme and something.
bool is_uri(std::string_view s) {
    static const RE2 form("^(?:\\*|/.*|[a-zA-Z][a-zA-Z0-9+.-]*:.+)$"), control("[\\x00-\\x1f\\x7f]"), bad_escape("%(?:[^0-9a-fA-F]|.[^0-9a-fA-F]|.?$)");
    static const RE2 authority("^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[a-zA-Z0-9._~!$&'()*+,;=%:-]*@)?(?:\\[[^\\]]*\\]|[^\\[\\]:<>\" \\\\^`{|}@]*)(?::[0-9]*)?(?:[/?].*)?$");
    if (!matches(s, form) || matches(s, control)) return false;
    const auto path = s.substr(0, s.find('?'));
    const auto scheme = s.find("://");
    const bool has_authority = s.front() != '/' && scheme != std::string_view::npos && scheme == s.find(':');
    if (has_authority && !matches(s, authority)) return false;
    const auto colon = path.find(':'); // opaque addresses (mailto:…) are taken as they are
    const bool opaque = s.front() != '/' && !has_authority && colon != std::string_view::npos && path.substr(colon + 1, 1) != "/";
    return opaque || !matches(path, bad_escape);
}

// mail.ParseAddress: an address, alone or in <> after a name.
bool is_email(std::string_view s) {
    static const RE2 form(R"(^\s*(?:(?:(?:"(?:[^"\\]|\\.)*"|[^\s"<>()@,;:\\\[\]]+)\s*)*<([^<>]+)>|([^<>]+?))\s*$)");
    static const RE2 address(R"(^(?:[^\s"<>()@,;:\\\[\].]+(?:\.[^\s"<>()@,;:\\\[\].]+)*|"(?:[^"\\]|\\.)*")@[^\s"<>()@,;:\\\[\].]+(?:\.[^\s"<>()@,;:\\\[\].]+)*$)");
    re2::StringPiece in_brackets, alone;
    if (!RE2::FullMatch(piece(s), form, &in_brackets, &alone)) return false;
    return RE2::FullMatch(in_brackets.empty() ? alone : in_brackets, address);
}

// strfmt's pattern, with every letter, digit and symbol written as c: its counts blow an automaton up, and labels end at 63 bytes anyway.
bool is_host_name(std::string_view s) {
    static const RE2 letter("[a-zA-Z0-9\\p{S}\\p{L}]"), form("^(?:c-?c*|(?:c(?:[c-]*c)?\\.)+c(?:-?c)+)$");
    if (s.size() > 255) return false;
    std::string shape(s);
    std::replace(shape.begin(), shape.end(), '\0', ' ');
    RE2::GlobalReplace(&shape, letter, "c");
    if (!matches(shape, form)) return false;
    while (!s.empty()) {
        const auto dot = std::min(s.find('.'), s.size());
        if (dot > 63) return false;
        s.remove_prefix(std::min(dot + 1, s.size()));
    }
    return true;
}

bool is_credit_card(std::string_view s) {
    static const RE2 form("^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\\d{3})\\d{11})$");
    std::string digits;
    for (const char c : s)
        if (c >= '0' && c <= '9') digits += c;
    if (!matches(digits, form)) return false;
    int sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) { // Luhn, from the right
        int n = digits[digits.size() - 1 - i] - '0';
        if (i % 2 == 1) n = n * 2 >= 10 ? n * 2 - 9 : n * 2;
        sum += n;
    }
    return sum % 10 == 0;
}

bool is_isbn10(std::string_view text) {
    static const RE2 form("^(?:[0-9]{9}X|[0-9]{10})$");
    const std::string s = without(text, " \t\n\f\r-");
    if (!matches(s, form)) return false;
    int sum = 10 * (s[9] == 'X' ? 10 : s[9] - '0');
    for (int i = 0; i < 9; ++i) sum += (i + 1) * (s[static_cast<std::size_t>(i)] - '0');
    return sum % 11 == 0;
}

bool is_isbn13(std::string_view text) {
    static const RE2 form("^[0-9]{13}$");
    const std::string s = without(text, " \t\n\f\r-");
    if (!matches(s, form)) return false;
    int sum = 0;
    for (std::size_t i = 0; i < 12; ++i) sum += (i % 2 == 0 ? 1 : 3) * (s[i] - '0');
    return s[12] - '0' == (10 - sum % 10) % 10;
}

bool is_isbn(std::string_view s) { return is_isbn10(s) || is_isbn13(s); }

constexpr std::string_view kShortName = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

bool is_short_name(std::string_view s) {
    static const RE2 form("^" + std::string(kShortName) + "$");
    return s.size() <= 63 && matches(s, form);
}

bool is_long_name(std::string_view s) {
    static const RE2 form("^" + std::string(kShortName) + "(\\." + std::string(kShortName) + ")*$");
    return s.size() <= 253 && matches(s, form);
}

std::string uuid_form(std::string_view third, std::string_view fourth) {
    return "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?" + std::string(third) + "-?" + std::string(fourth) + "-?[0-9a-f]{12}$";
}

constexpr std::string_view kAny = "[0-9a-f]{4}", kVariant = "[89ab][0-9a-f]{3}";

bool is_uuid(std::string_view s) {
    static const RE2 form(uuid_form(kAny, kAny));
    return matches(s, form);
}

bool is_uuid3(std::string_view s) {
    static const RE2 form(uuid_form("3[0-9a-f]{3}", kAny));
    return matches(s, form);
}

bool is_uuid4(std::string_view s) {
    static const RE2 form(uuid_form("4[0-9a-f]{3}", kVariant));
    return matches(s, form);
}

bool is_uuid5(std::string_view s) {
    static const RE2 form(uuid_form("5[0-9a-f]{3}", kVariant));
    return matches(s, form);
}

bool is_byte(std::string_view s) {
    static const RE2 form("^(?:[A-Za-z0-9+\\/]{4})*(?:[A-Za-z0-9+\\/]{2}==|[A-Za-z0-9+\\/]{3}=|[A-Za-z0-9+\\/]{4})$");
    return matches(s, form);
}

bool is_ssn(std::string_view s) {
    static const RE2 form("^\\d{3}[- ]?\\d{2}[- ]?\\d{4}$");
    return s.size() == 11 && matches(s, form);
}

bool is_hex_color(std::string_view s) {
    static const RE2 form("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$");
    return matches(s, form);
}

bool is_rgb_color(std::string_view s) {
    static const std::string part = "\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*";
    static const RE2 form("^rgb\\(" + part + "," + part + "," + part + "\\)$");
    return matches(s, form);
}

bool is_bson_id(std::string_view s) {
    static const RE2 form("^[0-9a-fA-F]{24}$");
    return matches(s, form);
}

using Check = bool (*)(std::string_view);

// Names without dashes. Null: known, but never refused.
const std::map<std::string, Check, std::less<>>& checks() {
    static const std::map<std::string, Check, std::less<>> all{
        {"bsonobjectid", is_bson_id},
        {"byte", is_byte},
        {"cidr", is_cidr},
        {"creditcard", is_credit_card},
        {"date", is_date},
        {"datetime", is_date_time},
        {"duration", is_duration},
        {"email", is_email},
        {"hexcolor", is_hex_color},
        {"hostname", is_host_name},
        {"ipv4", is_ipv4},
        {"ipv6", [](std::string_view s) { return is_ip(AF_INET6, s); }},
        {"isbn", is_isbn},
        {"isbn10", is_isbn10},
        {"isbn13", is_isbn13},
        {"k8slongname", is_long_name},
        {"k8sshortname", is_short_name},
        {"mac", is_mac},
        {"password", nullptr},
        {"rgbcolor", is_rgb_color},
        {"ssn", is_ssn},
        {"uri", is_uri},
        {"uuid", is_uuid},
        {"uuid3", is_uuid3},
        {"uuid4", is_uuid4},
        {"uuid5", is_uuid5},
    };
    return all;
}

} // namespace

bool known_format(std::string_view type, std::string_view format) {
    if (type == "integer") return format == "int32" || format == "int64";
    if (type == "number") return format == "float" || format == "double";
    return (type.empty() || type == "string") && checks().contains(without(format, "-"));
}

bool has_format(std::string_view format, std::string_view text) {
    const auto it = checks().find(without(format, "-"));
    return it == checks().end() || it->second == nullptr || it->second(text);
}

} // namespace weber::kube::server
