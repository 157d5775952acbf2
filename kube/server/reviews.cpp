#include "kube/server/reviews.h"

#include <set>

#include "kube/base/clock.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/server/object_meta.h"
#include "kube/server/tls.h"
#include "kube/server/writes.h"

namespace weber::kube::server {
namespace {

Node strings(const std::vector<std::string>& list) {
    Node n = Node::list();
    for (const auto& s : list) n.push_back(Node::string(s));
    return n;
}

Node user_node(const User& user) {
    Node n = Node::map({{"username", Node::string(user.name)}});
    if (!user.uid.empty()) n.set("uid", Node::string(user.uid));
    n.set("groups", strings(user.groups));
    return n;
}

// Everybody who gets in may do everything: there is no authorizer to ask.
Node review_status(const Call& call) {
    if (call.plural() == "selfsubjectreviews") return Node::map({{"userInfo", user_node(call.user)}});
    if (call.plural() == "tokenreviews") return Node::map({{"authenticated", Node::boolean(true)}, {"user", user_node(call.user)}});
    if (call.plural() == "selfsubjectrulesreviews") {
        Node all = Node::list({Node::string("*")});
        Node rules = Node::list({Node::map({{"verbs", all}, {"apiGroups", all}, {"resources", all}})});
        Node paths = Node::list({Node::map({{"verbs", all}, {"nonResourceURLs", all}})});
        return Node::map({{"resourceRules", rules}, {"nonResourceRules", paths}, {"incomplete", Node::boolean(false)}});
    }
    return Node::map({{"allowed", Node::boolean(true)}});
}

std::string base64_url(std::string_view bytes) {
    std::string s = base64_encode(bytes);
    for (char& c : s) c = c == '+' ? '-' : c == '/' ? '_' : c;
    while (!s.empty() && s.back() == '=') s.pop_back();
    return s;
}

// A token that looks like a service account's JWT; nothing checks its signature, so it has none.
Api<Node> token_request(Core& core, Call& call, Node body) {
    const ObjectPtr account = core.store.get("/serviceaccounts", call.path.ns, call.path.name);
    if (!account) return refuse(call.not_found());
    std::int64_t seconds = 3600;
    if (const Node* n = body.find_path({"spec", "expirationSeconds"})) seconds = n->as_int().value_or(3600);
    const auto now = system_clock().now();
    const auto unix_now = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    Node claims = Node::map({{"sub", Node::string("system:serviceaccount:" + call.path.ns + ":" + call.path.name)},
                             {"iat", Node::integer(unix_now)},
                             {"exp", Node::integer(unix_now + seconds)},
                             {"jti", Node::string(random_uuid())}});
    Node status = Node::map();
    status.set("token", Node::string(base64_url(R"({"alg":"none"})") + "." + base64_url(write_json(claims)) + "."));
    status.set("expirationTimestamp", Node::string(format_rfc3339(now + std::chrono::seconds(seconds))));
    body.get_or_insert("spec").set("expirationSeconds", Node::integer(seconds));
    body.set("status", std::move(status));
    return body;
}

Node success() {
    return Node::map({{"kind", Node::string("Status")},
                      {"apiVersion", Node::string("v1")},
                      {"metadata", Node::map()},
                      {"status", Node::string("Success")},
                      {"code", Node::integer(201)}});
}

} // namespace

bool is_virtual(const Call& call) {
    static const std::set<std::string, std::less<>> kReviews{
        "authentication.k8s.io/selfsubjectreviews",     "authentication.k8s.io/tokenreviews",
        "authorization.k8s.io/selfsubjectaccessreviews", "authorization.k8s.io/localsubjectaccessreviews",
        "authorization.k8s.io/selfsubjectrulesreviews",  "authorization.k8s.io/subjectaccessreviews"};
    if (kReviews.contains(call.id()) || call.id() == "/bindings") return true;
    const auto& sub = call.path.subresource;
    return sub == "token" || sub == "binding" || sub == "eviction";
}

Api<HttpResponse> create_virtual(Core& core, Call& call, Ack& ack) {
    API_TRY(Node body, read_body(call));
    Presentation json;
    if (call.path.subresource == "token") {
        API_TRY(const Node done, token_request(core, call, std::move(body)));
        return respond_json(call, json, 201, write_json(done));
    }
    if (call.path.subresource == "eviction") {
        DeleteOptions options;
        API_TRY_VOID(core.remove(*call.resource, call.path.ns, call.path.name, options, ack));
        return respond_json(call, json, 201, write_json(success()));
    }
    if (call.path.subresource == "binding" || call.id() == "/bindings") {
        const std::string pod = call.path.name.empty() ? std::string(meta_text(body, "name")) : call.path.name;
        if (!core.store.get("/pods", call.path.ns, pod)) return refuse(not_found("pods", "", pod));
        const std::string node(body.find("target") ? body.find("target")->text_at("name") : "");
        if (const ResourcePtr pods = call.registry->find_id("/pods"))
            core.edit(*pods, call.path.ns, pod, [&](Node& p) {
                p.get_or_insert("spec").set("nodeName", Node::string(node));
                return true;
            });
        return respond_json(call, json, 201, write_json(success()));
    }
    body.set("kind", Node::string(call.resource->kind));
    body.set("apiVersion", Node::string(call.api_version()));
    meta_mut(body).set("creationTimestamp", Node());
    body.set("status", review_status(call));
    return respond_json(call, json, 201, write_json(body));
}

} // namespace weber::kube::server
