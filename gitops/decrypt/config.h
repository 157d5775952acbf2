// `.sops.yaml`: which recipients and which rule a new file gets (config/config.go of SOPS).
//
// Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gitops/decrypt/metadata.h"
#include "gitops/decrypt/stores.h"

namespace weber::gitops::sops {

// The settings of the first creation rule that fits `path` (relative to the directory of the config file); nullopt when none does.
// Errors: invalid, with file and line: a bad regular expression, several rules for what is encrypted, keys of a wrong form.
Result<std::optional<Metadata>> creation_rule(std::string_view config, std::string_view config_file, std::string_view path);

// `stores` of the config file. Error: invalid, with file and line: an `indent` that is no whole number.
Result<Indentation> indentation(std::string_view config, std::string_view config_file);

} // namespace weber::gitops::sops
