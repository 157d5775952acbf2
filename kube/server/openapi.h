// /openapi/v2 and /openapi/v3: the schemas that kubectl needs for validation, `explain` and client-side apply.
// Made from the built-in type tables (no descriptions) and the schemas of CRDs. Made when asked for, cached by registry generation.
#pragma once

#include <optional>

#include "kube/server/http_types.h"
#include "kube/server/registry.h"

namespace weber::kube::server {

// The answer when the path is under /openapi, else nullopt. Thread-safe.
std::optional<HttpResponse> openapi(const RegistryPtr& registry, const HttpRequest& http);

} // namespace weber::kube::server
