#include "gitops/source/git_url.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace weber::gitops {

namespace {

struct Parts {
    std::string_view user, host, path;
    bool has_user = false;
};

Parts parts_of(std::string_view url) {
    Parts out;
    const auto scheme = url.find("://");
    if (scheme == url.npos) return out;
    url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find('#'));
    url = url.substr(0, url.find('?'));
    const auto slash = std::min(url.find('/'), url.size());
    out.host = url.substr(0, slash);
    out.path = url.substr(slash);
    if (const auto at = out.host.rfind('@'); at != out.host.npos) {
        out.user = out.host.substr(0, at);
        out.host.remove_prefix(at + 1);
        out.has_user = true;
    }
    return out;
}

std::optional<unsigned char> escaped_byte(std::string_view text, std::size_t at) {
    unsigned char byte = 0;
    if (at + 2 >= text.size() || std::from_chars(text.data() + at + 1, text.data() + at + 3, byte, 16).ptr != text.data() + at + 3) return std::nullopt;
    return byte;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = text[i] == '%' ? escaped_byte(text, i) : std::nullopt;
        out += byte ? static_cast<char>(*byte) : text[i];
        if (byte) i += 2;
    }
    return out;
}

bool is_one_of(char c, std::string_view others) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || others.find(c) != others.npos; }

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

// In a host only bytes beyond ASCII may be escaped.
std::string bad_escape(std::string_view text, bool host = false) {
    for (auto at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
        const auto byte = escaped_byte(text, at);
        if (!byte || (host && *byte < 0x80 && text.substr(at, 3) != "%25")) return "invalid URL escape " + quoted(text.substr(at, 3));
    }
    return {};
}

std::string bad_host(std::string_view host) {
    const bool bracketed = host.starts_with('[');
    const auto end = bracketed ? host.rfind(']') : 0;
    if (end == host.npos) return "missing ']' in host";
    const std::string_view port = bracketed ? host.substr(end + 1) : host.substr(std::min(host.find(':'), host.size()));
    if (!port.empty() && (port.front() != ':' || port.find_first_not_of("0123456789", 1) != port.npos)) return "invalid port " + quoted(port) + " after host";
    if (std::string bad = bad_escape(host, true); !bad.empty()) return bad;
    const auto wrong = std::ranges::find_if(host, [](char c) { return static_cast<unsigned char>(c) < 0x80 && !is_one_of(c, "%-_.~!$&'()*+,;=:[]<>\""); });
    return wrong == host.end() ? "" : "invalid character " + quoted(std::string(1, *wrong)) + " in host name";
}

} // namespace

UrlUser user_of(std::string_view url) {
    const std::string_view user = parts_of(url).user;
    const auto colon = std::min(user.find(':'), user.size());
    return {percent_decoded(user.substr(0, colon)), percent_decoded(user.substr(std::min(colon + 1, user.size())))};
}

bool has_host(std::string_view url) { return !parts_of(url).host.empty(); }

std::string url_objection(std::string_view url) {
    if (std::ranges::any_of(url, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) return "net/url: invalid control character in URL";
    const Parts parts = parts_of(url);
    if (std::string bad = bad_host(parts.host); !bad.empty()) return bad;
    if (!std::ranges::all_of(parts.user, [](char c) { return is_one_of(c, "-._:~!$&'()*+,;=%@"); })) return "net/url: invalid userinfo";
    for (const std::string_view part : {parts.user, parts.path, url.substr(std::min(url.find('#'), url.size()))})
        if (std::string bad = bad_escape(part); !bad.empty()) return bad;
    return {};
}

} // namespace weber::gitops
