#include "tests/kube/h2_server.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kube/server/tls.h"
#include "tests/kube/loopback.h"

namespace weber::testing {
namespace {

// RFC 9113: types and flags of frames.
constexpr std::uint8_t kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoAway = 7;
constexpr std::uint8_t kEndStream = 1, kAck = 1, kEndHeaders = 4;
constexpr std::uint32_t kRefusedStream = 7;
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct Frame {
    std::uint8_t type = 0, flags = 0;
    std::uint32_t stream = 0;
    std::string payload;
};

std::string big_endian(std::uint32_t v, int bytes) {
    std::string out;
    while (bytes-- > 0) out += static_cast<char>(v >> (8 * bytes));
    return out;
}

std::string bytes_of(const Frame& f) {
    return big_endian(static_cast<std::uint32_t>(f.payload.size()), 3) + static_cast<char>(f.type) + static_cast<char>(f.flags) + big_endian(f.stream, 4) + f.payload;
}

int choose_h2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned int length, void*) {
    static constexpr unsigned char kH2[] = {2, 'h', '2'};
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, size, kH2, sizeof kH2, offered, length) != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

} // namespace

struct H2Server::Tls {
    explicit Tls(const kube::server::KeyPair& pair) : context(SSL_CTX_new(TLS_server_method())) {
        BIO* certificate = BIO_new_mem_buf(pair.certificate.data(), static_cast<int>(pair.certificate.size()));
        BIO* key = BIO_new_mem_buf(pair.key.data(), static_cast<int>(pair.key.size()));
        X509* x = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
        EVP_PKEY* k = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
        SSL_CTX_use_certificate(context, x);
        SSL_CTX_use_PrivateKey(context, k);
        SSL_CTX_set_alpn_select_cb(context, choose_h2, nullptr);
        X509_free(x);
        EVP_PKEY_free(k);
        BIO_free(certificate);
        BIO_free(key);
    }
    ~Tls() { SSL_CTX_free(context); }
    SSL_CTX* context;
};

class H2Server::Connection {
public:
    Connection(H2Server& server, int fd, bool first) : server_(server), first_(first), ssl_(SSL_new(server.tls_->context)) { SSL_set_fd(ssl_, fd); }
    ~Connection() { SSL_free(ssl_); }

    void serve() {
        if (SSL_accept(ssl_) != 1 || read(kPreface.size()) != kPreface) return;
        send({kSettings, 0, 0, {}});
        while (const auto f = next()) {
            if (f->type == kSettings && !(f->flags & kAck)) send({kSettings, kAck, 0, {}});
            if (f->type == kPing && !(f->flags & kAck)) send({kPing, kAck, 0, f->payload});
            if (f->type == kReset) std::erase(waiting_, f->stream);
            if ((f->type == kHeaders || f->type == kData) && (f->flags & kEndStream)) request(f->stream);
        }
    }

private:
    void request(std::uint32_t stream) {
        const Options& o = server_.options_;
        if (server_.refused_.fetch_add(1) < o.refuse) return send({kReset, 0, stream, big_endian(kRefusedStream, 4)});
        ++server_.requests_;
        waiting_.push_back(stream);
        const int open = static_cast<int>(waiting_.size());
        for (int most = server_.most_open_; open > most && !server_.most_open_.compare_exchange_weak(most, open);) {}
        if (open < o.hold_until || (first_ && o.mute_after > 0 && answered_ >= o.mute_after)) return;
        while (!waiting_.empty()) {
            send({kHeaders, kEndHeaders, waiting_.back(), "\x88"}); // HPACK's static table: ":status: 200"
            send({kData, kEndStream, waiting_.back(), "ok"});
            waiting_.pop_back();
            if (++answered_ == o.go_away_after) send({kGoAway, 0, 0, big_endian(stream, 4) + big_endian(0, 4)});
        }
    }

    void send(const Frame& f) {
        const std::string bytes = bytes_of(f);
        SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    }
    std::string read(std::size_t size) {
        std::string out(size, '\0');
        for (std::size_t have = 0; have < size;) {
            const int n = SSL_read(ssl_, out.data() + have, static_cast<int>(size - have));
            if (n <= 0) return {};
            have += static_cast<std::size_t>(n);
        }
        return out;
    }
    std::optional<Frame> next() {
        const std::string head = read(9);
        if (head.empty()) return std::nullopt;
        const auto byte = [&](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(head[static_cast<std::size_t>(i)])); };
        Frame f{static_cast<std::uint8_t>(byte(3)), static_cast<std::uint8_t>(byte(4)), (byte(5) & 0x7F) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8), {}};
        const std::size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
        f.payload = size > 0 ? read(size) : "";
        if (f.payload.size() != size) return std::nullopt;
        return f;
    }

    H2Server& server_;
    const bool first_;
    SSL* ssl_;
    std::vector<std::uint32_t> waiting_; // streams
    int answered_ = 0;
};

H2Server::H2Server(Options options) : options_(options) {
    std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes to a client that left
    const auto ca = kube::server::make_ca("h2");
    const auto pair = ca ? kube::server::make_server_certificate(*ca, {"127.0.0.1"}, {}) : ca;
    EXPECT_TRUE(pair);
    if (!pair) return;
    ca_ = ca->certificate;
    tls_ = std::make_unique<Tls>(*pair);
    const Listener on = listen_on_loopback();
    listener_ = on.fd;
    port_ = on.port;
    acceptor_ = std::thread([this] { accept_loop(); });
}

H2Server::~H2Server() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    shutdown(listener_, SHUT_RDWR);
    if (acceptor_.joinable()) acceptor_.join();
    for (std::thread& t : threads_) t.join();
    close(listener_);
}

void H2Server::accept_loop() {
    for (;;) {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        const bool first = ++connections_ == 1;
        const std::lock_guard lock(mutex_);
        if (ending_) {
            close(fd);
            return;
        }
        open_.push_back(fd);
        threads_.emplace_back([this, fd, first] {
            Connection(*this, fd, first).serve();
            const std::lock_guard done(mutex_);
            std::erase(open_, fd);
            close(fd);
        });
    }
}

} // namespace weber::testing
