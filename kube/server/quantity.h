// Resource quantities ("500m", "1.5Gi", "1e3") in the one form in which Kubernetes writes them.
//
// Pure and thread-safe.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace weber::kube::server {

// A value in units of 10⁻⁹, rounded up; as large as Kubernetes allows (2⁶³-1).
struct Quantity {
    __int128 nanos = 0;
    enum class Format : unsigned char { decimal, binary, exponent } format = Format::decimal;
    friend bool operator==(const Quantity& a, const Quantity& b) { return a.nanos == b.nanos; }
    friend auto operator<=>(const Quantity& a, const Quantity& b) { return a.nanos <=> b.nanos; }
};

// nullopt: not a quantity.
std::optional<Quantity> parse_quantity(std::string_view text);
// apimachinery's CanonicalizeBytes: no fraction, the largest suffix that keeps it so.
std::string to_string(const Quantity& quantity);

} // namespace weber::kube::server
