// POST, PUT, PATCH and DELETE of objects and their subresources: bodies are read and checked here, Core does the rest.
#pragma once

#include "kube/server/core.h"
#include "kube/server/present.h"

namespace weber::kube::server {

// Each answers when the change is in memory; the caller sends the response when `ack` says that it is on disk.
Api<HttpResponse> write_create(Core& core, Call& call, Ack& ack);
Api<HttpResponse> write_update(Core& core, Call& call, Ack& ack);
Api<HttpResponse> write_patch(Core& core, Call& call, Ack& ack);
Api<HttpResponse> write_delete(Core& core, Call& call, Ack& ack);
Api<HttpResponse> write_delete_collection(Core& core, Call& call, Ack& ack);

// The body as a tree: JSON or YAML by its content type. 415, 400.
Api<Node> read_body(Call& call);

} // namespace weber::kube::server
