// The manifests of deploy/install, embedded at build time, and an overlay over them as `install` is told.
//
// Pure and thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/object.h"

namespace weber::agent {

struct ManifestFile {
    std::string_view path; // in deploy/install
    std::string_view text;
};
std::span<const ManifestFile> install_files();

struct InstallOptions {
    std::string ns = "flux-system";
    std::vector<std::string> components = {"source-controller", "kustomize-controller"}; // of Flux, whose work the agent does
    std::string registry = {};           // "ghcr.io/me": the image is REGISTRY/weber:vVERSION
    std::string image = {};              // the whole name; wins over `registry`
    std::string image_pull_secret = {};
    bool network_policy = true;
    bool watch_all_namespaces = true;
    std::string log_level = "info";
    std::string cluster_domain = "cluster.local";
    std::vector<std::string> toleration_keys = {};
};

// In the order they are to be applied. Errors: invalid, unsupported (a component that Weber does not have).
Result<std::vector<Object>> install_manifests(const InstallOptions& options);

} // namespace weber::agent
