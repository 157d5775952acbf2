// The real API server that the environment names, and tests that run on it as well as on an embedded one.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "tests/kube/server/test_server.h"

namespace weber::testing {

enum class RealServer { any, with_controllers, bare };

// That of WEBER_TEST_KUBECONFIG (tests/cluster/cluster.sh run [--bare]); nullopt when there is none, or it is of another sort.
std::optional<Api> real_api(RealServer sort);

// Parameter: on the real server. A SetUp on top of this one ends when `api_` is empty: the test is skipped then.
class EitherServer : public ::testing::TestWithParam<bool> {
protected:
    explicit EitherServer(RealServer sort) : sort_(sort) {}
    void SetUp() override;

    std::unique_ptr<TestServer> server_; // the embedded one
    std::optional<Api> api_;

private:
    const RealServer sort_;
};

} // namespace weber::testing
