// One file by http or https, over libcurl.
//
// Thread-safe; blocks.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>

#include "kube/base/error.h"

namespace weber::gitops {

struct HttpFileLimits {
    std::chrono::milliseconds timeout = std::chrono::seconds(27); // from connecting to the last byte
    std::size_t max_bytes = 64u << 20;
    std::stop_token stop = {};
};

// Body of a GET, at most ten redirects followed, none of them from https to http. User and password are the URL's; proxies come from the environment.
// Errors: not_found, unauthorized, forbidden and others by status (`HTTP Error: status code 404 (Not Found)`), unavailable, timeout, cancelled, too_large,
// invalid (the URL). None shows a credential.
Result<std::string> get_http_file(const std::string& url, const HttpFileLimits& limits = {});

} // namespace weber::gitops
