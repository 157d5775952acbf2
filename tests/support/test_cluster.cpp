#include "tests/support/test_cluster.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "kube/base/yaml.h"
#include "kube/kubeconfig.h"

namespace weber::testing {

namespace fs = std::filesystem;

TempDir::TempDir() {
    std::string pattern = (fs::temp_directory_path() / "weber-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
}

TempDir::~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string TempDir::write(const std::string& name, std::string_view content) const {
    const fs::path file = fs::path(path_) / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file.string();
}

std::string cluster_name(const ::testing::TestParamInfo<ClusterKind>& info) {
    return info.param == ClusterKind::embedded ? "Embedded" : "Real";
}

std::string TestCluster::use(ClusterKind kind, kube::ServerOptions options) {
    if (kind == ClusterKind::real) {
        const char* file = std::getenv("WEBER_TEST_KUBECONFIG");
        if (!file || !*file) return "no real kube-apiserver: WEBER_TEST_KUBECONFIG is not set (tests/cluster/cluster.sh run -- …)";
        auto config = kube::load_kubeconfig({.files = {file}});
        if (!config) return config.error().to_string();
        config_ = std::move(*config);
    } else {
        dir_ = std::make_unique<TempDir>();
        if (options.unix_path.empty() && options.port == 0) options.unix_path = dir_->path() + "/api.sock";
        auto server = kube::Server::start(std::move(options));
        if (!server) return server.error().to_string();
        server_ = std::move(*server);
        config_ = kube::unix_socket_config(server_->unix_path());
    }
    auto client = kube::Client::connect(config_);
    if (!client) return client.error().to_string();
    client_ = std::move(*client);
    return {};
}

std::string TestCluster::make_namespace() {
    std::random_device random;
    std::string name = "weber-test-" + std::to_string(random() % 100'000'000);
    kube::Object object(Node::map({{"apiVersion", Node::string("v1")}, {"kind", Node::string("Namespace")}}));
    object.set_name(name);
    const auto made = client_->create(object);
    EXPECT_TRUE(made) << made.error().to_string();
    namespaces_.push_back(name);
    return name;
}

TestCluster::~TestCluster() {
    if (!is_real() || !client_) return;
    for (const std::string& name : namespaces_) (void)client_->remove({.gvk = {"", "v1", "Namespace"}, .name = name});
}

kube::Object object_of(std::string_view yaml) {
    auto node = kube::read_yaml_one(yaml);
    EXPECT_TRUE(node) << node.error().to_string() << "\n" << yaml;
    return kube::Object(node ? std::move(*node) : Node::map());
}

} // namespace weber::testing
