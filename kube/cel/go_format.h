// Numbers as Go's strconv and fmt write and read them: CEL's texts are defined by them.
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weber::cel {

// %g and %v with the shortest digits that read back: an exponent below 1e-4 and from 1e6 on.
std::string format_general(double v);
// 'f' with the shortest digits that read back: never an exponent. Infinities as "+Inf".
std::string format_plain(double v);
// %.<precision>f and %.<precision>e.
std::string format_fixed(double v, int precision);
std::string format_scientific(double v, int precision);
std::string format_base(std::uint64_t v, int base);

// strconv.ParseInt(text, 10, 64) and its siblings; nullopt where they fail.
std::optional<std::int64_t> parse_go_int(std::string_view text, int base = 10);
std::optional<std::uint64_t> parse_go_uint(std::string_view text, int base = 10);
std::optional<double> parse_go_float(std::string_view text);
std::optional<bool> parse_go_bool(std::string_view text);

} // namespace weber::cel
