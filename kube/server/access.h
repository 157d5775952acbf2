// Who is asking, and what they may do: the administrator's token, tokens of service accounts, impersonation, RBAC.
//
// Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/server/api_error.h"
#include "kube/server/request.h"
#include "kube/server/store.h"

namespace weber::kube::server {

struct AccessOptions {
    std::string token;   // bearer token of the administrator; "" = everybody who can connect is the administrator
    std::string key;     // signs tokens of service accounts
    bool rbac = false;   // false: everybody who says who he is may do everything
};

// What somebody wants to do. `resource` empty: a path that is no resource.
struct Attributes {
    std::string verb, group, resource, subresource, ns, name, path;
};

class Access {
public:
    Access(Store& store, AccessOptions options) : store_(store), options_(std::move(options)) {}

    // The user of a request, after impersonation; "system:anonymous" when it has no token (401 in always-allow mode, as kube-apiserver). 401 with a wrong token, 403 when the
    // impersonation is not allowed.
    Api<User> authenticate(const HttpRequest& http) const;
    // The user of a token; 401 when it is not (or no longer) good.
    Api<User> user_of_token(std::string_view token) const;

    [[nodiscard]] bool allowed(const User& user, const Attributes& what) const { return reason_to_allow(user, what).has_value(); }
    // Why it is allowed, as RBAC words it ("" where no rule is asked); nullopt: it is not.
    [[nodiscard]] std::optional<std::string> reason_to_allow(const User& user, const Attributes& what) const;
    // 403 in kube-apiserver's words unless allowed.
    Api<void> check(const User& user, const Attributes& what) const;
    // A role or binding that `call`'s user is about to write (`live`: null Node = new): 403 unless they hold all that it grants or may
    // `escalate` (roles) or `bind`; 404 when the role that is bound does not exist.
    Api<void> check_escalation(const Call& call, const Node& next, const Node& live) const;
    // Rules that hold for the user in a namespace, cluster-wide ones included.
    [[nodiscard]] std::vector<Node> rules_of(const User& user, std::string_view ns) const;

    // A token of a stored service account (its object given), good for `seconds` from now.
    [[nodiscard]] std::string issue(const Node& account, std::int64_t seconds, const std::vector<std::string>& audiences) const;

private:
    [[nodiscard]] Api<std::vector<Node>> rules_of_role(const Node& role_ref, std::string_view ns) const;
    [[nodiscard]] Node parsed(const StoredObject& o) const;
    template <class F>
    void each_rule(const User& user, std::string_view ns, F f) const; // f(rule, why) returns false to stop; why(): the binding in words

    Store& store_;
    const AccessOptions options_;
    mutable std::mutex mutex_; // guards parsed_
    mutable std::map<std::string, std::pair<std::uint64_t, Node>> parsed_; // roles and bindings by uid, as of a version
};

} // namespace weber::kube::server
