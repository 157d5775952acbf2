#include "tests/kube/tunnel_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "tests/kube/loopback.h"

namespace weber::testing {
namespace {

// Exactly `size` bytes; nullopt: the peer ended.
std::optional<std::string> read_bytes(int fd, std::size_t size) {
    std::string out(size, '\0');
    std::size_t have = 0;
    while (have < size) {
        const auto n = ::recv(fd, out.data() + have, size - have, 0);
        if (n <= 0) return std::nullopt;
        have += static_cast<std::size_t>(n);
    }
    return out;
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

int connect_to(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const auto a = loopback(port);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0) return fd;
    ::close(fd);
    return -1;
}

// The port asked for, after the greeting; nullopt: not a request that this proxy knows.
std::optional<int> socks5_port(int client) {
    const auto greeting = read_bytes(client, 2);
    if (!greeting || !read_bytes(client, static_cast<unsigned char>((*greeting)[1]))) return std::nullopt;
    if (!write_all(client, std::string_view("\x05\x00", 2))) return std::nullopt;
    const auto head = read_bytes(client, 4);
    if (!head || (*head)[1] != 1 || (*head)[3] != 1) return std::nullopt; // CONNECT to an IPv4 address
    const auto target = read_bytes(client, 6);
    if (!target) return std::nullopt;
    return static_cast<unsigned char>((*target)[4]) * 256 + static_cast<unsigned char>((*target)[5]);
}

std::optional<int> connect_port(int client) {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
        const auto c = read_bytes(client, 1);
        if (!c || head.size() > 10'000) return std::nullopt;
        head += *c;
    }
    const auto end = head.find(" HTTP/"), colon = head.rfind(':', end);
    if (!head.starts_with("CONNECT ") || end == std::string::npos || colon == std::string::npos) return std::nullopt;
    return std::stoi(head.substr(colon + 1, end - colon - 1));
}

void relay(int a, int b) {
    std::array<char, 16384> buffer;
    for (;;) {
        std::array<pollfd, 2> both{pollfd{a, POLLIN, 0}, pollfd{b, POLLIN, 0}};
        if (::poll(both.data(), both.size(), -1) <= 0) return;
        for (std::size_t i = 0; i < 2; ++i) {
            if (both[i].revents == 0) continue;
            const auto n = ::recv(both[i].fd, buffer.data(), buffer.size(), 0);
            if (n <= 0 || !write_all(both[1 - i].fd, {buffer.data(), static_cast<std::size_t>(n)})) return;
        }
    }
}

} // namespace

TunnelProxy::TunnelProxy() {
    const Listener on = listen_on_loopback();
    listener_ = on.fd;
    port_ = on.port;
    if (port_ == 0) return;
    acceptor_ = std::thread([this] {
        for (;;) {
            const int client = ::accept(listener_, nullptr, nullptr);
            const std::lock_guard lock(mutex_);
            if (client < 0 || stopping_) {
                if (client >= 0) ::close(client);
                return;
            }
            sockets_.push_back(client);
            workers_.emplace_back([this, client] { serve(client); });
        }
    });
}

TunnelProxy::~TunnelProxy() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    if (acceptor_.joinable()) acceptor_.join();
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& w : workers_) w.join();
    for (const int fd : sockets_) ::close(fd);
    ::close(listener_);
}

std::vector<std::string> TunnelProxy::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void TunnelProxy::serve(int client) {
    char first = 0;
    if (::recv(client, &first, 1, MSG_PEEK) != 1) return;
    const bool socks = first == 5;
    const auto port = socks ? socks5_port(client) : connect_port(client);
    const int server = port ? connect_to(*port) : -1;
    if (server >= 0) {
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back((socks ? "socks5 127.0.0.1:" : "connect 127.0.0.1:") + std::to_string(*port));
            sockets_.push_back(server);
            if (stopping_) ::shutdown(server, SHUT_RDWR);
        }
        if (write_all(client, socks ? std::string_view("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10) : std::string_view("HTTP/1.1 200 OK\r\n\r\n"))) relay(client, server);
        ::shutdown(server, SHUT_RDWR);
    }
    ::shutdown(client, SHUT_RDWR); // closed at the end, so that no number is used twice
}

} // namespace weber::testing
