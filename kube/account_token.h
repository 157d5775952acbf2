// Tokens of service accounts, made by the API server that has the accounts (TokenRequest), to be shown to it or to another one that trusts it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kube/base/clock.h"
#include "kube/client.h"
#include "kube/credentials.h"

namespace weber::kube {

struct ServiceAccountRef {
    std::string ns;
    std::string name;
};

struct AccountToken {
    SecretText token;
    SystemTime expires = {};
};

// For the audiences, or for the issuer itself when there are none. Errors: not_found (no such account) and the server's others; invalid (an answer without
// a token).
Result<AccountToken> request_token(Client& issuer, const ServiceAccountRef& account, const std::vector<std::string>& audiences, const Call& call = {});

// Asks for a token when one is needed, and for another at 80 % of its life or after a 401. Thread-safe.
std::shared_ptr<Credentials> account_credentials(std::shared_ptr<Client> issuer, ServiceAccountRef account, std::vector<std::string> audiences,
                                                 const Clock& clock = system_clock());

} // namespace weber::kube
