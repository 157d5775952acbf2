// Text with `${…}` expressions in, text with their values out: drone/envsubst's dialect as Flux ships it (build.md 5.2, 5.3).
//
// Pure and thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "kube/base/error.h"

namespace weber::gitops {

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};

// Values by name.
using Variables = std::unordered_map<std::string, std::string, StringHash, std::equal_to<>>;

// `strict`: a name without value is an error, but for the forms that bring a default (`:=` `=` `:-` `:?` `:+`); else it is empty.
// Errors: invalid, the message one of build.md 5.3, never with a value in it; too_large when the output passes 64 MiB.
Result<std::string> expand(std::string_view text, const Variables& variables, bool strict = false);

// Appends to `out`.
Result<void> expand(std::string_view text, const Variables& variables, bool strict, std::string& out);

} // namespace weber::gitops
