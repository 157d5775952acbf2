// Sockets on 127.0.0.1, for servers that tests make themselves.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

namespace weber::testing {

inline sockaddr_in loopback(int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    out.sin_port = htons(static_cast<std::uint16_t>(port));
    return out;
}

struct Listener {
    int fd = -1; // the caller closes it
    int port = 0; // 0: the system would not listen
};

// On a free port.
inline Listener listen_on_loopback() {
    Listener out{.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(out.fd, any, size) != 0 || listen(out.fd, 64) != 0 || getsockname(out.fd, any, &size) != 0) return out;
    out.port = ntohs(address.sin_port);
    return out;
}

} // namespace weber::testing
