// An OpenAPI v2 document in the protobuf encoding of gnostic-models (openapiv2/OpenAPIv2.proto), which client-go's discovery asks for and kubectl's
// client-side apply merges by.
//
// Pure and thread-safe.
#pragma once

#include <string>

#include "kube/base/node.h"

namespace weber::kube::server {

inline constexpr const char* kOpenApiProtobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

// `document`: as /openapi/v2 serves it in JSON. Fields that the encoding does not know are left out; "x-…" become vendor extensions, in YAML.
std::string openapi_protobuf(const Node& document);

} // namespace weber::kube::server
