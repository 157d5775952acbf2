// Custom resources against their openAPIV3Schema: defaults, nulls, validation. CEL rules (x-kubernetes-validations) are not
// evaluated; the server says so when a definition has such rules.
//
// Pure and thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube::server {

// Fills `default`s of the schema into `value`; a null that is not nullable takes the default.
void default_custom(Node& value, const Node& schema);
// Nulls of fields that are neither nullable nor have a default vanish. Of objects as sent only: an apply's null is refused instead.
void drop_custom_nulls(Node& value, const Node& schema);

// Causes as kube-apiserver gives them ("spec.n in body should be greater than or equal to 1"); empty = valid.
std::vector<ErrorDetail> validate_custom(const Node& value, const Node& schema);

// Of a schema's default, at `path` ("spec.validation.openAPIV3Schema.default").
std::vector<ErrorDetail> validate_default(const std::string& path, const Node& value, const Node& schema);
// Why a pattern is none, in Go's words ("missing closing ): `(`"); "" = it is one.
std::string pattern_error(std::string_view text);

// The first apiVersion or kind of an embedded resource that is no text: such an object cannot be read at all. `path`: of `value`.
std::optional<ErrorDetail> misfit_of_embedded(const Node& value, const Node& schema, const std::string& path = {});

// The numbers of instances that a scale subresource is about (paths like ".spec.replicas", "" = none).
std::vector<ErrorDetail> validate_custom_scale(const Node& value, const std::string& spec_path, const std::string& status_path);

// Calls `visit` with the schema and every schema in it.
void each_schema(const Node& schema, const std::function<void(const Node&)>& visit);

} // namespace weber::kube::server
