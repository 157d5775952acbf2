// Which kinds the cluster's CustomResourceDefinitions promise. Thread-safe.
#pragma once

#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "kube/client.h"
#include "kube/base/object.h"

namespace weber::gitops {

// The kind that a CustomResourceDefinition defines; nullopt for other objects.
std::optional<kube::GroupKind> defined_kind(const kube::Object& definition);

// The served versions of the kinds that definitions of `groups` in the cluster define. An API server answers for a new kind a moment after its
// definition is there, and even after it is Established: who meets "no such kind" asks here whether to wait. Definitions whose names were refused
// and those being deleted promise nothing. Costs one list of metadata and a get per definition of these groups; what cannot be read counts as absent.
std::set<kube::GroupVersionKind> promised_kinds(kube::Client& client, const std::set<std::string>& groups, std::stop_token stop);

} // namespace weber::gitops
