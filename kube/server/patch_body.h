// The four patch types, applied to a tree: JSON patch, merge patch, strategic merge patch; server-side apply is the engine's.
#pragma once

#include "kube/server/api_error.h"
#include "kube/server/request.h"

namespace weber::kube::server {

enum class PatchType : std::uint8_t { json, merge, strategic, apply };

// By content type; 415 for another one, or for a strategic merge patch of a custom resource.
Api<PatchType> patch_type(const Call& call);
// The patch as a tree. 400 when it cannot be read or does not have the shape of its type.
Api<Node> read_patch(Call& call, PatchType type);
// `live` with the patch applied (not for apply). 422 when a JSON patch does not fit, 400 for a bad strategic patch.
Api<Node> patched(const Call& call, PatchType type, const Node& live, const Node& patch);

} // namespace weber::kube::server
