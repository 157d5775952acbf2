// Charts: `helm template` as kustomize's HelmChartInflationGenerator calls it. This layer starts no process: the caller of a build
// gives a runner (agent has one, behind --enable-helm), or none, and then charts are a clear error.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kustomize/resource.h"
#include "kustomize/types.h"

namespace weber::kustomize {

struct PluginContext;

// Starts the helm binary (--helm-command, "helm" by default) on the real disk.
class HelmRunner {
public:
    virtual ~HelmRunner() = default;

    // Runs helm with these arguments and, besides the process's own environment, these "NAME=value" entries. Its standard output.
    // Fails with what it wrote to standard error, and its exit status.
    [[nodiscard]] virtual Result<std::string> run(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) = 0;
    // A new empty directory that only this user can read; removed when the runner is destroyed.
    [[nodiscard]] virtual Result<std::string> make_directory() = 0;
    // Writes a file that only this user can read.
    [[nodiscard]] virtual Result<void> write_file(const std::string& path, std::string_view text) = 0;

    // --helm-kube-version, --helm-api-versions, --helm-debug: for charts that say nothing themselves, as kustomize does it.
    std::string kube_version = {};
    std::vector<std::string> api_versions = {};
    bool debug = false;
};

// The objects of one chart, marked as made by helm (the namespace transform leaves them alone). A chart that is not in the chart
// home is pulled there first. Errors: unsupported without a runner; kustomize's texts for what a chart lacks.
// Source: kustomize HelmChartInflationGenerator.
Result<std::vector<std::unique_ptr<Resource>>> inflate_chart(HelmChart chart, const HelmGlobals& globals, const PluginContext& context);

// The arguments of `helm template`, in kustomize's order. Pure.
[[nodiscard]] std::vector<std::string> template_arguments(const HelmChart& chart, std::string_view chart_home);

} // namespace weber::kustomize
