// `format` of strings in schemas of custom resources: what apiextensions enforces (its list of supported formats) and what kube-openapi's
// strfmt takes for well-formed.
//
// Pure and thread-safe.
#pragma once

#include <string_view>

namespace weber::kube::server {

// Is this a format that apiextensions knows for a value of `type` ("" and "string": of texts; integer: int32, int64; number: float,
// double)? Others are ignored, with a warning when the definition is written. Dashes do not count: date-time is datetime.
bool known_format(std::string_view type, std::string_view format);

// Is `text` well-formed? True for formats that are not checked.
bool has_format(std::string_view format, std::string_view text);

} // namespace weber::kube::server
