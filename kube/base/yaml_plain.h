// The quick way to read manifests: block maps and lists of one-line scalars and literal blocks in ASCII, which is what nearly all
// of them are. Anything else is left to libyaml.
//
// Pure and thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "kube/base/yaml.h"

namespace weber::kube {

// What read_yaml gives for `text`, or nullopt when the text holds anything but the forms above, an error, or more than a limit: then
// nothing is known of it. Never an answer that libyaml would not give (YamlPlain tests read the same texts both ways).
[[nodiscard]] std::optional<std::vector<Node>> read_plain_yaml(std::string_view text, const YamlReadOptions& options);

// read_yaml without the quick way.
[[nodiscard]] Result<std::vector<Node>> read_any_yaml(std::string_view text, const YamlReadOptions& options);

} // namespace weber::kube
