// /api, /apis and below: which groups, versions and resources there are, plain and aggregated. Pure.
#pragma once

#include <optional>

#include "kube/server/api_error.h"
#include "kube/server/http_types.h"
#include "kube/server/registry.h"

namespace weber::kube::server {

// The answer when the path is one of discovery's, else nullopt.
std::optional<HttpResponse> discovery(const Registry& registry, const HttpRequest& http);

// "/": every path that is served.
HttpResponse root_paths(const Registry& registry);

} // namespace weber::kube::server
