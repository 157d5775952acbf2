// CustomResourceDefinitions: which names they get, what their status says, and the resources they make.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kube/base/node.h"
#include "kube/server/registry.h"
#include "kube/server/store.h"

namespace weber::kube::server {

inline constexpr std::string_view kCrdFinalizer = "customresourcecleanup.apiextensions.k8s.io";

struct AcceptedCrd {
    Node status;          // complete new status of the definition; null when it is as it should be
    ResourcePtr resource; // null when its names are taken by another
};

// Remembers what it made of each definition, so that a change costs no more than that definition.
// Not thread-safe. Pure but for that memory.
class CrdCatalog {
public:
    // One result per stored definition, in their order. Older definitions win names; `now` stamps new conditions.
    std::vector<AcceptedCrd> accept(const std::vector<ObjectPtr>& definitions, const std::string& now);

private:
    struct Known {
        std::uint64_t rv = 0;
        std::int64_t generation = 0;
        std::string created;
        ResourcePtr resource; // as asked for, names accepted or not
        Node names, stored;   // spec.names, status.storedVersions to be
        Node status;          // live
        bool accepted = false;
    };
    std::map<std::string, Known> known_;
};

// The condition that a definition has from the moment it is deleted.
void mark_terminating(Node& crd);
// The resource that a definition describes.
ResourcePtr resource_of_crd(const Node& crd);

} // namespace weber::kube::server
