// A proxy that lets connections through: CONNECT of HTTP and SOCKS5 without authentication, told apart by the first byte. Loopback only.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weber::testing {

class TunnelProxy {
public:
    TunnelProxy();
    ~TunnelProxy(); // cuts what is open
    TunnelProxy(const TunnelProxy&) = delete;
    TunnelProxy& operator=(const TunnelProxy&) = delete;
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    // Where it was asked to connect to, and by whom: "connect 127.0.0.1:6443", "socks5 cluster.internal:6443 as jane:secret". It goes to that port of its own machine.
    [[nodiscard]] std::vector<std::string> seen() const;

private:
    void serve(int client);

    int listener_ = -1, port_ = 0;
    std::atomic<bool> stopping_ = false;
    mutable std::mutex mutex_; // guards all below
    std::vector<std::string> seen_;
    std::vector<int> sockets_;
    std::vector<std::thread> workers_;
    std::thread acceptor_;
};

} // namespace weber::testing
