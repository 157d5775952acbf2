// API servers that tests run against: the embedded one, started in the process, and a real one named by WEBER_TEST_KUBECONFIG.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "kube/client.h"
#include "kube/server/server.h"

namespace weber::testing {

// An empty folder, removed with everything in it at the end.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }
    // Writes a file below it (parents are made); returns its path.
    std::string write(const std::string& name, std::string_view content) const;

private:
    std::string path_;
};

enum class ClusterKind { embedded, real };

// For INSTANTIATE_TEST_SUITE_P: the same test body on both servers.
inline constexpr ClusterKind kBothClusters[] = {ClusterKind::embedded, ClusterKind::real};
std::string cluster_name(const ::testing::TestParamInfo<ClusterKind>& info);

// A server for the life of one test. `use()` first; it returns why the test must be skipped, or "".
class TestCluster {
public:
    ~TestCluster(); // deletes the namespaces it made on a real server
    [[nodiscard]] std::string use(ClusterKind kind, kube::ServerOptions options = {});
    [[nodiscard]] const kube::ClientConfig& config() const { return config_; }
    [[nodiscard]] kube::Client& client() { return *client_; }
    [[nodiscard]] bool is_real() const { return server_ == nullptr; }
    [[nodiscard]] kube::Server* server() { return server_.get(); }
    // A new namespace with a name of its own.
    std::string make_namespace();

private:
    std::unique_ptr<TempDir> dir_;
    std::unique_ptr<kube::Server> server_;
    kube::ClientConfig config_;
    std::shared_ptr<kube::Client> client_;
    std::vector<std::string> namespaces_;
};

// YAML text of one object.
kube::Object object_of(std::string_view yaml);

} // namespace weber::testing
