// The quick way to read manifests: maps, lists and scalars in all styles, without anchors, aliases, tags, tabs outside of blocks, and comments inside brackets, which is
// what nearly all of them are. A document that holds anything else is left to libyaml, alone if it can be told from the others.
//
// Pure and thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "kube/base/yaml.h"

namespace weber::kube {

// What read_yaml gives for `text`, or nullopt when the text holds an error, more than a limit, or forms beyond those above that cannot be left to
// libyaml for a document alone: then nothing is known of it. Never an answer that libyaml would not give (YamlPlain tests read the same texts both ways).
[[nodiscard]] std::optional<std::vector<Node>> read_plain_yaml(std::string_view text, const YamlReadOptions& options);

// read_yaml without the quick way. `expanded` gets the number of nodes that aliases stood for.
[[nodiscard]] Result<std::vector<Node>> read_any_yaml(std::string_view text, const YamlReadOptions& options, std::uint64_t* expanded = nullptr);

} // namespace weber::kube
