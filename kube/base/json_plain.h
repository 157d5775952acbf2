// The quick way through JSON as API servers write it. Internal to read_json.
#pragma once

#include <optional>
#include <string_view>

#include "kube/base/json.h"

namespace weber::kube {

// The same Node as the general reader makes, or nullopt for what is left to that one: all that is wrong (it has the words for it), repeated keys, and
// what is seldom: numbers that do not fit 18 digits or have exponents, escaped surrogates, a byte order mark. Pure.
std::optional<Node> read_plain_json(std::string_view text, const JsonReadOptions& options);

} // namespace weber::kube
