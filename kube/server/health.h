// /healthz, /livez and /readyz, with the checks of a real kube-apiserver, which tools ask by name. Here the server that answers is well.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kube/server/http_types.h"

namespace weber::kube::server {

// nullopt: the path is of something else. ?verbose tells each check, ?exclude= leaves some out.
std::optional<HttpResponse> health(const HttpRequest& http);

// All of them: "/healthz", "/healthz/ping" …
std::vector<std::string> health_paths();

} // namespace weber::kube::server
