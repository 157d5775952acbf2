// The CustomResourceDefinitions of Kustomization and GitRepository, as YAML text; embedded at build time from deploy/install/crds.
#pragma once

#include <string_view>

namespace weber::gitops {

std::string_view kustomization_definition();
std::string_view git_repository_definition();

} // namespace weber::gitops
