// ConfigMaps and Secrets made from literals, files and env files.
//
// Rules: kustomize api/internal/generators, api/kv, kyaml/yaml/datamap.go.
#pragma once

#include <memory>
#include <optional>

#include "kube/base/error.h"
#include "kustomize/loader.h"
#include "kustomize/resource.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// Options of one generator with those of the whole kustomization merged in: local labels and annotations win,
// a global `true` wins over a local `false`.
[[nodiscard]] std::optional<GeneratorOptions> merge_generator_options(std::optional<GeneratorOptions> local,
                                                                      const std::optional<GeneratorOptions>& global);

// The resource, with its behavior and hash flag set. Files are read through `loader`. A repeated key, a missing file, a bad
// source are errors that name the generator's place; no value of a secret appears in them.
Result<std::unique_ptr<Resource>> make_config_map(const Loader& loader, const GeneratorArgs& args);
Result<std::unique_ptr<Resource>> make_secret(const Loader& loader, const GeneratorArgs& args);

} // namespace weber::kustomize
