// The defaults of built-in types, as kube-apiserver's defaulting functions (pkg/apis/*/defaults.go of 1.36) fill them in.
//
// Pure and thread-safe.
#pragma once

#include "kube/base/node.h"
#include "kube/base/schema.h"

namespace weber::kube::server {

// Fills the defaults of `type` and of all types below it into `value`, outer types first.
void set_typed_defaults(Node& value, const TypeSchema& type);

} // namespace weber::kube::server
