#include "kube/server/api_error.h"

#include "kube/base/json.h"

namespace weber::kube::server {
namespace {

ApiError about(int code, std::string reason, std::string_view plural, std::string_view group, std::string_view name,
               std::string message) {
    ApiError e;
    e.code = code;
    e.reason = std::move(reason);
    e.message = std::move(message);
    e.name = name;
    e.group = group;
    e.kind = plural;
    return e;
}

std::string quoted(std::string_view s) { return "\"" + std::string(s) + "\""; }

ApiError bare(int code, std::string reason, std::string message) {
    ApiError e;
    e.code = code;
    e.reason = std::move(reason);
    e.message = std::move(message);
    e.no_details = true;
    return e;
}

} // namespace

std::string qualified(std::string_view plural, std::string_view group) {
    std::string s(plural);
    if (!group.empty()) s.append(".").append(group);
    return s;
}

ApiError not_found(std::string_view plural, std::string_view group, std::string_view name) {
    return about(404, "NotFound", plural, group, name, qualified(plural, group) + " " + quoted(name) + " not found");
}

ApiError already_exists(std::string_view plural, std::string_view group, std::string_view name) {
    return about(409, "AlreadyExists", plural, group, name,
                 qualified(plural, group) + " " + quoted(name) + " already exists");
}

ApiError conflict(std::string_view plural, std::string_view group, std::string_view name, std::string_view why) {
    return about(409, "Conflict", plural, group, name,
                 "Operation cannot be fulfilled on " + qualified(plural, group) + " " + quoted(name) + ": " + std::string(why));
}

ApiError modified_conflict(std::string_view plural, std::string_view group, std::string_view name) {
    return conflict(plural, group, name,
                    "the object has been modified; please apply your changes to the latest version and try again");
}

ApiError forbidden(std::string_view plural, std::string_view group, std::string_view name, std::string_view why) {
    std::string subject = qualified(plural, group);
    if (!name.empty()) subject += " " + quoted(name);
    return about(403, "Forbidden", plural, group, name, subject + " is forbidden: " + std::string(why));
}

ApiError invalid(std::string_view kind, std::string_view group, std::string_view name, std::vector<ErrorDetail> causes) {
    std::vector<std::string> texts;
    for (const auto& c : causes) {
        std::string text = c.field.empty() ? c.message : c.field + ": " + c.message;
        bool seen = false;
        for (const auto& t : texts) seen = seen || t == text;
        if (!seen) texts.push_back(std::move(text));
    }
    std::string list;
    for (const auto& t : texts) list += (list.empty() ? "" : ", ") + t;
    if (texts.size() > 1) list = "[" + list + "]";
    auto e = about(422, "Invalid", kind, group, name,
                   qualified(kind, group) + " " + quoted(name) + " is invalid" + (list.empty() ? "" : ": " + list));
    e.causes = std::move(causes);
    return e;
}

ApiError bad_request(std::string message) { return bare(400, "BadRequest", std::move(message)); }

ApiError unsupported_media(std::string_view accepted) {
    return bare(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: " + std::string(accepted));
}

ApiError method_not_allowed() {
    auto e = bare(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
    e.no_details = false;
    return e;
}

ApiError expired(std::string message) { return bare(410, "Expired", std::move(message)); }

ApiError unclassified(std::string message) {
    ApiError e;
    e.code = 500;
    e.message = std::move(message);
    e.no_details = true;
    return e;
}

ApiError internal_error(std::string message) {
    ApiError e;
    e.code = 500;
    e.reason = "InternalError";
    e.message = "Internal error occurred: " + message;
    e.causes.push_back({"", message, ""});
    return e;
}

ApiError unauthorized() { return bare(401, "Unauthorized", "Unauthorized"); }

ApiError path_not_found() {
    ApiError e;
    e.code = 404;
    e.message = "404 page not found";
    e.plain_text = true;
    return e;
}

ApiError resource_not_found() {
    ApiError e;
    e.code = 404;
    e.reason = "NotFound";
    e.message = "the server could not find the requested resource";
    return e;
}

ApiError from_error(const Error& e) {
    ApiError out;
    out.reason = e.reason;
    out.message = e.message;
    out.causes = e.details;
    out.no_details = e.details.empty();
    out.code = e.http_status;
    if (out.code != 0) return out;
    switch (e.code) {
        case ErrorCode::invalid: out.code = 400, out.reason = out.reason.empty() ? "BadRequest" : out.reason; break;
        case ErrorCode::unsupported: out.code = 400, out.reason = out.reason.empty() ? "BadRequest" : out.reason; break;
        case ErrorCode::too_large: out.code = 413, out.reason = "RequestEntityTooLarge"; break;
        case ErrorCode::conflict: out.code = 409, out.reason = "Conflict"; break;
        case ErrorCode::not_found: out.code = 404, out.reason = "NotFound"; break;
        default: out.code = 500; break;
    }
    return out;
}

Node status_node(const ApiError& e) {
    Node s = Node::map();
    s.set("kind", Node::string("Status"));
    s.set("apiVersion", Node::string("v1"));
    s.set("metadata", e.continue_token.empty() ? Node::map() : Node::map({{"continue", Node::string(e.continue_token)}}));
    s.set("status", Node::string("Failure"));
    s.set("message", Node::string(e.message));
    if (!e.reason.empty()) s.set("reason", Node::string(e.reason));
    if (!e.no_details) {
        Node d = Node::map();
        if (!e.name.empty()) d.set("name", Node::string(e.name));
        if (!e.group.empty()) d.set("group", Node::string(e.group));
        if (!e.kind.empty()) d.set("kind", Node::string(e.kind));
        if (!e.uid.empty()) d.set("uid", Node::string(e.uid));
        if (!e.causes.empty()) {
            Node list = Node::list();
            for (const auto& c : e.causes) {
                Node n = Node::map();
                if (!c.reason.empty()) n.set("reason", Node::string(c.reason));
                n.set("message", Node::string(c.message));
                if (!c.field.empty()) n.set("field", Node::string(c.field));
                list.push_back(std::move(n));
            }
            d.set("causes", std::move(list));
        }
        if (e.retry_after) d.set("retryAfterSeconds", Node::integer(e.retry_after));
        s.set("details", std::move(d));
    }
    s.set("code", Node::integer(e.code));
    return s;
}

HttpResponse to_response(const ApiError& e) {
    HttpResponse r;
    r.status = e.code;
    if (e.plain_text) {
        r.content_type = "text/plain; charset=utf-8";
        r.body = e.message + "\n";
        return r;
    }
    r.body = write_json(status_node(e)) + "\n";
    if (e.retry_after) r.headers.emplace_back("Retry-After", std::to_string(e.retry_after));
    return r;
}

} // namespace weber::kube::server
