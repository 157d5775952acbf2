// Tokens of service accounts: JSON web tokens signed with a key that only this server has (HMAC-SHA256).
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kube/base/node.h"

namespace weber::kube::server {

// `claims` as a signed token.
std::string sign_token(const Node& claims, std::string_view key);
// The claims of a token with a right signature; nullopt for anything else. Says nothing about `exp`.
std::optional<Node> verify_token(std::string_view token, std::string_view key);

} // namespace weber::kube::server
