// Writing what concerns a Kustomization itself: its status and its finalizer (kustomization.md 3.2).
//
// Thread-safe as the client is.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "gitops/api/names.h"
#include "gitops/reconcile/status.h"
#include "kube/client.h"

namespace weber::gitops {

// Brings fields of an object's status to what `wanted` says: one merge patch of the status subresource with the difference, under an optimistic lock;
// `wanted` is asked again for every try, with the object as it is then (others' conditions may have changed). A field that `wanted` lacks is removed. Error
// not_found also when another object has the name by then.
Result<Object> patch_status_fields(kube::Client& client, const Object& live, const std::function<Node(const Object& live)>& wanted,
                                   std::span<const std::string_view> fields, std::string_view manager, const kube::Call& call = {});

// Brings the status of the object in the cluster to `status`: one merge patch of the status subresource with the difference to `live`, under an
// optimistic lock. A conflict is met by reading the object again (up to 5 tries, 100 ms apart): our conditions win, those of others are kept.
// Nothing is sent when nothing differs. Returns the object as it is afterwards.
Result<Object> patch_status(kube::Client& client, const Object& live, const KustomizationStatus& status, const kube::Call& call = {});

// Adds or removes finalizers.fluxcd.io; nothing is sent when it is (not) there already.
Result<Object> add_finalizer(kube::Client& client, const Object& live, const kube::Call& call = {}, std::string_view manager = kStatusManager);
// Error not_found is no error here: the object is gone.
Result<void> remove_finalizer(kube::Client& client, const Object& live, const kube::Call& call = {}, std::string_view manager = kStatusManager);

bool has_finalizer(const Object& object);

} // namespace weber::gitops
