// source.toolkit.fluxcd.io/v1 GitRepository: the spec as plain data.
#pragma once

#include <string>

#include "gitops/api/kustomization.h"

namespace weber::gitops {

// Which commit: `commit` wins, then `name`, `semver`, `tag`, `branch` (sources.md); nothing = branch master.
struct GitReference {
    std::string branch = {}, tag = {}, semver = {}, name = {}, commit = {};
    friend bool operator==(const GitReference&, const GitReference&) = default;
};

struct GitRepository {
    NamespacedName name;
    std::string url;
    GitReference ref;
    std::string ignore; // spec.ignore
    bool has_ignore = false;
    std::string secret_name;  // spec.secretRef, same namespace; "" = none
    std::string proxy_secret; // spec.proxySecretRef
    bool suspend = false;
    std::chrono::nanoseconds interval{};
    std::chrono::nanoseconds timeout{std::chrono::seconds(60)};
};

bool is_git_repository(const Object& object);

// Errors as parse_kustomization's. include, verify, recurseSubmodules, sparseCheckout, provider other than generic and serviceAccountName are
// unsupported; the error names the field.
Result<GitRepository> parse_git_repository(const Object& object);

} // namespace weber::gitops
