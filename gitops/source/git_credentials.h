// From the Secrets of a GitRepository to credentials (sources.md 0.11 and 1.2).
//
// Pure and thread-safe. No error text holds a value.
#pragma once

#include <optional>
#include <string_view>

#include "gitops/source/open.h"
#include "kube/base/object.h"

namespace weber::gitops {

// For `url`, of the Secret of spec.secretRef; nullopt: the spec names none. Errors: unauthorized, with Flux's texts: a password without a user, a bearer
// token beside credentials of the URL, an ssh URL without identity or known_hosts; unsupported: a GitHub app.
Result<GitCredentials> git_credentials(std::string_view url, const std::optional<Object>& secret);

// spec.proxySecretRef: address, username, password. Error unauthorized when there is no address.
Result<void> add_proxy(GitCredentials& credentials, const Object& secret);

} // namespace weber::gitops
