#include "kube/proxy_environment.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "kube/base/ascii.h"
#include "kube/base/trim.h"

namespace weber::kube {

namespace {

// An address of IPv4 or IPv6, the former in the form of the latter.
using Ip = std::array<unsigned char, 16>;
constexpr int kMappedBits = 96; // of ::ffff:0:0/96, before the 32 of IPv4

std::optional<Ip> parse_ip(std::string_view text) {
    const std::string copy(text);
    Ip out{};
    if (inet_pton(AF_INET, copy.c_str(), out.data() + 12) == 1) {
        out[10] = out[11] = 0xff;
        return out;
    }
    if (inet_pton(AF_INET6, copy.c_str(), out.data()) == 1) return out;
    return std::nullopt;
}

bool is_ipv4(const Ip& ip) {
    return std::all_of(ip.begin(), ip.begin() + 10, [](unsigned char c) { return c == 0; }) && ip[10] == 0xff && ip[11] == 0xff;
}

bool is_loopback(const Ip& ip) {
    Ip one{};
    one[15] = 1;
    return ip == one || (is_ipv4(ip) && ip[12] == 127);
}

bool same_bits(const Ip& a, const Ip& b, int bits) {
    const auto whole = static_cast<std::size_t>(bits / 8);
    if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
    return bits % 8 == 0 || ((a[whole] ^ b[whole]) >> (8 - bits % 8)) == 0;
}

std::string either(const char* name, const char* other) {
    for (const char* n : {name, other})
        if (const char* value = std::getenv(n); value && *value) return value;
    return {};
}

// 10.0.0.0/8; nullopt: it is not of that form.
std::optional<bool> in_range(std::string_view entry, const std::optional<Ip>& ip) {
    const auto slash = entry.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto net = parse_ip(entry.substr(0, slash));
    const std::string_view digits = entry.substr(slash + 1);
    int bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    const int most = entry.find(':') == std::string_view::npos ? 32 : 128;
    if (!net || error != std::errc() || end != digits.data() + digits.size() || bits < 0 || bits > most) return std::nullopt;
    if (!ip || is_ipv4(*ip) != (most == 32)) return false;
    return same_bits(*ip, *net, most == 32 ? kMappedBits + bits : bits);
}

// One entry of NO_PROXY, in lower case and not empty.
bool covers(std::string_view entry, std::string_view host, std::string_view port, const std::optional<Ip>& ip) {
    if (entry == "*") return true;
    if (const auto range = in_range(entry, ip)) return *range;
    std::string_view name = entry, wanted_port;
    const auto colon = entry.rfind(':');
    const bool bracketed = entry.starts_with('[');
    if (colon != std::string_view::npos && (bracketed ? entry[colon - 1] == ']' : entry.find(':') == colon)) {
        name = entry.substr(0, colon);
        wanted_port = entry.substr(colon + 1);
    }
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    if (name.empty() || (!wanted_port.empty() && wanted_port != port)) return false;
    if (const auto address = parse_ip(name)) return ip == address;
    if (name.starts_with("*.")) name.remove_prefix(1);
    if (name.starts_with('.')) return host.ends_with(name);
    return host == name || host.ends_with("." + std::string(name));
}

} // namespace

ProxyEnvironment ProxyEnvironment::from_environment() {
    return {.http = either("HTTP_PROXY", "http_proxy"), .https = either("HTTPS_PROXY", "https_proxy"), .no_proxy = either("NO_PROXY", "no_proxy")};
}

std::string ProxyEnvironment::proxy_for(bool is_https, std::string_view host, std::string_view port) const {
    const std::string& proxy = is_https ? https : http;
    const std::string name = ascii_lower(host);
    const auto ip = parse_ip(name);
    if (proxy.empty() || name == "localhost" || (ip && is_loopback(*ip))) return {};
    const std::string list = ascii_lower(no_proxy);
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t comma = std::min(list.find(',', at), list.size());
        const std::string_view entry = trimmed(std::string_view(list).substr(at, comma - at));
        if (!entry.empty() && covers(entry, name, port, ip)) return {};
        at = comma + 1;
    }
    return proxy;
}

} // namespace weber::kube
