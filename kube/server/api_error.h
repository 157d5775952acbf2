// Failures as the API states them: a `Status` with kube-apiserver's codes, reasons and texts.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kube/server/http_types.h"

namespace weber::kube::server {

struct ApiError {
    int code = 500;
    std::string reason; // Status.reason; may be empty (plain errors of the real server have none)
    std::string message;
    std::string name, group, kind, uid; // details; `kind` is the plural for most errors, the kind for Invalid
    std::vector<ErrorDetail> causes;
    int retry_after = 0;
    std::string continue_token; // with which the rest of a list can be had all the same
    bool no_details = false;  // leave `details` out altogether
    bool plain_text = false;  // not a Status: the message as text/plain (unknown paths)
};

template <class T>
using Api = std::expected<T, ApiError>;

#define API_TRY(decl, ...) API_TRY_IMPL(WEBER_CONCAT(api_result_, __LINE__), decl, __VA_ARGS__)
#define API_TRY_IMPL(tmp, decl, ...)                                                                         \
    auto tmp = (__VA_ARGS__);                                                                                \
    if (!tmp) [[unlikely]]                                                                                   \
        return std::unexpected<::weber::kube::server::ApiError>(std::move(tmp).error());                             \
    decl = std::move(*tmp)
#define API_TRY_VOID(...) API_TRY_VOID_IMPL(WEBER_CONCAT(api_result_, __LINE__), __VA_ARGS__)
#define API_TRY_VOID_IMPL(tmp, ...)                                                                          \
    if (auto tmp = (__VA_ARGS__); !tmp) [[unlikely]]                                                         \
    return std::unexpected<::weber::kube::server::ApiError>(std::move(tmp).error())

// "deployments.apps", "configmaps".
std::string qualified(std::string_view plural, std::string_view group);

ApiError not_found(std::string_view plural, std::string_view group, std::string_view name);
ApiError already_exists(std::string_view plural, std::string_view group, std::string_view name);
ApiError conflict(std::string_view plural, std::string_view group, std::string_view name, std::string_view why);
ApiError modified_conflict(std::string_view plural, std::string_view group, std::string_view name);
ApiError forbidden(std::string_view plural, std::string_view group, std::string_view name, std::string_view why);
// `causes` hold reason, message (without the field), field. The message lists them as kube-apiserver does.
ApiError invalid(std::string_view kind, std::string_view group, std::string_view name, std::vector<ErrorDetail> causes);
ApiError bad_request(std::string message);
ApiError unsupported_media(std::string_view accepted);
ApiError method_not_allowed();
ApiError expired(std::string message);
ApiError internal_error(std::string message);
ApiError unclassified(std::string message); // 500 without reason or details: an error that kube-apiserver passes on as it is
ApiError unauthorized();
ApiError path_not_found();            // plain text
ApiError resource_not_found();        // "the server could not find the requested resource"
ApiError from_error(const Error& e);  // errors of pure code: http_status, reason and details are kept

inline std::unexpected<ApiError> refuse(ApiError e) { return std::unexpected<ApiError>(std::move(e)); }

Node status_node(const ApiError& e);
HttpResponse to_response(const ApiError& e);

} // namespace weber::kube::server
