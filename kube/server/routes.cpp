#include "kube/server/routes.h"

#include <algorithm>

#include "kube/base/ascii.h"
#include "kube/base/json.h"
#include "kube/server/answer_form.h"
#include "kube/server/discovery.h"
#include "kube/server/health.h"
#include "kube/server/openapi.h"
#include "kube/server/present.h"
#include "kube/server/reads.h"
#include "kube/server/reviews.h"
#include "kube/server/scale.h"
#include "kube/server/version.h"
#include "kube/server/writes.h"

namespace weber::kube::server {
namespace {

HttpResponse with_deprecation(const Call& call, HttpResponse r) {
    if (call.version && call.version->deprecated && !call.version->deprecation_warning.empty())
        r.headers.emplace_back("Warning", "299 - \"" + call.version->deprecation_warning + "\"");
    return r;
}

ApiError durable_failure(const Error& e) { return internal_error(e.message); }

// Kubernetes verb of a request; "" when the method does not fit the path.
std::string_view verb_of(const HttpRequest& http, const RequestPath& path) {
    const bool named = !path.name.empty();
    if (http.method == "GET" || http.method == "HEAD") return named ? "get" : http.flag("watch") ? "watch" : "list";
    if (http.method == "POST") return named && path.subresource.empty() ? "" : "create";
    if (http.method == "PUT") return named ? "update" : "";
    if (http.method == "PATCH") return named ? "patch" : "";
    if (http.method == "DELETE") return named ? "delete" : "deletecollection";
    return "";
}

// Streams from pods need a kubelet; say so instead of a bare 404.
ApiError no_kubelet(const Call& call) {
    return bad_request("the embedded API server simulates " + call.plural() + " and runs no containers: \"" + call.path.subresource +
                       "\" is not available");
}

} // namespace

struct Router::Holder {
    HttpRequest http;
    Call call;
    std::string_view verb;
    std::shared_ptr<Ack> ack = std::make_shared<Ack>();
};

std::optional<HttpResponse> Router::simple_path(const HttpRequest& http) const {
    const std::string& path = http.path;
    if (auto r = health(http)) return r;
    if (path == "/version" || path == "/version/") {
        if (http.method != "GET") return to_response(method_not_allowed());
        if (const auto form = negotiate(http, ""); !form || form->yaml) return to_response(not_acceptable("application/json", true));
        HttpResponse r;
        r.body = indented_json(kVersionJson); // for everybody
        return r;
    }
    if (path.starts_with("/version/")) return to_response(resource_not_found());
    if (path == "/" || path.empty()) return root_paths(*core_.registry());
    if (auto r = discovery(*core_.registry(), http)) return r;
    return openapi(core_.registry(), http);
}

// Who may not do it is told so even where there is nothing: the real server asks before it looks.
Api<void> Router::may_ask(const Holder& h) const {
    const RequestPath path = parse_path(h.http.path);
    if (path.api && !path.resource.empty()) {
        std::string verb(verb_of(h.http, path));
        if (verb.empty()) verb = h.http.method == "POST" ? "create" : h.http.method == "PUT" ? "update" : "";
        return access_.check(h.call.user, {verb, path.group, path.resource, path.subresource, path.ns, path.name, ""});
    }
    return access_.check(h.call.user, {ascii_lower(h.http.method), "", "", "", "", "", h.http.path});
}

// Finds the resource that the path names and checks that it can do what the method asks.
Api<void> Router::resolve(Holder& h) const {
    Call& call = h.call;
    call.path = parse_path(h.http.path);
    if (!call.path.api || h.http.path.starts_with("//")) return refuse(path_not_found());
    call.registry = core_.registry();
    const bool empty_segment = h.http.path.find("//") != std::string::npos;
    call.resource = empty_segment ? nullptr : call.registry->find(call.path.group, call.path.version, call.path.resource);
    if (!call.resource) { // groups of definitions are served by another handler, which answers in plain text
        const bool built_in = call.registry->has_group(call.path.group) && !call.registry->custom_group(call.path.group);
        return refuse(call.path.group.empty() || built_in ? resource_not_found() : path_not_found());
    }
    call.version = call.resource->version(call.path.version);
    if (const auto& sub = call.path.subresource; !sub.empty() && !call.version->subresources.contains(sub)) {
        if (!call.resource->custom) return refuse(resource_not_found());
        return refuse(sub == "status" || sub == "scale" ? call.not_found() : path_not_found());
    }
    if (!call.resource->namespaced) {
        if (call.path.namespaces_path) return refuse(call.path.group.empty() ? resource_not_found() : path_not_found());
        call.path.ns.clear();
    }
    h.verb = verb_of(h.http, call.path);
    // A namespaced object needs its namespace: /api/v1/configmaps/x is no path, POST to /api/v1/configmaps neither.
    if (call.resource->namespaced && !call.path.namespaces_path && h.verb != "list" && h.verb != "watch" && h.verb != "deletecollection") {
        if (!call.path.name.empty() || h.verb == "create")
            return refuse(call.path.name.empty() ? method_not_allowed()
                          : call.path.group.empty() ? resource_not_found()
                                                    : path_not_found());
    }
    const auto& verbs = call.path.subresource.empty() ? call.resource->verbs : call.version->subresources.at(call.path.subresource).verbs;
    // Routes of built-in resources look at the method; what serves custom ones takes a HEAD for a GET.
    if (h.http.method == "HEAD" && (!call.resource->custom || h.verb == "watch")) return refuse(method_not_allowed());
    if (h.verb.empty() || !verbs.contains(std::string(h.verb))) return refuse(method_not_allowed());
    if (call.resource->namespaced && h.verb == "deletecollection" && !call.path.namespaces_path) return refuse(method_not_allowed());
    return {};
}

void Router::handle(HttpRequest&& request, const std::shared_ptr<Exchange>& sent_to) {
    const auto h = std::make_shared<Holder>();
    h->http = std::move(request);
    h->call.http = &h->http;
    const auto exchange = in_wanted_form(h->http, sent_to);
    auto user = access_.authenticate(h->http);
    if (!user) return exchange->respond(to_response(user.error()));
    h->call.user = std::move(*user);
    if (auto ok = may_ask(*h); !ok) return exchange->respond(to_response(ok.error()));
    if (auto r = simple_path(h->http)) return exchange->respond(std::move(*r));
    if (auto ok = resolve(*h); !ok) return exchange->respond(h->call.version ? with_deprecation(h->call, to_response(ok.error())) : to_response(ok.error()));
    run(h, exchange);
}

void Router::run(const std::shared_ptr<Holder>& h, const std::shared_ptr<Exchange>& exchange) {
    Call& call = h->call;
    if (h->verb == "watch") {
        const std::shared_ptr<Call> shared(h, &call);
        auto stream = read_watch(core_, shared);
        if (!stream) return exchange->respond(to_response(stream.error()));
        return exchange->stream(with_deprecation(call, std::move(stream->first)), std::move(stream->second));
    }
    const auto answer = [&]() -> Api<HttpResponse> {
        const auto& sub = call.path.subresource;
        const bool streams = sub == "log" || sub == "exec" || sub == "attach" || sub == "portforward" || sub == "proxy";
        if (streams && call.id() == "/pods" && !core_.store.get(call.id(), call.path.ns, call.path.name)) return refuse(call.not_found());
        if (streams) return refuse(no_kubelet(call));
        if (sub == "ephemeralcontainers" && h->verb != "get") return refuse(no_kubelet(call)); // kubectl debug
        if (h->verb == "get") return sub == "scale" ? scale_read(core_, call) : read_object(core_, call);
        if (h->verb == "list") return read_list(core_, call);
        if (h->verb == "create" && is_virtual(call)) return create_virtual(core_, access_, call, *h->ack);
        if (h->verb == "create") return write_create(core_, call, *h->ack);
        if (h->verb == "update") return write_update(core_, call, *h->ack);
        if (h->verb == "patch") return write_patch(core_, call, *h->ack);
        if (h->verb == "delete") return write_delete(core_, call, *h->ack);
        return write_delete_collection(core_, call, *h->ack);
    };
    auto result = answer();
    HttpResponse response = with_deprecation(call, result ? std::move(*result) : to_response(result.error()));
    if (!result) add_warnings(call, response);
    h->ack->then([h, exchange, response = std::move(response)](const Result<void>& durable) mutable {
        exchange->respond(durable ? std::move(response) : to_response(durable_failure(durable.error())));
    });
}

} // namespace weber::kube::server
