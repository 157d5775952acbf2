// YAML as sigs.k8s.io/yaml turns it into JSON: a plain key that is a number or a truth becomes its canonical text, a null is no key.
//
// Pure and thread-safe.
#pragma once

#include "kube/base/yaml.h"

namespace weber::kube {

// read_yaml with such keys (0x10 → "16", 1.50 → "1.5", yes → "true"). Further errors: invalid, `unsupported map key of type: …`, without the key's value.
Result<std::vector<Node>> read_yaml_with_typed_keys(std::string_view text, const YamlReadOptions& options);

} // namespace weber::kube
