// The documents of discovery, in its aggregated and its older form, as ApiResources. Internal to discovery.cpp. Pure.
#pragma once

#include <string>
#include <vector>

#include "kube/base/node.h"
#include "kube/discovery.h"

namespace weber::kube::discovery_read {

// Strings of a list; none when it is null.
std::vector<std::string> string_list(const Node* list);

// One version of an APIGroupDiscovery (apidiscovery.k8s.io v2 and v2beta1).
std::vector<ApiResource> read_aggregated(const std::string& group, const Node& version);

// An APIResourceList. Subresources join their resource.
std::vector<ApiResource> read_legacy(const std::string& group, const std::string& version, const Node& list);

// The versions of an APIGroup, preferred first.
std::vector<std::string> versions_of(const Node& group);

} // namespace weber::kube::discovery_read
