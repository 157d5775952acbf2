#include "kube/server/access.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <map>
#include <vector>

#include "kube/base/clock.h"
#include "kube/base/json.h"
#include "kube/server/escalation.h"
#include "kube/server/object_meta.h"
#include "kube/server/tls.h"
#include "kube/server/tokens.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";
constexpr std::string_view kAuthentication = "authentication.k8s.io";
constexpr std::string_view kRbac = "rbac.authorization.k8s.io/";
constexpr std::string_view kAccountPrefix = "system:serviceaccount:";
constexpr std::size_t kMaxParsed = 20'000;

bool same_secret(std::string_view a, std::string_view b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

User administrator() { return {"admin", "admin", {"system:masters", "system:authenticated"}}; }

constexpr std::string_view kAnonymous = "system:anonymous";
constexpr std::string_view kAuthenticated = "system:authenticated";
constexpr std::string_view kUnauthenticated = "system:unauthenticated";

User anonymous() { return {std::string(kAnonymous), "", {std::string(kUnauthenticated)}}; }

// The token of "Bearer TOKEN", the first word in any case; "" when there is none.
std::string_view bearer_token(std::string_view header) {
    constexpr std::string_view kScheme = "bearer ";
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    if (header.size() < kScheme.size() || !std::ranges::equal(header.substr(0, kScheme.size()), kScheme, {}, lower)) return {};
    header.remove_prefix(kScheme.size());
    return header.substr(0, header.find(' '));
}

std::vector<std::string> account_groups(std::string_view ns) {
    return {"system:serviceaccounts", "system:serviceaccounts:" + std::string(ns), "system:authenticated"};
}

bool in_group(const User& user, std::string_view group) {
    return std::find(user.groups.begin(), user.groups.end(), group) != user.groups.end();
}

// "*" stands for everything.
bool lists(const Node& rule, std::string_view field, std::string_view value) {
    const Node* list = rule.find(field);
    if (!list) return false;
    return std::any_of(list->items().begin(), list->items().end(), [&](const Node& n) { return n.text() == "*" || n.text() == value; });
}

bool path_matches(const Node& rule, std::string_view path) {
    const Node* list = rule.find("nonResourceURLs");
    if (!list) return false;
    return std::any_of(list->items().begin(), list->items().end(), [&](const Node& n) {
        const auto pattern = n.text();
        return pattern.ends_with('*') ? path.starts_with(pattern.substr(0, pattern.size() - 1)) : path == pattern;
    });
}

bool resource_matches(const Node& rule, const Attributes& a) {
    const std::string full = a.subresource.empty() ? a.resource : a.resource + "/" + a.subresource;
    if (lists(rule, "resources", full)) return true;
    return !a.subresource.empty() && lists(rule, "resources", "*/" + a.subresource);
}

bool name_matches(const Node& rule, const Attributes& a) {
    const Node* names = rule.find("resourceNames");
    if (!names || names->empty()) return true;
    return std::any_of(names->items().begin(), names->items().end(), [&](const Node& n) { return n.text() == a.name; });
}

bool rule_allows(const Node& rule, const Attributes& a) {
    if (!lists(rule, "verbs", a.verb)) return false;
    if (a.resource.empty()) return path_matches(rule, a.path);
    return lists(rule, "apiGroups", a.group) && resource_matches(rule, a) && name_matches(rule, a);
}

// `ns`: of the binding; accounts without one of their own are there.
bool subject_is(const Node& subject, const User& user, std::string_view ns) {
    const auto kind = subject.text_at("kind"), name = subject.text_at("name");
    if (kind == "User") return name == user.name;
    if (kind == "Group") return in_group(user, name);
    if (kind != "ServiceAccount") return false;
    const auto home = subject.text_at("namespace").empty() ? ns : subject.text_at("namespace");
    return user.name == std::string(kAccountPrefix) + std::string(home) + ":" + std::string(name);
}

// The subject of the binding that the user is; null: none.
const Node* bound_subject(const Node& binding, const User& user, std::string_view ns) {
    const Node* subjects = binding.find("subjects");
    if (!subjects) return nullptr;
    const auto it = std::ranges::find_if(subjects->items(), [&](const Node& s) { return subject_is(s, user, ns); });
    return it == subjects->items().end() ? nullptr : &*it;
}

// "RoleBinding "r/ns" of Role "r" to User "u"" (rbac.go's clusterRoleBindingDescriber and roleBindingDescriber).
std::string described(const Node& binding, const Node& subject, std::string_view ns) {
    const Node& ref = *binding.find("roleRef");
    std::string who = std::string(subject.text_at("kind")) + " \"" + std::string(subject.text_at("name"));
    if (subject.text_at("kind") == "ServiceAccount") who += "/" + std::string(subject.text_at("namespace").empty() ? ns : subject.text_at("namespace"));
    return std::string(ns.empty() ? "ClusterRoleBinding" : "RoleBinding") + " \"" + std::string(meta_text(binding, "name")) + (ns.empty() ? "" : "/" + std::string(ns)) + "\" of " +
           std::string(ref.text_at("kind")) + " \"" + std::string(ref.text_at("name")) + "\" to " + who + "\"";
}

std::vector<Node> list_of(const Node& role) {
    const Node* rules = role.find("rules");
    return rules && rules->is_list() ? std::vector<Node>(rules->items().begin(), rules->items().end()) : std::vector<Node>();
}

bool aggregates(const Node& role) {
    const Node* selectors = role.find_path({"aggregationRule", "clusterRoleSelectors"});
    return selectors && !selectors->empty();
}

std::vector<Node> full_authority() {
    const Node all = Node::list({Node::string("*")});
    return {Node::map({{"verbs", all}, {"apiGroups", all}, {"resources", all}}), Node::map({{"verbs", all}, {"nonResourceURLs", all}})};
}

// The user's name taken apart when it is a service account's.
std::optional<std::pair<std::string_view, std::string_view>> account_of(std::string_view user) {
    if (!user.starts_with(kAccountPrefix)) return std::nullopt;
    user.remove_prefix(kAccountPrefix.size());
    const auto colon = user.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    return std::pair{user.substr(0, colon), user.substr(colon + 1)};
}

// As Go prints who is asked for: whoever names a group alone would act as himself, with all his rights.
std::string no_impersonated_user(const HttpRequest& http) {
    const auto list = [](const auto& items) {
        std::string out;
        for (const auto& item : items) out += (out.empty() ? "" : ", ") + write_json(Node::string(item));
        return out;
    };
    std::map<std::string, std::vector<std::string>> by_key;
    for (const auto& [key, value] : http.impersonate_extra) by_key[key].push_back(value);
    std::string extra;
    for (const auto& [key, values] : by_key) extra += (extra.empty() ? "" : ", ") + write_json(Node::string(key)) + ":[]string{" + list(values) + "}";
    return "requested &user.DefaultInfo{Name:\"\", UID:" + write_json(Node::string(http.impersonate_uid)) + ", Groups:[]string" +
           (http.impersonate_groups.empty() ? "(nil)" : "{" + list(http.impersonate_groups) + "}") + ", Extra:map[string][]string" + (extra.empty() ? "(nil)" : "{" + extra + "}") +
           "} without impersonating a user name";
}

} // namespace

Api<User> Access::user_of_token(std::string_view token) const {
    if (!options_.token.empty() && same_secret(token, options_.token)) return administrator();
    const auto claims = verify_token(token, options_.key);
    if (!claims) return refuse(unauthorized());
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(system_clock().now().time_since_epoch()).count();
    const Node* expiry = claims->find("exp");
    const Node* account = claims->find_path({"kubernetes.io", "serviceaccount"});
    const Node* ns = claims->find_path({"kubernetes.io", "namespace"});
    if (!expiry || expiry->as_int().value_or(0) <= now || !account || !ns) return refuse(unauthorized());
    const ObjectPtr stored = store_.get("/serviceaccounts", ns->text(), account->text_at("name"));
    if (!stored || stored->uid != account->text_at("uid")) return refuse(unauthorized());
    return User{std::string(claims->text_at("sub")), stored->uid, account_groups(ns->text())};
}

Api<User> Access::authenticate(const HttpRequest& http) const {
    const std::string_view sent = bearer_token(http.authorization);
    User user = options_.token.empty() ? administrator() : anonymous();
    if (!sent.empty() && (!options_.token.empty() || sent.find('.') != std::string_view::npos)) {
        API_TRY(user, user_of_token(sent));
    } else if (!options_.rbac && !options_.token.empty()) {
        return refuse(unauthorized()); // where everything is allowed, nobody is anonymous
    }
    if (http.impersonate_user.empty()) {
        if (http.impersonate_uid.empty() && http.impersonate_groups.empty() && http.impersonate_extra.empty()) return user;
        return refuse(bad_request(no_impersonated_user(http)));
    }
    const auto account = account_of(http.impersonate_user);
    const Attributes who = account ? Attributes{"impersonate", "", "serviceaccounts", "", std::string(account->first), std::string(account->second), ""}
                                   : Attributes{"impersonate", "", "users", "", "", http.impersonate_user, ""};
    API_TRY_VOID(check(user, who));
    for (const auto& g : http.impersonate_groups) {
        API_TRY_VOID(check(user, {"impersonate", "", "groups", "", "", g, ""}));
    }
    User other{http.impersonate_user, http.impersonate_uid, http.impersonate_groups};
    if (!other.uid.empty()) API_TRY_VOID(check(user, {"impersonate", std::string(kAuthentication), "uids", "", "", other.uid, ""}));
    for (const auto& [key, value] : http.impersonate_extra) {
        API_TRY_VOID(check(user, {"impersonate", std::string(kAuthentication), "userextras", key, "", value, ""}));
        other.extra[key].push_back(value);
    }
    if (other.groups.empty() && account) other.groups = account_groups(account->first);
    if (!in_group(other, kAuthenticated) && !in_group(other, kUnauthenticated)) other.groups.emplace_back(other.name == kAnonymous ? kUnauthenticated : kAuthenticated);
    return other;
}

Node Access::parsed(const StoredObject& o) const {
    const std::lock_guard lock(mutex_);
    if (parsed_.size() > kMaxParsed) parsed_.clear();
    auto& [rv, node] = parsed_[o.uid];
    if (rv != o.rv) {
        node = parse_stored(o);
        rv = o.rv;
    }
    return node;
}

template <class F>
void Access::each_rule(const User& user, std::string_view ns, F f) const {
    const auto rules = [&](const Node& binding, const Node& subject, std::string_view binding_ns) {
        const auto why = [&] { return described(binding, subject, binding_ns); };
        const Node* ref = binding.find("roleRef");
        if (!ref) return true;
        const bool cluster = ref->text_at("kind") == "ClusterRole";
        const ObjectPtr role = store_.get(std::string(kRbac) + (cluster ? "clusterroles" : "roles"), cluster ? "" : binding_ns, ref->text_at("name"));
        if (!role) return true;
        const Node obj = parsed(*role);
        if (const Node* list = obj.find("rules"))
            for (const Node& rule : list->items())
                if (!f(rule, why)) return false;
        return true;
    };
    for (const auto& o : store_.list(std::string(kRbac) + "clusterrolebindings", "").objects) {
        const Node binding = parsed(*o);
        if (const Node* subject = bound_subject(binding, user, ""); subject && !rules(binding, *subject, "")) return;
    }
    if (ns.empty()) return;
    for (const auto& o : store_.list(std::string(kRbac) + "rolebindings", ns).objects) {
        const Node binding = parsed(*o);
        if (const Node* subject = bound_subject(binding, user, ns); subject && !rules(binding, *subject, ns)) return;
    }
}

std::optional<std::string> Access::reason_to_allow(const User& user, const Attributes& what) const {
    if (in_group(user, "system:masters") || !options_.rbac) return "";
    std::optional<std::string> found;
    each_rule(user, what.ns, [&](const Node& rule, const auto& why) {
        if (rule_allows(rule, what)) found = "RBAC: allowed by " + why();
        return !found;
    });
    return found;
}

Api<void> Access::check(const User& user, const Attributes& a) const {
    if (allowed(user, a)) return {};
    if (a.resource.empty()) {
        ApiError e;
        e.code = 403;
        e.reason = "Forbidden";
        e.message = "forbidden: User \"" + user.name + "\" cannot " + a.verb + " path \"" + a.path + "\"";
        return refuse(std::move(e));
    }
    const std::string full = a.subresource.empty() ? a.resource : a.resource + "/" + a.subresource;
    ApiError e = forbidden(a.resource, a.group, a.name,
                           "User \"" + user.name + "\" cannot " + a.verb + " resource \"" + full + "\" in API group \"" + a.group + "\"" +
                               (a.ns.empty() ? " at the cluster scope" : " in the namespace \"" + a.ns + "\""));
    return refuse(std::move(e));
}

Api<std::vector<Node>> Access::rules_of_role(const Node& role_ref, std::string_view ns) const {
    const auto kind = role_ref.text_at("kind"), name = role_ref.text_at("name");
    const bool cluster = kind == "ClusterRole";
    if (!cluster && kind != "Role") return refuse(unclassified("unsupported role reference kind: " + write_json(Node::string(kind))));
    const ObjectPtr role = store_.get(std::string(kRbac) + (cluster ? "clusterroles" : "roles"), cluster ? "" : ns, name);
    if (!role) return refuse(not_found(ns.empty() ? "clusterrolebindings" : "rolebindings", kRbacGroup, name)); // named after what is being written
    return list_of(parsed(*role));
}

Api<void> Access::check_escalation(const Call& call, const Node& next, const Node& live) const {
    if (!options_.rbac || call.group() != kRbacGroup || in_group(call.user, "system:masters")) return {};
    const std::string ns = call.path.ns;
    const bool role = call.plural() == "roles" || call.plural() == "clusterroles";
    if (role && allowed(call.user, {"escalate", call.group(), call.plural(), "", ns, call.http->method == "POST" ? "" : call.path.name, ""})) return {};
    if (changes_only_gc_fields(next, live)) return {};
    const auto refused = [&](std::string_view why) { return refuse(forbidden(call.plural(), call.group(), meta_text(next, "name"), why)); };
    const std::vector<Node> owned = rules_of(call.user, ns);
    std::vector<Node> wanted = list_of(next);
    if (!role) {
        const Node* ref = next.find("roleRef");
        const Node none = Node::map();
        const std::string kind(ref ? ref->text_at("kind") : "");
        if (kind == "Role" || kind == "ClusterRole") {
            const Attributes bind{"bind", std::string(ref->text_at("apiGroup")), kind == "Role" ? "roles" : "clusterroles", "", ns, std::string(ref->text_at("name")), ""};
            if (allowed(call.user, bind)) return {};
        }
        API_TRY(wanted, rules_of_role(ref ? *ref : none, ns));
    }
    if (const auto missing = missing_rights(owned, wanted); !missing.empty()) return refused(escalation_text(call.user, missing));
    if (role && (aggregates(next) || aggregates(live)) && !missing_rights(owned, full_authority()).empty())
        return refused("must have cluster-admin privileges to use the aggregationRule");
    return {};
}

std::vector<Node> Access::rules_of(const User& user, std::string_view ns) const {
    std::vector<Node> out;
    if (!options_.rbac) return full_authority();
    each_rule(user, ns, [&](const Node& rule, const auto&) {
        out.push_back(rule);
        return true;
    });
    return out;
}

std::string Access::issue(const Node& account, std::int64_t seconds, const std::vector<std::string>& audiences) const {
    const std::string ns(meta_text(account, "namespace")), name(meta_text(account, "name"));
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(system_clock().now().time_since_epoch()).count();
    Node audience = Node::list();
    for (const auto& a : audiences) audience.push_back(Node::string(a));
    if (audience.empty()) audience.push_back(Node::string("https://kubernetes.default.svc"));
    const Node who = Node::map({{"name", Node::string(name)}, {"uid", Node::string(meta_text(account, "uid"))}});
    return sign_token(Node::map({{"aud", std::move(audience)},
                                 {"exp", Node::integer(now + seconds)},
                                 {"iat", Node::integer(now)},
                                 {"iss", Node::string("https://kubernetes.default.svc")},
                                 {"jti", Node::string(random_uuid())},
                                 {"kubernetes.io", Node::map({{"namespace", Node::string(ns)}, {"serviceaccount", who}})},
                                 {"nbf", Node::integer(now)},
                                 {"sub", Node::string(std::string(kAccountPrefix) + ns + ":" + name)}}),
                      options_.key);
}

} // namespace weber::kube::server
