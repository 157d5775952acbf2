// From the Secrets of a GitRepository to credentials (sources.md 0.11 and 1.2).
//
// Pure and thread-safe. No error text holds a value.
#pragma once

#include <optional>
#include <string_view>

#include "gitops/source/open.h"
#include "kube/base/object.h"

namespace weber::gitops {

// For `url`, of the Secret of spec.secretRef; nullopt: the spec names none. User and password that the Secret of an http repository lacks come from the URL, also
// beside a bearer token. Errors: unauthorized, with Flux's texts: a password without a user, an ssh URL without identity or known_hosts; unsupported: a GitHub app.
Result<GitCredentials> git_credentials(std::string_view url, const std::optional<Object>& secret);

// spec.proxySecretRef: address, username, password. Error unauthorized, with Flux's texts, when there is no address, or one of another scheme than http, https
// and socks5.
Result<void> add_proxy(GitCredentials& credentials, const Object& secret);

} // namespace weber::gitops
