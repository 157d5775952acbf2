// The ValueAddTransformer plugin: one value written to, or put into a path inside, fields of objects.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kustomize/resource_set.h"
#include "kustomize/types.h"

namespace weber::kustomize {

struct ValueAddTarget {
    std::optional<Selector> selector; // none: every object
    std::string field_path;           // slash-separated
    int file_path_position = 0;       // 0: replace the field; n: insert the value as n-th element of the path it holds
};

struct ValueAddOptions {
    std::string value;
    std::vector<ValueAddTarget> targets;
};

// Source: kustomize ValueAddTransformer, filters/valueadd.
Result<void> apply_value_add(ResourceSet& resources, const ValueAddOptions& options);

} // namespace weber::kustomize
