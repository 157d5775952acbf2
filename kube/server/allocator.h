// Cluster IPs (10.96.0.0/16) and node ports (30000–32767) of Services. In memory, rebuilt from the stored Services at start.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace weber::kube::server {

class Allocator {
public:
    // A free address, marked as used; "" when none is left.
    std::string take_ip();
    // Marks an address; false when it is taken or outside of the range.
    bool take_ip(std::string_view ip);
    void free_ip(std::string_view ip);
    // A free port, marked; 0 when none is left.
    int take_port();
    bool take_port(int port);
    void free_port(int port);
    static bool in_range(std::string_view ip);
    static bool port_in_range(int port) { return port >= 30000 && port <= 32767; }

private:
    std::mutex mutex_; // guards all
    std::set<std::uint32_t> ips_;
    std::set<int> ports_;
    std::uint32_t next_ip_ = 256;
    int next_port_ = 30000;
};

} // namespace weber::kube::server
