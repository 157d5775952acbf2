#include "kube/server/reviews.h"

#include <set>

#include "kube/base/clock.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/server/engine.h"
#include "kube/server/object_meta.h"
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
    if (!user.extra.empty()) n.set("extra", extra_node(user));
    return n;
}

Attributes attributes_of(const Node& spec) {
    Attributes a;
    if (const Node* r = spec.find("resourceAttributes")) {
        a.verb = r->text_at("verb");
        a.group = r->text_at("group");
        a.resource = r->text_at("resource");
        a.subresource = r->text_at("subresource");
        a.ns = r->text_at("namespace");
        a.name = r->text_at("name");
    } else if (const Node* n = spec.find("nonResourceAttributes")) {
        a.verb = n->text_at("verb");
        a.path = n->text_at("path");
    }
    return a;
}

User user_of(const Node& spec) {
    User user{std::string(spec.text_at("user")), std::string(spec.text_at("uid")), {}};
    if (const Node* groups = spec.find("groups"))
        for (const auto& g : groups->items()) user.groups.emplace_back(g.text());
    return user;
}

Node rules_review(const Access& access, const User& user, std::string_view ns) {
    Node resources = Node::list(), paths = Node::list();
    for (Node& rule : access.rules_of(user, ns)) (rule.contains("nonResourceURLs") ? paths : resources).push_back(std::move(rule));
    return Node::map({{"resourceRules", std::move(resources)}, {"nonResourceRules", std::move(paths)}, {"incomplete", Node::boolean(false)}});
}

Node token_review(const Access& access, const Node& spec) {
    const auto user = access.user_of_token(spec.text_at("token"));
    if (!user) return Node::map({{"user", Node::map()}, {"error", Node::string("invalid bearer token")}});
    return Node::map({{"authenticated", Node::boolean(true)}, {"user", user_node(*user)}});
}

Api<Node> review_status(const Access& access, const Call& call, const Node& body) {
    const Node spec = body.find("spec") ? *body.find("spec") : Node::map();
    const auto kind = call.plural();
    if (kind == "selfsubjectreviews") return Node::map({{"userInfo", user_node(call.user)}});
    if (kind == "tokenreviews") return token_review(access, spec);
    if (kind == "selfsubjectrulesreviews") {
        if (spec.text_at("namespace").empty()) return refuse(bad_request("no namespace on request"));
        return rules_review(access, call.user, spec.text_at("namespace"));
    }
    if (spec.contains("resourceAttributes") == spec.contains("nonResourceAttributes"))
        return refuse(invalid("", call.group(), "",
                              {{"FieldValueInvalid",
                                "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
                                "spec.resourceAttributes"}}));
    const bool self = kind == "selfsubjectaccessreviews";
    const auto reason = access.reason_to_allow(self ? call.user : user_of(spec), attributes_of(spec));
    Node status = Node::map({{"allowed", Node::boolean(reason.has_value())}});
    if (reason && !reason->empty()) status.set("reason", Node::string(*reason));
    return status;
}

Api<Node> token_request(Core& core, const Access& access, Call& call, Node body) {
    const ObjectPtr account = core.store.get("/serviceaccounts", call.path.ns, call.path.name);
    if (!account) return refuse(call.not_found());
    if (const auto name = meta_text(body, "name"); !name.empty() && name != call.path.name)
        return refuse(invalid("TokenRequest", "authentication.k8s.io", call.path.name,
                              {{"FieldValueInvalid", "Invalid value: " + write_json(Node::string(name)) + ": must match the service account name if specified", "metadata.name"}}));
    std::int64_t seconds = 3600;
    if (const Node* n = body.find_path({"spec", "expirationSeconds"})) seconds = n->as_int().value_or(3600);
    if (seconds < 600)
        return refuse(invalid("TokenRequest", "authentication.k8s.io", "",
                              {{"FieldValueInvalid", "Invalid value: " + std::to_string(seconds) + ": may not specify a duration less than 10 minutes",
                                "spec.expirationSeconds"}}));
    std::vector<std::string> audiences;
    if (const Node* list = body.find_path({"spec", "audiences"}))
        for (const auto& a : list->items()) audiences.emplace_back(a.text());
    Node status = Node::map();
    status.set("token", Node::string(access.issue(parse_stored(*account), seconds, audiences)));
    status.set("expirationTimestamp", Node::string(format_rfc3339(system_clock().now() + std::chrono::seconds(seconds))));
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

Api<HttpResponse> create_virtual(Core& core, const Access& access, Call& call, Ack& ack) {
    API_TRY(Node body, read_body(call));
    if (call.path.subresource == "token") {
        API_TRY(const Node done, token_request(core, access, call, std::move(body)));
        return respond_json(call, 201, write_json(done));
    }
    if (call.path.subresource == "eviction") {
        DeleteOptions options;
        API_TRY_VOID(core.remove(*call.resource, call.path.ns, call.path.name, options, ack));
        return respond_json(call, 201, write_json(success()));
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
        return respond_json(call, 201, write_json(success()));
    }
    body.set("kind", Node::string(call.resource->kind));
    body.set("apiVersion", Node::string(call.api_version()));
    API_TRY_VOID(read_write_options(call, "CreateOptions", false));
    API_TRY_VOID(decode_object(call, body));
    body = track_update(call, Node(), std::move(body), {});
    API_TRY(Node status, review_status(access, call, body));
    body.set("status", std::move(status));
    if (call.plural() == "selfsubjectrulesreviews") body.set("spec", Node::map()); // the answer does not repeat it
    if (call.plural() == "selfsubjectreviews") set_meta(body, "creationTimestamp", now_text());
    return respond_json(call, 201, write_json(body));
}

} // namespace weber::kube::server
