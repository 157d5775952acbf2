#include "kube/server/auth.h"

#include <openssl/crypto.h>

namespace weber::kube::server {

Api<User> authenticate(const AuthOptions& options, const HttpRequest& http) {
    if (!options.token.empty()) {
        std::string_view sent = http.authorization;
        if (!sent.starts_with("Bearer ")) return refuse(unauthorized());
        sent.remove_prefix(7);
        if (sent.size() != options.token.size() || CRYPTO_memcmp(sent.data(), options.token.data(), sent.size()) != 0)
            return refuse(unauthorized());
    }
    User user{"admin", "admin", {"system:masters", "system:authenticated"}};
    if (!http.impersonate_user.empty()) {
        user = {http.impersonate_user, "", http.impersonate_groups};
        if (user.groups.empty() && user.name.starts_with("system:serviceaccount:")) {
            user.groups.push_back("system:serviceaccounts");
            const auto rest = user.name.substr(22);
            user.groups.push_back("system:serviceaccounts:" + rest.substr(0, rest.find(':')));
        }
        user.groups.push_back("system:authenticated");
    }
    return user;
}

} // namespace weber::kube::server
