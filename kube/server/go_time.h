// Times as Go's metav1.Time and MicroTime read and write them.
#pragma once

#include <string>
#include <string_view>

#include "kube/base/error.h"

namespace weber::kube::server {

// The text in UTC, without fraction (`micro`: with six digits of it). Errors, in the words of Go's time.Parse: no RFC 3339 time, or a
// micro time with another number of digits.
Result<std::string> go_time(std::string_view text, bool micro);

} // namespace weber::kube::server
