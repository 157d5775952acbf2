// Answers of the API server that are not 2xx, as Errors.
#include <algorithm>
#include <chrono>

#include "kube/base/json.h"
#include "kube/client.h"
#include "kube/retry.h"

namespace weber::kube {

namespace {

ErrorCode code_of(int status, std::string_view reason) {
    if (reason == "AlreadyExists") return ErrorCode::already_exists;
    if (reason == "Expired" || reason == "Gone") return ErrorCode::gone;
    switch (status) {
    case 400:
    case 405:
    case 406:
    case 415:
    case 422: return ErrorCode::invalid;
    case 401: return ErrorCode::unauthorized;
    case 403: return ErrorCode::forbidden;
    case 404: return ErrorCode::not_found;
    case 409: return ErrorCode::conflict;
    case 410: return ErrorCode::gone;
    case 413: return ErrorCode::too_large;
    case 429: return ErrorCode::throttled;
    case 504: return ErrorCode::timeout;
    default: break;
    }
    if (status >= 300 && status < 400) return ErrorCode::unavailable; // redirects are not followed: no API server sends any
    if (status >= 500) {
        // A 500 without a reason is the merge engine's type error (`apply.md` 11.6): the input is wrong, not the server.
        return status == 500 && reason.empty() ? ErrorCode::invalid : ErrorCode::unavailable;
    }
    return ErrorCode::invalid;
}

std::string_view plain_reason(int status) {
    switch (status) {
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "NotFound";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "RequestEntityTooLarge";
    case 429: return "TooManyRequests";
    default: return "";
    }
}

// client-go's words for a 404 without a Status, and kube-apiserver's own for unknown resources.
constexpr std::string_view kUnknownAddress = "the server could not find the requested resource";

std::string first_line(std::string_view body) {
    std::string line(body.substr(0, std::min<std::size_t>(body.find('\n'), 300)));
    for (char& c : line)
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    while (line.ends_with(' ')) line.pop_back();
    return line;
}

} // namespace

Error error_of_status(const Node& status) {
    Error e;
    const Node* code = status.find("code");
    e.http_status = code ? static_cast<int>(code->as_int().value_or(0)) : 0;
    e.reason = status.text_at("reason");
    e.message = status.text_at("message");
    if (e.message.empty()) e.message = e.reason.empty() ? "the server refused the request" : e.reason;
    e.code = code_of(e.http_status, e.reason);
    if (const Node* causes = status.find_path({"details", "causes"}))
        for (const Node& cause : causes->items())
            e.details.push_back({std::string(cause.text_at("reason")), std::string(cause.text_at("message")), std::string(cause.text_at("field"))});
    if (const Node* after = status.find_path({"details", "retryAfterSeconds"}))
        e.retry_after_seconds = std::clamp(after->as_double().value_or(0), 0.0, 1e9); // it becomes a time, which is no place for 1e300
    return e;
}

Error error_of_response(const HttpResponse& response) {
    Error e;
    const auto body = read_json(response.body);
    if (body && body->is_map() && body->text_at("kind") == "Status") {
        e = error_of_status(*body);
        if (e.http_status != response.status) {
            e.http_status = response.status;
            e.code = code_of(response.status, e.reason);
        }
    } else {
        e.http_status = response.status;
        e.reason = plain_reason(response.status);
        e.code = code_of(response.status, e.reason);
        if (response.status >= 500) e.code = response.status == 504 ? ErrorCode::timeout : ErrorCode::unavailable;
        const std::string said = first_line(response.body);
        // client-go's words for an answer that is no Status.
        e.message = response.status == 404 ? std::string(kUnknownAddress) : "HTTP status " + std::to_string(response.status);
        if (!said.empty() && response.status != 404) e.message += ": " + said;
    }
    if (e.retry_after_seconds == 0) {
        if (const auto after = parse_retry_after(response.header("Retry-After"), system_clock().now()))
            e.retry_after_seconds = std::chrono::duration<double>(*after).count();
    }
    // Not every refusal of 403: quotas and admission say what to do themselves.
    if (e.code == ErrorCode::forbidden && e.message.find(" is forbidden: User ") != std::string::npos)
        e.hint = "give the account a role that allows it, or use one that has it";
    if (e.code == ErrorCode::unauthorized && e.hint.empty()) e.hint = "the server does not accept the credentials";
    return e;
}

bool is_field_conflict(const Error& error) {
    return error.http_status == 409 &&
           std::ranges::any_of(error.details, [](const ErrorDetail& d) { return d.reason == "FieldManagerConflict"; });
}

bool is_unknown_address(const Error& error) {
    return error.http_status == 404 && error.message == kUnknownAddress;
}

// conflict with "kubectl" with subresource "scale" using apps/v1
std::vector<FieldConflict> conflicts_of(const Error& error) {
    std::vector<FieldConflict> out;
    const auto quoted_after = [](std::string_view text, std::string_view word, std::size_t& end) -> std::string {
        const auto at = text.find(word);
        if (at == std::string_view::npos) return {};
        std::string value;
        std::size_t i = at + word.size();
        for (; i < text.size() && text[i] != '"'; ++i) {
            if (text[i] == '\\' && i + 1 < text.size()) ++i;
            value += text[i];
        }
        end = std::min(i + 1, text.size());
        return value;
    };
    for (const ErrorDetail& cause : error.details) {
        if (cause.reason != "FieldManagerConflict") continue;
        FieldConflict c{.manager = {}, .operation = "Apply", .field = cause.field};
        std::string_view rest = cause.message;
        std::size_t end = 0;
        c.manager = quoted_after(rest, "conflict with \"", end);
        rest.remove_prefix(end);
        end = 0;
        c.subresource = quoted_after(rest, " with subresource \"", end);
        rest.remove_prefix(end);
        if (rest.starts_with(" using ")) {
            c.operation = "Update";
            rest.remove_prefix(7);
            c.version = rest.substr(0, rest.find(' '));
        }
        out.push_back(std::move(c));
    }
    return out;
}

} // namespace weber::kube
