// Words and meaning of refusals (apply.md 3.4 and 3.8).
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/object.h"

namespace weber::gitops {

// The refusal as the user reads it: subject, step, reason, place in the source; values of a Secret masked.
Error dry_run_error(const Object& desired, Error inner);
// `step`: "apply failed", "immutable field detected, failed to delete object", …
Error step_error(const Object& desired, std::string_view step, Error inner);

// Values from Secrets that are shorter stand everywhere: to mask them would only garble the texts.
inline constexpr std::size_t kShortestMasked = 4;

// Takes the values out of the texts, and with any of them what the server quotes in a type error: a variable from a Secret may stand in any object.
void mask_secret_values(std::vector<Error>& errors, const std::vector<std::string>& values);

// Flux's test: 409, 422, or a text that matches `is\simmutable` or `immutable\sfield`.
bool counts_as_immutable(const Error& error);
// Every cause says that a field cannot change: recreating the object helps. (Flux recreates on any 422, and loses the object to a typo.)
bool only_immutable_causes(const Error& error);

} // namespace weber::gitops
