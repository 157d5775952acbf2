#include "kube/server/addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace weber::kube::server {
namespace {

struct Address {
    bool v6 = false;                          // written with colons
    bool mapped = false;                      // an IPv4 address written as an IPv6 one
    bool leading_zeros = false;
    std::array<unsigned char, 16> bytes = {}; // the first four for IPv4
    [[nodiscard]] int bits() const { return v6 ? 128 : 32; }
};

// Leading zeros of an IPv4 address mean nothing, as in Go before 1.17.
std::optional<Address> read(std::string_view text) {
    Address a;
    a.v6 = text.find(':') != std::string_view::npos;
    if (a.v6) {
        if (inet_pton(AF_INET6, std::string(text).c_str(), a.bytes.data()) != 1) return std::nullopt;
        a.mapped = std::all_of(a.bytes.begin(), a.bytes.begin() + 10, [](unsigned char c) { return c == 0; }) && a.bytes[10] == 0xff && a.bytes[11] == 0xff;
        return a;
    }
    for (std::size_t i = 0; i < 4; ++i) {
        const auto end = i < 3 ? text.find('.') : text.size();
        unsigned value = 0;
        if (end == std::string_view::npos || end == 0) return std::nullopt;
        const auto [stop, error] = std::from_chars(text.data(), text.data() + end, value);
        if (error != std::errc() || stop != text.data() + end || value > 255) return std::nullopt;
        a.leading_zeros = a.leading_zeros || (end > 1 && text[0] == '0');
        a.bytes.at(i) = static_cast<unsigned char>(value);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return a;
}

struct Range {
    Address address;
    int bits = 0;
    bool leading_zeros = false; // in the length
};

std::optional<Range> read_range(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto address = read(text.substr(0, slash));
    const std::string_view length = text.substr(slash + 1);
    int bits = 0;
    const auto [stop, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (!address || error != std::errc() || stop != length.data() + length.size() || bits < 0 || bits > address->bits()) return std::nullopt;
    return Range{*address, bits, length.size() > 1 && length[0] == '0'};
}

std::array<unsigned char, 16> network(const Address& a, int bits) {
    auto out = a.bytes;
    for (int bit = bits; bit < a.bits(); ++bit) out.at(static_cast<std::size_t>(bit / 8)) &= static_cast<unsigned char>(~(0x80 >> (bit % 8)));
    return out;
}

} // namespace

std::optional<std::string> canonical_ip(std::string_view text) {
    const auto a = read(text);
    if (!a || a->leading_zeros || a->mapped) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> out = {};
    inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->bytes.data(), out.data(), out.size());
    return out.data();
}

std::string wrong_ip(std::string_view text) {
    const auto a = read(text);
    if (!a) return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    if (a->leading_zeros) return "must not have leading 0s";
    return a->mapped ? "must not be an IPv4-mapped IPv6 address" : "";
}

std::string wrong_cidr(std::string_view text) {
    const auto r = read_range(text);
    if (!r) return "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
    if (r->address.leading_zeros || r->leading_zeros) return "must not have leading 0s in IP or prefix length";
    if (r->address.mapped) return "must not have an IPv4-mapped IPv6 address";
    return network(r->address, r->bits) != r->address.bytes ? "must not have bits set beyond the prefix length" : "";
}

bool strictly_within(std::string_view inner, std::string_view outer) {
    const auto in = read_range(inner), out = read_range(outer);
    return in && out && in->address.v6 == out->address.v6 && in->bits > out->bits && network(in->address, out->bits) == network(out->address, out->bits);
}

std::optional<std::string> canonical_cidr(std::string_view text) {
    const auto address = wrong_cidr(text).empty() ? canonical_ip(text.substr(0, text.find('/'))) : std::nullopt;
    return address ? std::optional(*address + std::string(text.substr(text.find('/')))) : std::nullopt;
}

bool is_cidr(std::string_view text) { return read_range(text).has_value(); }

std::string unfit_for_endpoint(std::string_view ip) {
    const auto a = read(ip);
    if (!a) return "must be a valid IP address";
    const auto& b = a->bytes;
    const auto all_zero = [&](int until) { return std::all_of(b.begin(), b.begin() + until, [](unsigned char c) { return c == 0; }); };
    if (all_zero(a->v6 ? 16 : 4)) return "may not be unspecified (" + std::string(ip) + ")";
    if (a->v6 ? all_zero(15) && b[15] == 1 : b[0] == 127) return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
    if (a->v6 ? b[0] == 0xfe && (b[1] & 0xc0) == 0x80 : b[0] == 169 && b[1] == 254) return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
    if (a->v6 ? b[0] == 0xff && (b[1] & 0x0f) == 2 : b[0] == 224 && b[1] == 0 && b[2] == 0)
        return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
    return {};
}

bool is_ipv6(std::string_view ip) { return ip.find(':') != std::string_view::npos; }

} // namespace weber::kube::server
