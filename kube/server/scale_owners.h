// Who owns the replicas: an object's managedFields as those of its Scale, and back (apimachinery's managedfields/scalehandler.go).
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/base/node.h"
#include "kube/merge/manager.h"

namespace weber::kube::server {

// Where versions of a resource keep the replicas. An entry of another version is forgotten by whoever scales.
struct ReplicasPath {
    std::string api_version;
    std::vector<std::string> keys; // "spec", "replicas"; empty: this version has no scale
};

// Of the object's entries those that own the replicas, as entries of an autoscaling/v1 Scale that own spec.replicas.
std::vector<merge::ManagedEntry> scale_owners(const Node& object, const std::vector<ReplicasPath>& paths);
// The object's entries after its Scale was written: who lost the replicas there loses them here, who has them gets them at `api_version`, an
// updater (whose entry was of another version) always as a new entry without a time.
std::vector<merge::ManagedEntry> object_owners(const Node& object, const Node& scale, const std::vector<ReplicasPath>& paths, std::string_view api_version);

} // namespace weber::kube::server
