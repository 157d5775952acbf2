#include "tests/kube/server/either_server.h"

#include <cstdlib>

#include "kube/kubeconfig.h"

namespace weber::testing {

std::optional<Api> real_api(RealServer sort) {
    const char* file = std::getenv("WEBER_TEST_KUBECONFIG");
    if (file == nullptr || *file == '\0') return std::nullopt;
    if (sort != RealServer::any && (std::getenv("WEBER_BARE_CLUSTER") != nullptr) != (sort == RealServer::bare)) return std::nullopt;
    const auto config = kube::load_kubeconfig({.files = {file}});
    EXPECT_TRUE(config) << config.error().to_string();
    return config ? std::optional<Api>(*config) : std::nullopt;
}

void EitherServer::SetUp() {
    if (GetParam()) {
        api_ = real_api(sort_);
        if (!api_) GTEST_SKIP() << "no real cluster" << (sort_ == RealServer::with_controllers ? " with controllers" : "") << " (tests/cluster/cluster.sh run)";
        return;
    }
    server_ = std::make_unique<TestServer>();
    api_ = server_->api();
}

} // namespace weber::testing
