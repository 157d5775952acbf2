// Two escapes in double quotes: go-yaml knows \' and does not know \/, with libyaml it is the other way round. And brackets and commas in tags, which go-yaml takes
// for parts of them (`!x] v`, `[!x, y]`). For the readers of YAML alone.
//
// Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weber::kube {

// The text by which libyaml gives go-yaml's result, lines and all; nullopt when it is the same text, as nearly always.
std::optional<std::string> escapes_for_libyaml(std::string_view text);

} // namespace weber::kube
