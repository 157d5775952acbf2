// An object as a client sent it, or as a client's patch makes it: does it fit the URL, and what is it once decoded?
#pragma once

#include "kube/server/patch_body.h"

namespace weber::kube::server {

// The body's type against the URL's; a body without a type is given the URL's. 400.
Api<void> check_type(const Call& call, Node& obj);
// Its name and namespace against the URL's. 400.
Api<void> check_name(const Call& call, const Node& obj);
// Both, then decoded: unknown fields dropped (or refused, or warned about, as the request says), defaults filled in.
Api<void> read_object(Call& call, Node& obj);
// `live` with a patch (not an apply) applied, checked and decoded. 400; 422 when the patch does not fit or what it makes is no such object.
Api<Node> patch_object(Call& call, PatchType type, const Node& live, const Node& patch);

} // namespace weber::kube::server
