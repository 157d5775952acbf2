// How a client wants its JSON answers written: compact, indented for people, or as YAML.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "kube/server/http_types.h"

namespace weber::kube::server {

// `exchange`, or one before it that rewrites complete JSON answers: indented with `?pretty=true` and, unless the query says otherwise, for
// browsers, curl and wget, as kube-apiserver does; as YAML when the Accept header asks for it, errors and discovery included. Schemas
// (/openapi) and streams stay as they are.
std::shared_ptr<Exchange> in_wanted_form(const HttpRequest& http, std::shared_ptr<Exchange> exchange);

// JSON text indented by two blanks as Go's json.MarshalIndent does; no final newline. Numbers, texts and the order of keys stay.
std::string indented_json(std::string_view json);

} // namespace weber::kube::server
