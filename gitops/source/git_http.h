// git's smart HTTP protocol over libcurl, as a transport for libgit2: with a deadline, cancellation, bearer tokens, own CAs and client certificates,
// none of which libgit2 1.5's own transport has.
#pragma once

#include <git2.h>

#include <chrono>
#include <stop_token>
#include <string>

#include "gitops/source/open.h"

namespace weber::gitops::git {

// What one operation is allowed, and how it went. Lives as long as the remote that uses it; one thread.
struct HttpContext {
    const GitCredentials* credentials = nullptr;
    std::chrono::steady_clock::time_point deadline = {};
    std::stop_token stop = {};
    int status = 0;         // of the last HTTP answer
    bool timed_out = false;
    bool cancelled = false;
};

// The transport of a remote; for git_remote_callbacks.transport. `context` is an HttpContext.
int http_transport(git_transport** out, git_remote* owner, HttpContext* context);

} // namespace weber::gitops::git
