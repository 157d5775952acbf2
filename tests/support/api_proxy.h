// An HTTP/1.1 proxy before an API server: a process that is sent here meets the faults of a FaultyTransport and has its requests counted.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "kube/kubeconfig.h"
#include "tests/support/faulty_transport.h"

namespace weber::testing {

// Listens on a Unix socket from the construction on. A stalled request (FaultKind::stall) is answered after two seconds; a lost one ends its connection.
class ApiProxy {
public:
    ApiProxy(const kube::ClientConfig& server, std::string socket, unsigned seed = 1);
    ~ApiProxy();
    ApiProxy(const ApiProxy&) = delete;
    ApiProxy& operator=(const ApiProxy&) = delete;

    FaultyTransport& faults() { return *faulty_; }
    [[nodiscard]] std::string kubeconfig() const; // for Weber's own client

private:
    struct Connection;
    void accept_loop();
    void serve(Connection& connection);
    void answer(Connection& connection, kube::HttpRequest request);
    void pass_stream(Connection& connection, kube::HttpRequest request);

    const std::string socket_;
    std::shared_ptr<kube::Transport> real_;
    std::shared_ptr<FaultyTransport> faulty_;
    int listener_ = -1;
    std::mutex mutex_; // guards the rest
    bool ending_ = false;
    std::list<std::unique_ptr<Connection>> connections_;
    std::thread acceptor_;
};

} // namespace weber::testing
