// Numbers as YAML and JSON write them.
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weber::kube {

// Decimal, 0x…, 0o…, 0b… and (as go-yaml v3 reads YAML 1.1) 0777 octal, `_` between digits allowed; optional sign.
// nullopt: not an integer, or outside int64. Source: go-yaml v3 resolve().
std::optional<std::int64_t> parse_int(std::string_view text);

// Decimal and exponent forms, .inf, .nan; integers too. nullopt: not a number.
std::optional<double> parse_double(std::string_view text);

// The shortest text that reads back, in the form of Go's encoding/json (exponent below 1e-6 and from 1e21 on).
std::string format_double(double value);

// True when `text` is a JSON number that a JSON writer may emit as it stands.
bool is_json_number(std::string_view text);

} // namespace weber::kube
