// Errors of every layer below `agent`: plain values, no exceptions.
//
// Thread-safety: an Error is a value; distinct copies may be used from distinct threads.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weber::kube {

// What kind of failure it is. Decides exit statuses, retries and the API `reason`.
enum class ErrorCode : std::uint8_t {
    invalid,        // the input is wrong: a file, a flag, a spec, a 400/422 of the API
    unsupported,    // the input is right, but names something this version does not do
    not_found,      // file, object, commit, kind
    already_exists, // 409 AlreadyExists
    conflict,       // 409 Conflict: optimistic lock or field manager
    unauthorized,   // 401
    forbidden,      // 403, also a path that leaves its root
    too_large,      // a limit on size, depth, count was hit
    gone,           // 410 Expired: a watch or a continue token is too old
    throttled,      // 429
    unavailable,    // network failure, 5xx
    timeout,        // a deadline passed
    cancelled,      // somebody asked to stop
    internal,       // a broken invariant of ours
};

// Position in a file; `line` and `column` count from 1, 0 means unknown.
struct Where {
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    // "file:line:col", without the parts that are unknown; "" when nothing is known.
    [[nodiscard]] std::string to_string() const;
};

// One cause as in a Kubernetes Status (`details.causes[]`).
struct ErrorDetail {
    std::string reason;  // e.g. FieldManagerConflict, FieldValueInvalid
    std::string message; // e.g. conflict with "kubectl" using v1
    std::string field;   // e.g. .data.x
};

// A failure. `message` never holds a secret's value. Every layer adds what it knows once.
struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string message;           // one line, no trailing full stop
    Where where = {};              // file and line that the user can edit
    std::string object = {};       // "Kind/namespace/name" or what stands for it
    std::string hint = {};         // the next step, if one is known
    std::string reason = {};       // the API's `reason` (Status.reason), if it came from an API server
    std::vector<ErrorDetail> details = {};
    int http_status = 0;           // 0 when no HTTP answer was involved
    double retry_after_seconds = 0; // from Retry-After; 0 = not given

    // True when trying again later, unchanged, may succeed (throttled, unavailable, timeout, conflict).
    [[nodiscard]] bool retryable() const;

    // "file:3:5: object: message (hint)" – the full text a user reads. An object that the message begins with is not named twice.
    [[nodiscard]] std::string to_string() const;

    // Same error with `prefix` put before its message.
    [[nodiscard]] Error with_prefix(std::string_view prefix) &&;
    // Same error, `where`/`object`/`hint` filled in if still empty.
    [[nodiscard]] Error at(Where w) &&;
    [[nodiscard]] Error on(std::string_view obj) &&;
    [[nodiscard]] Error advise(std::string_view text) &&;
};

template <class T>
using Result = std::expected<T, Error>;

// Shorthand: `return fail(ErrorCode::invalid, "…");` in any function that returns a Result.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message, Where where = {}) {
    return std::unexpected<Error>(Error{.code = code, .message = std::move(message), .where = std::move(where)});
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
    return std::unexpected<Error>(std::move(error));
}

// The lower-case word of a code ("not_found"), for logs and JSON output.
[[nodiscard]] std::string_view to_string(ErrorCode code);

} // namespace weber::kube

namespace weber {
using kube::Error;
using kube::ErrorCode;
using kube::fail;
using kube::Result;
using kube::Where;
} // namespace weber

#define WEBER_CONCAT_2(a, b) a##b
#define WEBER_CONCAT(a, b) WEBER_CONCAT_2(a, b)

// TRY(auto x, f()): x is the value, or the function returns f()'s error.
#define TRY(decl, ...) WEBER_TRY_IMPL(WEBER_CONCAT(try_result_, __LINE__), decl, __VA_ARGS__)
#define WEBER_TRY_IMPL(tmp, decl, ...)                                                                       \
    auto tmp = (__VA_ARGS__);                                                                                \
    if (!tmp) [[unlikely]]                                                                                   \
        return std::unexpected<::weber::kube::Error>(std::move(tmp).error());                                \
    decl = std::move(*tmp)

// TRY_VOID(f()): goes on, or the function returns f()'s error.
#define TRY_VOID(...) WEBER_TRY_VOID_IMPL(WEBER_CONCAT(try_result_, __LINE__), __VA_ARGS__)
#define WEBER_TRY_VOID_IMPL(tmp, ...)                                                                        \
    if (auto tmp = (__VA_ARGS__); !tmp) [[unlikely]]                                                         \
    return std::unexpected<::weber::kube::Error>(std::move(tmp).error())
