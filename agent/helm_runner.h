// The helm binary for `weber kustomize --enable-helm`.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "kustomize/helm.h"

namespace weber::agent {

// Directories it made go away with it. Thread-safe: builds run in parallel.
class ProcessHelmRunner final : public kustomize::HelmRunner {
public:
    // `command`: looked up in PATH when without a slash.
    explicit ProcessHelmRunner(std::string command) : command_(std::move(command)) {}
    ~ProcessHelmRunner() override;
    ProcessHelmRunner(const ProcessHelmRunner&) = delete;
    ProcessHelmRunner& operator=(const ProcessHelmRunner&) = delete;

    [[nodiscard]] Result<std::string> run(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) override;
    [[nodiscard]] Result<std::string> make_directory() override;
    [[nodiscard]] Result<void> write_file(const std::string& path, std::string_view text) override;

private:
    std::string command_;
    std::mutex mutex_; // guards what is below
    std::vector<std::string> directories_;
};

} // namespace weber::agent
