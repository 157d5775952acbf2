// What Go's encoding/json says about a text that is no JSON. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weber::kube::server {

// "invalid character 'x' after top-level value", "unexpected end of JSON input" …; "" for JSON.
std::string go_json_error(std::string_view text);

} // namespace weber::kube::server
