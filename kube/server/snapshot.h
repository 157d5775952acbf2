// What a collection held at an earlier resourceVersion, as far back as the log of its events reaches.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "kube/server/store.h"

namespace weber::kube::server {

// The objects of `resource` in `ns` ("" = all) at `rv`, by namespace, then name; nullopt: older than the log (410).
// Thread-safe; waits for writes that are on their way to the disk.
std::optional<std::vector<ObjectPtr>> objects_at(const Store& store, std::string_view resource, std::string_view ns, std::uint64_t rv);

} // namespace weber::kube::server
