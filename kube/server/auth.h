// Who is asking. Pure.
#pragma once

#include <optional>
#include <string>

#include "kube/server/api_error.h"
#include "kube/server/request.h"

namespace weber::kube::server {

struct AuthOptions {
    std::string token;      // bearer token of the administrator; "" = everybody who can connect is the administrator
};

// The user of a request, after impersonation. 401 without the right token.
Api<User> authenticate(const AuthOptions& options, const HttpRequest& http);

} // namespace weber::kube::server
