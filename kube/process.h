// Runs another program and collects what it prints: for credential plugins.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "kube/base/error.h"

namespace weber::kube {

struct ProcessOptions {
    std::string program; // looked up in PATH when without a slash
    std::vector<std::string> args = {};
    std::vector<std::pair<std::string, std::string>> env = {}; // added to ours
    std::chrono::milliseconds timeout{60'000};
    std::size_t max_output = 1u << 20; // of stdout, and of stderr
};

struct ProcessResult {
    int exit_code = 0; // 128 + n when signal n ended it
    std::string out;
    std::string err;
};

// Runs it with stdin closed, in a process group of its own, which is killed on timeout and `stop`. Inherits no descriptor but 0 to 2.
// Errors: not_found (no such program), timeout, cancelled, too_large, internal. Thread-safe.
Result<ProcessResult> run_process(const ProcessOptions& options, std::stop_token stop);

} // namespace weber::kube
