#include "tests/support/api_proxy.h"

#include <gtest/gtest.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "kube/http_client.h"

namespace weber::testing {

using kube::HttpRequest;
using kube::HttpResponse;

namespace {

bool is(const std::string& name, const char* wanted) { return strcasecmp(name.c_str(), wanted) == 0; }

// False when the other side is gone.
bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

std::string head_of(const HttpResponse& response) {
    std::string out = "HTTP/1.1 " + std::to_string(response.status) + " answer\r\n";
    for (const auto& h : response.headers)
        if (!is(h.name, "Content-Length") && !is(h.name, "Transfer-Encoding") && !is(h.name, "Connection") && !is(h.name, "Content-Encoding"))
            out += h.name + ": " + h.value + "\r\n";
    return out;
}

// The head of a request; its own hop's headers are left out.
HttpRequest parse_head(std::string_view head, std::size_t& length) {
    HttpRequest out;
    length = 0;
    std::size_t line = 0;
    while (!head.empty()) {
        const std::size_t end = std::min(head.find("\r\n"), head.size());
        const std::string text(head.substr(0, end));
        head.remove_prefix(std::min(end + 2, head.size()));
        if (line++ == 0) {
            out.method = text.substr(0, text.find(' '));
            out.target = text.substr(out.method.size() + 1, text.rfind(' ') - out.method.size() - 1);
            continue;
        }
        const std::string name = text.substr(0, text.find(':'));
        const std::string value = text.substr(text.find_first_not_of(' ', name.size() + 1));
        if (is(name, "Content-Length")) length = std::stoul(value);
        else if (!is(name, "Host") && !is(name, "Connection") && !is(name, "Accept-Encoding") && !is(name, "Authorization")) out.headers.push_back({name, value});
    }
    return out;
}

} // namespace

struct ApiProxy::Connection {
    int fd;
    std::stop_source stop;
    std::thread thread;
    bool open = true;
};

ApiProxy::ApiProxy(const kube::ClientConfig& server, std::string socket, unsigned seed) : socket_(std::move(socket)) {
    auto http = kube::HttpClient::create(server);
    EXPECT_TRUE(http.has_value());
    real_ = std::move(*http);
    faulty_ = std::make_shared<FaultyTransport>(real_, seed);
    faulty_->stall_limit = std::chrono::seconds(2);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << socket_;
    EXPECT_EQ(listen(listener_, 256), 0);
    acceptor_ = std::thread([this] { accept_loop(); });
}

ApiProxy::~ApiProxy() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        for (const auto& c : connections_) {
            c->stop.request_stop();
            if (c->open) shutdown(c->fd, SHUT_RDWR);
        }
    }
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (const auto& c : connections_) c->thread.join();
    close(listener_);
}

std::string ApiProxy::kubeconfig() const {
    return "apiVersion: v1\nkind: Config\ncurrent-context: proxy\nclusters: [{name: proxy, cluster: {server: 'unix://" + socket_ +
           "'}}]\ncontexts: [{name: proxy, context: {cluster: proxy, user: nobody}}]\nusers: [{name: nobody, user: {}}]\n";
}

void ApiProxy::accept_loop() {
    for (;;) {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        const std::lock_guard lock(mutex_);
        if (ending_) {
            close(fd);
            return;
        }
        connections_.push_back(std::make_unique<Connection>(Connection{.fd = fd, .stop = {}, .thread = {}}));
        Connection& c = *connections_.back();
        c.thread = std::thread([this, &c] { serve(c); });
    }
}

void ApiProxy::serve(Connection& c) {
    std::string data;
    const auto more = [&] {
        std::array<char, 16384> buffer;
        const ssize_t n = recv(c.fd, buffer.data(), buffer.size(), 0);
        if (n > 0) data.append(buffer.data(), static_cast<std::size_t>(n));
        return n > 0;
    };
    while (!c.stop.stop_requested()) {
        std::size_t end, length = 0;
        bool there = true;
        while (there && (end = data.find("\r\n\r\n")) == std::string::npos) there = more();
        if (!there) break;
        HttpRequest request = parse_head(std::string_view(data).substr(0, end), length);
        while (there && data.size() < end + 4 + length) there = more();
        if (!there) break;
        request.body = data.substr(end + 4, length);
        data.erase(0, end + 4 + length);
        if (verb_of(request) == "watch") pass_stream(c, std::move(request));
        else answer(c, std::move(request));
    }
    const std::lock_guard lock(mutex_);
    c.open = false;
    close(c.fd);
}

void ApiProxy::answer(Connection& c, HttpRequest request) {
    const HttpRequest again = request;
    auto got = faulty_->send(std::move(request), c.stop.get_token());
    if (!got && got.error().code == ErrorCode::timeout) got = real_->send(again, c.stop.get_token()); // it was stalled
    if (!got || !write_all(c.fd, head_of(*got) + "Content-Length: " + std::to_string(got->body.size()) + "\r\n\r\n" + got->body)) c.stop.request_stop();
}

void ApiProxy::pass_stream(Connection& c, HttpRequest request) {
    // Nothing is sent by a client while it watches: what can be read is its end.
    std::thread end([&c] {
        char byte;
        (void)recv(c.fd, &byte, 1, MSG_PEEK);
        c.stop.request_stop();
    });
    bool begun = false;
    const auto begin = [&] {
        if (!begun) write_all(c.fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        begun = true;
    };
    const HttpRequest again = request;
    const auto pass = [&](std::string_view piece) {
        begin();
        char size[20];
        return write_all(c.fd, {size, static_cast<std::size_t>(snprintf(size, sizeof size, "%zx\r\n", piece.size()))}) && write_all(c.fd, piece) && write_all(c.fd, "\r\n");
    };
    auto got = faulty_->stream(std::move(request), pass, c.stop.get_token());
    if (!got && got.error().code == ErrorCode::timeout && !begun) got = real_->stream(again, pass, c.stop.get_token());
    if (got && got->status / 100 == 2) {
        begin();
        write_all(c.fd, "0\r\n\r\n");
    } else if (got) {
        write_all(c.fd, head_of(*got) + "Content-Length: " + std::to_string(got->body.size()) + "\r\n\r\n" + got->body);
    }
    shutdown(c.fd, SHUT_RDWR); // one stream a connection: the reader above ends, too
    end.join();
}

} // namespace weber::testing
