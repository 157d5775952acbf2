#include "agent/helm_runner.h"

#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "kube/process.h"

namespace weber::agent {

namespace {

constexpr std::chrono::minutes kTimeout{5};      // a chart may have to be pulled
constexpr std::size_t kMaxOutput = 64u << 20;

} // namespace

ProcessHelmRunner::~ProcessHelmRunner() {
    std::error_code ignored;
    for (const std::string& dir : directories_) std::filesystem::remove_all(dir, ignored);
}

Result<std::string> ProcessHelmRunner::run(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
    kube::ProcessOptions options;
    options.program = command_;
    options.args = arguments;
    options.timeout = kTimeout;
    options.max_output = kMaxOutput;
    for (const std::string& entry : environment) {
        const std::size_t equals = entry.find('=');
        if (equals != std::string::npos) options.env.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    }
    TRY(kube::ProcessResult result, kube::run_process(options, {}));
    if (result.exit_code == 0) return std::move(result.out);
    return fail(ErrorCode::invalid, result.err + ": unable to run: '" + command_ + "' (exit status " + std::to_string(result.exit_code) + ")");
}

Result<std::string> ProcessHelmRunner::make_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weber-helm-XXXXXX").string();
    if (!mkdtemp(pattern.data())) return fail(ErrorCode::unavailable, "cannot make a directory: " + pattern);
    const std::lock_guard lock(mutex_);
    directories_.push_back(pattern);
    return pattern;
}

Result<void> ProcessHelmRunner::write_file(const std::string& path, std::string_view text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0;
    for (std::size_t done = 0; good && done < text.size();) {
        const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
        good = n > 0;
        done += good ? static_cast<std::size_t>(n) : 0;
    }
    if (fd >= 0) good = ::close(fd) == 0 && good;
    if (!good) return fail(ErrorCode::unavailable, "cannot write " + path);
    return {};
}

} // namespace weber::agent
