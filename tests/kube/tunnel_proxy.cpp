#include "tests/kube/tunnel_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "kube/base/digest.h"
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

struct Asked {
    std::string host;
    int port = 0;
    std::string who = {}; // name:password
};

std::size_t byte_of(const std::string& text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

// A name and a password when the client offers them (RFC 1929), else nothing.
std::optional<std::string> socks5_greeting(int client) {
    const auto greeting = read_bytes(client, 2);
    const auto methods = greeting ? read_bytes(client, byte_of(*greeting, 1)) : std::nullopt;
    if (!methods) return std::nullopt;
    const bool by_password = methods->find('\x02') != std::string::npos;
    if (!write_all(client, by_password ? std::string_view("\x05\x02", 2) : std::string_view("\x05\x00", 2))) return std::nullopt;
    if (!by_password) return std::string();
    const auto size = read_bytes(client, 2);
    const auto name = size ? read_bytes(client, byte_of(*size, 1)) : std::nullopt;
    const auto more = name ? read_bytes(client, 1) : std::nullopt;
    const auto password = more ? read_bytes(client, byte_of(*more, 0)) : std::nullopt;
    if (!password || !write_all(client, std::string_view("\x01\x00", 2))) return std::nullopt;
    return *name + ":" + *password;
}

// nullopt: not a request that this proxy knows.
std::optional<Asked> socks5_request(int client) {
    const auto who = socks5_greeting(client);
    const auto head = who ? read_bytes(client, 4) : std::nullopt;
    if (!head || (*head)[1] != 1) return std::nullopt; // CONNECT
    Asked out{.host = "127.0.0.1", .who = *who};
    if ((*head)[3] == 3) { // a name
        const auto size = read_bytes(client, 1);
        const auto name = size ? read_bytes(client, byte_of(*size, 0)) : std::nullopt;
        if (!name) return std::nullopt;
        out.host = *name;
    } else if ((*head)[3] != 1 || !read_bytes(client, 4)) { // an IPv4 address
        return std::nullopt;
    }
    const auto port = read_bytes(client, 2);
    if (!port) return std::nullopt;
    out.port = static_cast<int>(byte_of(*port, 0) * 256 + byte_of(*port, 1));
    return out;
}

std::optional<Asked> connect_request(int client) {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
        const auto c = read_bytes(client, 1);
        if (!c || head.size() > 10'000) return std::nullopt;
        head += *c;
    }
    const auto end = head.find(" HTTP/"), colon = head.rfind(':', end);
    if (!head.starts_with("CONNECT ") || end == std::string::npos || colon == std::string::npos) return std::nullopt;
    Asked out{.host = head.substr(8, colon - 8), .port = std::stoi(head.substr(colon + 1, end - colon - 1))};
    constexpr std::string_view kBasic = "Proxy-Authorization: Basic ";
    if (const auto at = head.find(kBasic); at != std::string::npos) {
        const auto from = at + kBasic.size();
        out.who = kube::base64_decode(head.substr(from, head.find("\r\n", from) - from)).value_or("?");
    }
    return out;
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
    const auto asked = socks ? socks5_request(client) : connect_request(client);
    const int server = asked ? connect_to(asked->port) : -1;
    if (server >= 0) {
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back((socks ? "socks5 " : "connect ") + asked->host + ":" + std::to_string(asked->port) + (asked->who.empty() ? "" : " as " + asked->who));
            sockets_.push_back(server);
            if (stopping_) ::shutdown(server, SHUT_RDWR);
        }
        if (write_all(client, socks ? std::string_view("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10) : std::string_view("HTTP/1.1 200 OK\r\n\r\n"))) relay(client, server);
        ::shutdown(server, SHUT_RDWR);
    }
    ::shutdown(client, SHUT_RDWR); // closed at the end, so that no number is used twice
}

} // namespace weber::testing
