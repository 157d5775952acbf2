// IP addresses and ranges, as apimachinery's util/validation/ip.go takes them (with StrictIPCIDRValidation, on by default since 1.36).
//
// Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weber::kube::server {

// The address as Go writes it; nullopt: none, or an IPv4 address with leading zeros or in IPv6 form.
std::optional<std::string> canonical_ip(std::string_view text);
// Why the text is no address, or none that may be given; "" = it is one (an IPv6 one perhaps not in its canonical form).
std::string wrong_ip(std::string_view text);
// Why the text is no range.
std::string wrong_cidr(std::string_view text);
bool is_cidr(std::string_view text); // perhaps one that may not be given
// The range as Go writes it; nullopt: wrong.
std::optional<std::string> canonical_cidr(std::string_view text);
// Is the range `inner` a part of `outer`, and a smaller one? Both must be right.
bool strictly_within(std::string_view inner, std::string_view outer);
// Why an address cannot be that of an endpoint (ValidateEndpointIP); "" = it can.
std::string unfit_for_endpoint(std::string_view ip);
bool is_ipv6(std::string_view ip); // of an address

} // namespace weber::kube::server
