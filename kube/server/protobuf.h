// Bodies in Kubernetes' protobuf encoding, which Go clients send for built-in kinds. Only read: answers are JSON, which they take too.
//
// Pure and thread-safe.
#pragma once

#include <string_view>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube::server {

inline constexpr std::string_view kProtobufType = "application/vnd.kubernetes.protobuf";

// The object (with apiVersion and kind) of an enveloped message. Errors: invalid (misshaped, nested too deep), unsupported (a kind whose fields are
// not known, or definitions with their own encoding of JSON).
Result<Node> read_protobuf(std::string_view body);

} // namespace weber::kube::server
