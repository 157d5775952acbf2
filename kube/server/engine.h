// The join between the request handlers and the pure rules: merge engine, defaults, pruning, validation (kube/merge, defaults, validate).
//
// Pure but for the clock.
#pragma once

#include <vector>

#include "kube/server/api_error.h"
#include "kube/server/request.h"

namespace weber::kube::server {

// A body as sent becomes an object of its type: unknown fields are dropped (or refused, or warned about, as the
// request says), nulls vanish, defaults are filled in. Errors: 400 as kube-apiserver words them.
Api<void> decode_object(Call& call, Node& obj);
// Only the defaults (after an apply or a patch).
void set_defaults(const Call& call, Node& obj);
// The fields that a built-in object always shows (after its metadata and status were filled in).
// `stored`: as it comes back from the store (empty lists as none), not as it was sent.
void complete_object(const Call& call, Node& obj, bool stored = true);

// managedFields of a POST, PUT or non-apply PATCH: `next` with the fields that changed against `live` (null: a new object) given to the
// request's manager.
Node track_update(const Call& call, const Node& live, Node next, std::string_view subresource);
// Server-side apply of `patch` (spec apply.md 11.2–11.6). Errors: 409 with conflicts, 500 for type errors.
Api<Node> apply_patch(Call& call, const Node& live, const Node& patch, bool force, std::string_view subresource);

// 422 causes; empty = valid.
std::vector<ErrorDetail> validate_new(const Call& call, const Node& obj);
std::vector<ErrorDetail> validate_change(const Call& call, const Node& obj, const Node& live);

} // namespace weber::kube::server
