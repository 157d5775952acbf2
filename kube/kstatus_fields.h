// How kstatus reads fields: leniently by kind rules, strictly (with the library's error texts) in its generic steps. Internal to kstatus.cpp. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/object.h"

namespace weber::kube::status_fields {

struct Condition {
    std::string type, status, reason, message;
};

// The integer at a path; `fallback` when it is missing or no integer.
std::int64_t int_at(const Object& o, std::initializer_list<std::string_view> path, std::int64_t fallback = 0);
// The string at a path; `fallback` when it is missing or no string.
std::string_view text_at(const Object& o, std::initializer_list<std::string_view> path, std::string_view fallback = {});

// o.<outer>.<inner> as an integer, nullopt when absent. Error: `looking up status.observedGeneration from resource: …`.
Result<std::optional<std::int64_t>> checked_int(const Object& o, std::string_view outer, std::string_view inner);
// Is metadata.deletionTimestamp set? Error when it is no string.
Result<bool> checked_deleting(const Object& o);
// status.conditions. Errors: `cannot restore slice from string`, `unrecognized type: string` …
Result<std::vector<Condition>> read_conditions(const Object& o);

} // namespace weber::kube::status_fields
