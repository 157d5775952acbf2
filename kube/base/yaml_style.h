// How go-yaml v2 (sigs.k8s.io/yaml) writes one scalar, and in which order it writes keys. Used by yaml_write.cpp.
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube {

enum class YamlScalarStyle : std::uint8_t { plain, single_quoted, double_quoted, literal };

// Style of a string value or key; `simple_key`: it stands before ": " on one line.
[[nodiscard]] YamlScalarStyle yaml_scalar_style(std::string_view text, bool simple_key);

// The most frequent case of it: true for a text that is written plain wherever it stands, without blanks and breaks. False says nothing.
[[nodiscard]] bool is_plain_yaml_word(std::string_view text);

// go-yaml's key order: letters by code point, letters after other characters, digit runs by value ("a2" before "a10").
[[nodiscard]] bool yaml_key_less(std::string_view a, std::string_view b);

// Text of a number that is no int64: what json.Marshal and go-yaml v2 in turn make of it (1e3 → 1000, 1e21 → 1e+21).
[[nodiscard]] std::string yaml_number_text(std::string_view text);

// A plain map key that YAML 1.1 takes for a number, as sigs.k8s.io/yaml makes a JSON key of it (0x10 → 16, 1.50 → 1.5, .INF → .inf). Error invalid: an integer beyond int64.
[[nodiscard]] Result<std::string> yaml_number_key(std::string_view text, NodeKind kind);

// "-" no final break, "" one, "+" several: the hint after "|".
[[nodiscard]] std::string_view yaml_chomping(std::string_view text);

// A plain text that YAML 1.1 takes for a date or a time ("2020-01-01"), written as Go prints a time ("2020-01-01T00:00:00Z");
// "" for any other text. kustomize turns unquoted dates into this.
[[nodiscard]] std::string yaml_timestamp(std::string_view text);

[[nodiscard]] inline bool is_yaml_break(std::uint32_t c) {
    return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}
// go-yaml v2 does not count what lies beyond the basic plane, nor tabs.
[[nodiscard]] inline bool is_yaml_printable(std::uint32_t c) {
    return c == 0x0A || (c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF);
}
[[nodiscard]] bool has_yaml_break(std::string_view text);

} // namespace weber::kube
