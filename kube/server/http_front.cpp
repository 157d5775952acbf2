#include "kube/server/http_front.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <array>
#include <optional>
#include <thread>

namespace weber::kube::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;
using error_code = boost::system::error_code;
using Strand = asio::strand<asio::io_context::executor_type>;
using Stream = beast::basic_stream<asio::generic::stream_protocol, Strand>;
using TlsStream = asio::ssl::stream<Stream>;

constexpr auto kReadTimeout = std::chrono::seconds(60);    // from the first byte of a request to its last
constexpr auto kIdleTimeout = std::chrono::seconds(180);   // between requests
constexpr auto kWriteTimeout = std::chrono::seconds(60);   // without progress on a piece
constexpr auto kDrainTimeout = std::chrono::seconds(10);   // for a refused request's rest, from its answer on
constexpr std::size_t kHeaderLimit = 64u << 10;

std::string_view view(beast::string_view s) { return {s.data(), s.size()}; }

// What all connections share.
struct Sessions {
    std::atomic<std::size_t> open = 0;
    std::atomic<bool> stopping = false;
};

// One connection; every member is touched on its strand only.
class Session : public std::enable_shared_from_this<Session> {
public:
    explicit Session(Sessions& all, const HttpFrontOptions& options, const HttpHandler& handler)
        : all_(all), options_(options), handler_(handler) {
        all_.open.fetch_add(1);
    }
    virtual ~Session() {
        if (source_) source_->closed();
        all_.open.fetch_sub(1);
    }
    virtual void begin() = 0;
    [[nodiscard]] bool stopping() const { return all_.stopping; }

    virtual Strand strand() = 0;
    virtual void deliver(HttpResponse response) = 0;
    virtual void deliver_stream(HttpResponse head, std::shared_ptr<StreamSource> source) = 0;

protected:
    Sessions& all_;
    const HttpFrontOptions& options_;
    const HttpHandler& handler_;
    std::shared_ptr<StreamSource> source_;
};

class SessionExchange final : public Exchange {
public:
    explicit SessionExchange(std::shared_ptr<Session> session) : session_(std::move(session)) {}
    ~SessionExchange() override {
        if (!done_.exchange(true) && !session_->stopping()) { // a handler that forgot to answer must not hang its client
            asio::post(session_->strand(), [s = session_] {
                s->deliver(HttpResponse{.status = 500, .content_type = "text/plain", .headers = {}, .body = "no answer\n"});
            });
        }
    }
    void respond(HttpResponse response) override {
        if (done_.exchange(true)) return;
        asio::dispatch(session_->strand(), [s = session_, r = std::move(response)]() mutable { s->deliver(std::move(r)); });
    }
    void stream(HttpResponse head, std::shared_ptr<StreamSource> source) override {
        if (done_.exchange(true)) return;
        asio::dispatch(session_->strand(), [s = session_, h = std::move(head), src = std::move(source)]() mutable {
            s->deliver_stream(std::move(h), std::move(src));
        });
    }

private:
    std::shared_ptr<Session> session_;
    std::atomic<bool> done_ = false;
};

template <class S>
class SessionOn final : public Session {
public:
    template <class... Args>
    SessionOn(Sessions& all, const HttpFrontOptions& options, const HttpHandler& handler, Args&&... args)
        : Session(all, options, handler), stream_(std::forward<Args>(args)...), timer_(stream_.get_executor()) {}

    void begin() override {
        asio::dispatch(strand(), [self = self()] { self->handshake(); });
    }
    Strand strand() override { return lowest().get_executor(); }

    void deliver(HttpResponse response) override {
        head_ = {};
        append_head(response, static_cast<long>(response.body.size()));
        body_ = request_is_head_ ? std::string() : std::move(response.body);
        lowest().expires_after(kWriteTimeout + std::chrono::seconds(body_.size() >> 20));
        std::array<asio::const_buffer, 2> buffers{asio::buffer(head_), asio::buffer(body_)};
        asio::async_write(stream_, buffers, [self = self()](error_code ec, std::size_t) {
            self->body_ = {};
            if (ec) return self->finish();
            if (self->drain_) return self->drain();
            if (!self->keep_alive_) return self->finish();
            self->read();
        });
    }

    void deliver_stream(HttpResponse head, std::shared_ptr<StreamSource> source) override {
        head_ = {};
        keep_alive_ = false; // the connection ends with the stream, and a client that is not told would send its next request into the end
        append_head(head, -1);
        source_ = std::move(source);
        source_->on_ready([weak = std::weak_ptr<SessionOn>(self())] {
            if (auto s = weak.lock()) asio::post(s->strand(), [s] { s->woken(); });
        });
        lowest().expires_after(kWriteTimeout);
        writing_ = true;
        asio::async_write(stream_, asio::buffer(head_), [self = self()](error_code ec, std::size_t) {
            self->writing_ = false;
            if (ec) return self->finish();
            self->lowest().expires_never(); // for the probe; each write sets its own
            self->watch_for_close();
            self->pump();
        });
    }

private:
    std::shared_ptr<SessionOn> self() { return std::static_pointer_cast<SessionOn>(shared_from_this()); }
    Stream& lowest() {
        if constexpr (std::is_same_v<S, Stream>)
            return stream_;
        else
            return stream_.next_layer();
    }

    void handshake() {
        if constexpr (std::is_same_v<S, Stream>) {
            read();
        } else {
            lowest().expires_after(std::chrono::seconds(10));
            stream_.async_handshake(asio::ssl::stream_base::server, [self = self()](error_code ec) {
                if (ec) return self->finish();
                self->read();
            });
        }
    }

    void read() {
        parser_.emplace();
        parser_->header_limit(kHeaderLimit);
        parser_->body_limit(options_.max_body);
        buffer_.max_size(kHeaderLimit + options_.max_body);
        if (buffer_.size() == 0) buffer_.shrink_to_fit();
        lowest().expires_after(kIdleTimeout);
        http::async_read_header(stream_, buffer_, *parser_, [self = self()](error_code ec, std::size_t) {
            if (ec) return self->refuse(ec);
            self->read_body();
        });
    }

    void read_body() {
        lowest().expires_after(kReadTimeout);
        if (view(parser_->get()[http::field::expect]) == "100-continue") {
            static const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            asio::async_write(stream_, asio::buffer(go_on), [self = self()](error_code ec, std::size_t) {
                if (ec) return self->finish();
                self->read_rest();
            });
            return;
        }
        read_rest();
    }

    void read_rest() {
        http::async_read(stream_, buffer_, *parser_, [self = self()](error_code ec, std::size_t) {
            if (ec) return self->refuse(ec);
            self->handle();
        });
    }

    void refuse(error_code ec) {
        drain_ = true;
        if (ec == http::error::body_limit) {
            keep_alive_ = false;
            return deliver(HttpResponse{
                .status = 413,
                .content_type = "application/json",
                .headers = {},
                .body = R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Request entity too large: limit is )" +
                        std::to_string(options_.max_body) + R"(","reason":"RequestEntityTooLarge","code":413})"});
        }
        if (ec.category() == http::make_error_code(http::error::bad_method).category() && ec != http::error::end_of_stream &&
            ec != http::error::partial_message) {
            keep_alive_ = false;
            return deliver(ec == http::error::header_limit
                               ? HttpResponse{.status = 431, .content_type = "text/plain", .headers = {}, .body = "431 Request Header Fields Too Large"}
                               : HttpResponse{.status = 400, .content_type = "text/plain", .headers = {}, .body = "400 Bad Request"});
        }
        finish();
    }

    // The answer went out before the whole request came in. To close now would reset the connection under a client that
    // still sends: it would see a broken pipe, not the answer (RFC 9112, 9.6). The rest is read and forgotten, for a while.
    void drain() {
        parser_.reset();
        buffer_.clear();
        buffer_.shrink_to_fit();
        probe_.resize(16u << 10);
        error_code ignored;
        lowest().socket().shutdown(asio::socket_base::shutdown_send, ignored);
        lowest().expires_after(kDrainTimeout);
        drain_more();
    }

    void drain_more() { // below TLS: what the bytes say does not matter
        lowest().async_read_some(asio::buffer(probe_), [self = self()](error_code ec, std::size_t) {
            if (ec) return self->finish();
            self->drain_more();
        });
    }

    void handle() {
        auto message = parser_->release();
        parser_.reset();
        keep_alive_ = message.keep_alive();
        request_is_head_ = message.method() == http::verb::head;
        HttpRequest request;
        request.method = std::string(view(message.method_string()));
        if (message.version() == 11 && message.find(http::field::host) == message.end()) return bad_request(": missing required Host header");
        if (!parse_target(view(message.target()), request)) return bad_request();
        request.accept = std::string(view(message[http::field::accept]));
        request.content_type = std::string(view(message[http::field::content_type]));
        request.authorization = std::string(view(message[http::field::authorization]));
        request.user_agent = std::string(view(message[http::field::user_agent]));
        request.impersonate_user = std::string(view(message["Impersonate-User"]));
        for (auto [it, end] = message.equal_range("Impersonate-Group"); it != end; ++it)
            request.impersonate_groups.emplace_back(view(it->value()));
        request.impersonate_uid = std::string(view(message["Impersonate-Uid"]));
        constexpr std::string_view kExtra = "Impersonate-Extra-";
        for (const auto& field : message)
            if (const auto name = view(field.name_string()); name.size() > kExtra.size() && boost::beast::iequals(field.name_string().substr(0, kExtra.size()), kExtra))
                request.impersonate_extra.emplace_back(extra_key(name.substr(kExtra.size())), view(field.value()));
        request.body = std::move(message.body());
        lowest().expires_never(); // the handler takes the time it takes
        handler_(std::move(request), std::make_shared<SessionExchange>(shared_from_this()));
    }

    void bad_request(std::string_view why = {}) {
        keep_alive_ = false;
        deliver(HttpResponse{.status = 400, .content_type = "text/plain; charset=utf-8", .headers = {}, .body = "400 Bad Request" + std::string(why)});
    }

    void append_head(const HttpResponse& r, long length) {
        head_ += "HTTP/1.1 ";
        head_ += std::to_string(r.status);
        head_ += ' ';
        const auto reason = http::obsolete_reason(static_cast<http::status>(r.status));
        head_.append(reason.data(), reason.size());
        head_ += "\r\nContent-Type: " + r.content_type + "\r\n";
        for (const auto& [k, v] : r.headers) head_ += k + ": " + v + "\r\n";
        if (length >= 0)
            head_ += "Content-Length: " + std::to_string(length) + "\r\n";
        else
            head_ += "Transfer-Encoding: chunked\r\n";
        if (!keep_alive_) head_ += "Connection: close\r\n";
        head_ += "Cache-Control: no-cache, private\r\n\r\n";
    }

    // A stream's client sends nothing more; a read that ends tells that it left.
    void watch_for_close() {
        probe_.resize(1);
        stream_.async_read_some(asio::buffer(probe_), [self = self()](error_code, std::size_t) { self->finish(); });
    }

    void woken() {
        if (source_ && !writing_) pump();
    }

    void pump() {
        if (!source_ || writing_ || closed_) return;
        chunk_.clear();
        const auto next = source_->next(chunk_);
        if (next == StreamSource::Next::wait) {
            chunk_.shrink_to_fit();
            lowest().expires_never();
            timer_.expires_at(source_->deadline());
            timer_.async_wait([weak = std::weak_ptr<SessionOn>(self())](error_code ec) {
                if (ec) return;
                if (auto s = weak.lock()) s->woken();
            });
            return;
        }
        char size[32];
        const int n = std::snprintf(size, sizeof size, "%zx\r\n", chunk_.size());
        const bool last = next == StreamSource::Next::end;
        std::string framed;
        if (!chunk_.empty()) {
            framed.reserve(chunk_.size() + 32);
            framed.append(size, static_cast<std::size_t>(n)).append(chunk_).append("\r\n");
        }
        if (last) framed += "0\r\n\r\n";
        chunk_ = std::move(framed);
        writing_ = true;
        lowest().expires_after(kWriteTimeout);
        asio::async_write(stream_, asio::buffer(chunk_), [self = self(), last](error_code ec, std::size_t) {
            self->writing_ = false;
            if (ec || last) return self->finish();
            self->pump();
        });
    }

    void finish() {
        if (closed_) return;
        closed_ = true;
        timer_.cancel();
        if (source_) {
            source_->closed();
            source_.reset();
        }
        error_code ignored;
        lowest().socket().shutdown(asio::socket_base::shutdown_both, ignored);
        lowest().close();
    }

    S stream_;
    asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, typename Stream::executor_type> timer_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::string head_, body_, chunk_, probe_;
    bool keep_alive_ = true, request_is_head_ = false, writing_ = false, closed_ = false, drain_ = false;
};

} // namespace

struct HttpFront::Impl {
    HttpFrontOptions options;
    HttpHandler handler;
    Sessions sessions; // before `io`: what io holds at its end refers to it
    asio::io_context io;
    std::unique_ptr<asio::ssl::context> tls;
    std::unique_ptr<asio::ip::tcp::acceptor> tcp;
    std::unique_ptr<asio::local::stream_protocol::acceptor> local;
    std::vector<std::thread> threads;
    std::uint16_t port = 0;

    Result<void> listen_unix();
    Result<void> listen_tcp();
    Result<void> load_tls();
    void accept();
    template <class Acceptor>
    void accept_on(Acceptor& acceptor);
    void serve(Stream::socket_type socket);
};

Result<void> HttpFront::Impl::listen_unix() {
    ::unlink(options.unix_path.c_str());
    error_code ec;
    local = std::make_unique<asio::local::stream_protocol::acceptor>(io);
    local->open(asio::local::stream_protocol(), ec);
    if (!ec && options.unix_path.size() >= 107) ec = asio::error::name_too_long;
    const auto mask = ::umask(0177); // only the owner may connect: the socket is its own authentication
    if (!ec) local->bind(asio::local::stream_protocol::endpoint(options.unix_path), ec);
    ::umask(mask);
    if (!ec) local->listen(1024, ec);
    if (ec) return fail(ErrorCode::unavailable, "cannot listen on unix socket " + options.unix_path + ": " + ec.message());
    return {};
}

Result<void> HttpFront::Impl::listen_tcp() {
    error_code ec;
    const auto address = asio::ip::make_address(options.address, ec);
    if (ec) return fail(ErrorCode::invalid, "listen address \"" + options.address + "\" is not an IP address");
    tcp = std::make_unique<asio::ip::tcp::acceptor>(io);
    const asio::ip::tcp::endpoint endpoint(address, options.port);
    tcp->open(endpoint.protocol(), ec);
    if (!ec) tcp->set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) tcp->bind(endpoint, ec);
    if (!ec) tcp->listen(1024, ec);
    if (ec)
        return fail(Error{.code = ErrorCode::unavailable, .message = "cannot listen on " + options.address + ":" + std::to_string(options.port) + ": " + ec.message(),
                          .hint = ec == asio::error::address_in_use ? "port 0 takes a free one" : ""});
    port = tcp->local_endpoint().port();
    return {};
}

Result<void> HttpFront::Impl::load_tls() {
    if (options.tls_certificate.empty()) return {};
    tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    error_code ec;
    tls->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, ec);
    SSL_CTX_set_mode(tls->native_handle(), SSL_MODE_RELEASE_BUFFERS); // idle connections hold no record buffers
    if (!ec) tls->use_certificate_chain(asio::buffer(options.tls_certificate), ec);
    if (!ec) tls->use_private_key(asio::buffer(options.tls_key), asio::ssl::context::pem, ec);
    if (ec) return fail(ErrorCode::invalid, "cannot use the server's TLS certificate: " + ec.message());
    // Clients that offer h2 as well are told http/1.1.
    SSL_CTX_set_alpn_select_cb(
        tls->native_handle(),
        [](SSL*, const unsigned char** out, unsigned char* outlen, const unsigned char* in, unsigned int inlen, void*) {
            static const unsigned char offer[] = "\x08http/1.1";
            unsigned char* chosen = nullptr;
            if (SSL_select_next_proto(&chosen, outlen, offer, sizeof offer - 1, in, inlen) != OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_NOACK;
            *out = chosen;
            return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    return {};
}

void HttpFront::Impl::accept() {
    if (local) return accept_on(*local);
    accept_on(*tcp);
}

template <class Acceptor>
void HttpFront::Impl::accept_on(Acceptor& acceptor) {
    auto socket = std::make_shared<Stream::socket_type>(asio::make_strand(io));
    acceptor.async_accept(*socket, [this, &acceptor, socket](error_code ec) {
        if (sessions.stopping || ec == asio::error::operation_aborted) return;
        if (ec) { // out of descriptors: try again in a moment instead of spinning
            auto pause = std::make_shared<asio::steady_timer>(io, std::chrono::milliseconds(100));
            pause->async_wait([this, pause, &acceptor](error_code) { accept_on(acceptor); });
            return;
        }
        if constexpr (std::is_same_v<Acceptor, asio::ip::tcp::acceptor>) {
            error_code ignored;
            socket->set_option(asio::ip::tcp::no_delay(true), ignored);
        }
        serve(std::move(*socket));
        accept_on(acceptor);
    });
}

void HttpFront::Impl::serve(Stream::socket_type socket) {
    if (sessions.open >= options.max_connections) return; // closes the socket
    if (tls)
        std::make_shared<SessionOn<TlsStream>>(sessions, options, handler, Stream(std::move(socket)), *tls)->begin();
    else
        std::make_shared<SessionOn<Stream>>(sessions, options, handler, std::move(socket))->begin();
}

HttpFront::HttpFront(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpFront::~HttpFront() { stop(); }
std::uint16_t HttpFront::port() const { return impl_->port; }

Result<std::unique_ptr<HttpFront>> HttpFront::start(HttpFrontOptions options, HttpHandler handler) {
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    impl->handler = std::move(handler);
    TRY_VOID(impl->load_tls());
    TRY_VOID(impl->options.unix_path.empty() ? impl->listen_tcp() : impl->listen_unix());
    impl->accept();
    for (int i = 0; i < std::max(1, impl->options.threads); ++i)
        impl->threads.emplace_back([raw = impl.get()] { raw->io.run(); });
    return std::unique_ptr<HttpFront>(new HttpFront(std::move(impl)));
}

void HttpFront::stop() {
    if (impl_->sessions.stopping.exchange(true)) return;
    impl_->io.stop();
    for (auto& t : impl_->threads) t.join();
    impl_->threads.clear();
    if (impl_->local) ::unlink(impl_->options.unix_path.c_str());
}

} // namespace weber::kube::server
