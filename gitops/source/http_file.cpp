#include "gitops/source/http_file.h"

#include <curl/curl.h>

#include <memory>
#include <utility>

namespace weber::gitops {

namespace {

struct Download {
    const HttpFileLimits& limits;
    std::string body = {};
    bool too_large = false;
};

std::size_t on_data(char* data, std::size_t size, std::size_t n, void* self) {
    auto& d = *static_cast<Download*>(self);
    d.too_large = d.body.size() + size * n > d.limits.max_bytes;
    if (d.too_large) return 0;
    d.body.append(data, size * n);
    return size * n;
}

int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Download*>(self)->limits.stop.stop_requested() ? 1 : 0;
}

// Go's http.StatusText, of what servers answer in practice.
std::string_view status_text(long status) {
    constexpr std::pair<long, std::string_view> kTexts[] = {
        {300, "Multiple Choices"}, {301, "Moved Permanently"}, {302, "Found"}, {304, "Not Modified"}, {307, "Temporary Redirect"},
        {308, "Permanent Redirect"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
        {405, "Method Not Allowed"}, {406, "Not Acceptable"}, {408, "Request Timeout"}, {410, "Gone"}, {429, "Too Many Requests"},
        {500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"}};
    for (const auto& [code, text] : kTexts)
        if (code == status) return text;
    return "";
}

ErrorCode code_of(long status) {
    switch (status) {
    case 401: return ErrorCode::unauthorized;
    case 403: return ErrorCode::forbidden;
    case 404:
    case 410: return ErrorCode::not_found;
    case 429: return ErrorCode::throttled;
    default: return status >= 500 ? ErrorCode::unavailable : ErrorCode::invalid;
    }
}

Error transfer_error(CURLcode code, const Download& d) {
    if (d.too_large) return {.code = ErrorCode::too_large, .message = "the file has more than " + std::to_string(d.limits.max_bytes) + " bytes"};
    if (code == CURLE_ABORTED_BY_CALLBACK) return {.code = ErrorCode::cancelled, .message = "stopped"};
    if (code == CURLE_OPERATION_TIMEDOUT) return {.code = ErrorCode::timeout, .message = "no answer within " + std::to_string(d.limits.timeout.count()) + " ms"};
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) return {.code = ErrorCode::invalid, .message = curl_easy_strerror(code)};
    return {.code = ErrorCode::unavailable, .message = curl_easy_strerror(code), .hint = "check the URL and the network"};
}

} // namespace

Result<std::string> get_http_file(const std::string& url, const HttpFileLimits& limits) {
    struct Cleanup {
        void operator()(CURL* c) const { curl_easy_cleanup(c); }
    };
    const std::unique_ptr<CURL, Cleanup> owner(curl_easy_init());
    CURL* c = owner.get();
    if (c == nullptr) return fail(ErrorCode::internal, "cannot make an HTTP request");
    Download download{limits};
    curl_easy_setopt(c, CURLOPT_URL, url.c_str());
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &download);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, &download);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(limits.timeout.count()));
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, url.starts_with("https") ? "https" : "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(c, CURLOPT_USERAGENT, "weber");
    if (const CURLcode code = curl_easy_perform(c); code != CURLE_OK) return fail(transfer_error(code, download));
    long status = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status <= 299) return std::move(download.body);
    Error error{.code = code_of(status), .message = "HTTP Error: status code " + std::to_string(status) + " (" + std::string(status_text(status)) + ")"};
    error.http_status = static_cast<int>(status);
    return fail(std::move(error));
}

} // namespace weber::gitops
