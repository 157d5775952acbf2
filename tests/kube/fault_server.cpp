#include "tests/kube/fault_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "tests/kube/loopback.h"

namespace weber::testing {

RawAnswer answer(int status, const std::string& body, const std::string& extra_headers) {
    return {.pieces = {"HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n" + extra_headers + "\r\n" + body}};
}

FaultServer::FaultServer(Handler handler) : handler_(std::move(handler)) {
    const Listener on = listen_on_loopback();
    listener_ = on.fd;
    port_ = on.port;
    acceptor_ = std::thread([this] { accept_loop(); });
}

FaultServer::~FaultServer() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    ended_.notify_all();
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& t : threads_) t.join();
    close(listener_);
}

std::vector<SeenRequest> FaultServer::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void FaultServer::accept_loop() {
    for (;;) {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        ++connections_;
        const std::lock_guard lock(mutex_);
        if (ending_) {
            close(fd);
            return;
        }
        open_.push_back(fd);
        threads_.emplace_back([this, fd] { serve(fd); });
    }
}

void FaultServer::serve(int fd) {
    std::string data;
    const auto more = [&] {
        char buffer[8192];
        const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n > 0) data.append(buffer, static_cast<std::size_t>(n));
        return n > 0;
    };
    for (bool go_on = true; go_on;) {
        std::size_t end;
        while ((end = data.find("\r\n\r\n")) == std::string::npos)
            if (!more()) break;
        if (end == std::string::npos) break;
        SeenRequest request;
        request.head = data.substr(0, end);
        request.method = request.head.substr(0, request.head.find(' '));
        const auto target = request.method.size() + 1;
        request.target = request.head.substr(target, request.head.find(' ', target) - target);
        std::size_t length = 0;
        if (const auto at = request.head.find("Content-Length: "); at != std::string::npos) length = std::stoul(request.head.substr(at + 16));
        while (data.size() < end + 4 + length)
            if (!more()) break;
        request.body = data.substr(end + 4, length);
        data.erase(0, end + 4 + length);
        const int n = ++count_;
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back(request);
        }
        const RawAnswer out = handler_(request, n);
        for (const std::string& piece : out.pieces)
            if (send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
        if (out.hold) {
            std::unique_lock lock(mutex_);
            ended_.wait(lock, [&] { return ending_; });
        }
        go_on = !out.close && !out.hold;
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    close(fd);
}

} // namespace weber::testing
