// What a deletion is asked with: a DeleteOptions as the body, else the parameters of the query.
#pragma once

#include "kube/server/core.h"
#include "kube/server/http_types.h"

namespace weber::kube::server {

// Errors: 400 (a body that cannot be read), 415 (in no format there is), 422 (values that there are not or that do not go together).
// Source: apiserver's handlers/delete.go; a body makes the query count for nothing.
Api<DeleteOptions> read_delete_options(const HttpRequest& http);

} // namespace weber::kube::server
