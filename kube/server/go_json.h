// What Go's encoding/json says about a text that is no JSON. Pure.
#pragma once

#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube::server {

// "invalid character 'x' after top-level value", "unexpected end of JSON input" …; "" for JSON.
std::string go_json_error(std::string_view text);
// "json: cannot unmarshal number into Go value of type T".
std::string go_misfit(const Node& value, std::string_view go_type);
// What it says when it looks for apiVersion and kind in a body that was read as `parsed` and is no object; where only we refuse it (depth, size), our words.
std::string go_type_meta_error(std::string_view body, const Result<Node>& parsed);

// An error of our YAML reader as Kubernetes' says it, which counts the lines of some from 0 and does not name the first one.
std::string go_yaml_error(std::string_view message);

} // namespace weber::kube::server
