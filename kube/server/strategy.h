// What kube-apiserver's per-kind strategies do around a write: what clients may not set, what the server fills in, when the
// generation rises. Facts of 1.36's registry packages.
#pragma once

#include <string_view>

#include "kube/server/api_error.h"
#include "kube/server/core.h"

namespace weber::kube::server {

struct Strategy {
    bool generation = false;        // metadata.generation is kept
    bool create_on_update = false;  // PUT makes a missing object
    bool unconditional = true;      // PUT without resourceVersion is accepted
    bool returns_deleted = false;   // DELETE answers with the object, not with a Status
};
Strategy strategy_of(const ResourceInfo& resource, const VersionInfo& version);

// What Go's conversion to the internal form does to an object as it was sent, before anything is known of its owner.
void to_internal(std::string_view id, Node& obj);
// The same form's metadata lacks what is a field of its own there: for tables' rows.
void hide_internal_annotations(std::string_view id, Node& obj);
// A new object: status dropped, kind-specific fields filled in (Service addresses, Namespace finalizer, Secret stringData …).
// Allocations of a request that fails later are given back by `release`.
Api<void> prepare_create(Core& core, const Call& call, Node& obj);
// The condition of an APIService that this server itself serves.
void mark_local(Node& api_service);
// A changed object against the live one; `subresource` "" or "status", "scale" …
Api<void> prepare_update(Core& core, const Call& call, Node& obj, const Node& live, std::string_view subresource);
// What a removed (or never stored) object held: addresses, ports.
void release(Core& core, const ResourceInfo& resource, const Node& obj);
// The spec-level change that raises the generation?
bool generation_changes(const ResourceInfo& resource, const VersionInfo& version, const Node& obj, const Node& live);

} // namespace weber::kube::server
