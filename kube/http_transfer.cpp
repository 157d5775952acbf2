#include "kube/http_transfer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace weber::kube {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kMaxHeaders = 256u << 10; // of one answer, interim ones included

// A peer that vanished without a word is noticed after a minute, also on a silent watch.
int on_socket(void*, curl_socket_t socket, curlsocktype) {
    int milliseconds = 60'000;
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds); // fails on Unix sockets, which is fine
    return CURL_SOCKOPT_OK;
}

bool never_connected(CURLcode code) {
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY;
}

// The connection was lost within the handshake, as opposed to a handshake that one side refused.
bool cut_in_handshake(CURLcode code, std::string_view text) {
    if (code != CURLE_SSL_CONNECT_ERROR) return false;
    for (const std::string_view sign : {"SSL_ERROR_SYSCALL", "unexpected eof", "reset by peer"})
        if (text.find(sign) != std::string_view::npos) return true;
    return false;
}

bool is_tls_refusal(CURLcode code, std::string_view text) {
    if (cut_in_handshake(code, text)) return false;
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CONNECT_ERROR: return true;
    default: return false;
    }
}

curl_blob blob_of(const std::string& text) {
    return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY}; // the transfer keeps the text alive
}

std::string_view trim(std::string_view s) {
    while (!s.empty() && (s.back() == '\r' || s.back() == '\n' || s.back() == ' ')) s.remove_suffix(1);
    while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
    return s;
}

} // namespace

Transfer::Transfer(Outgoing out, std::shared_ptr<Mailbox> mailbox, bool streaming, std::size_t stream_buffer)
    : box(std::move(mailbox)), out_(std::move(out)), streaming_(streaming), stream_buffer_(stream_buffer) {
    deadline_ = out_.request.timeout.count() > 0 ? steady_clock::now() + out_.request.timeout : steady_clock::time_point::max();
}

Transfer::~Transfer() {
    curl_slist_free_all(headers_);
    curl_slist_free_all(connect_to_);
}

Error Transfer::error(ErrorCode code, std::string_view text) const {
    const std::string_view target = out_.request.target;
    std::string message = out_.request.method + " " + out_.endpoint->display;
    message += target.substr(0, target.find('?'));
    message += ": ";
    message += text;
    return Error{.code = code, .message = std::move(message)};
}

void Transfer::set_result(Result<HttpResponse> r) {
    const std::lock_guard lock(box->mutex);
    if (result) return;
    result = std::move(r);
    --box->open;
    box->changed.notify_all();
}

std::shared_ptr<Transfer> Transfer::second_of(const Transfer& first) {
    auto own_box = std::make_shared<Mailbox>();
    own_box->open = 1;
    auto second = std::make_shared<Transfer>(first.out_, std::move(own_box), false, 0);
    second->deadline_ = first.deadline_;
    second->fresh_connection_ = true;
    second->lane = first.lane;
    second->lane_counts = true;
    return second;
}

bool Transfer::may_be_seconded() const {
    if (streaming_ || heard_ || was_seconded || first || !out_.request.may_repeat()) return false;
    long made = 0;
    curl_off_t sent = 0;
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &made);
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent); // 0: not on a connection yet
    return made == 0 && sent > 0;
}

bool Transfer::prepare(CURL* e, milliseconds connect_timeout) {
    long left = 0;
    if (deadline_ != steady_clock::time_point::max()) {
        left = static_cast<long>(std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now()).count());
        if (left <= 0) {
            set_result(fail(error(ErrorCode::timeout, "timed out before it could be sent")));
            return false;
        }
    }
    ++attempts_;
    sent_at_ = steady_clock::now();
    heard_ = headers_whole_ = throttled_ = overflow_ = false;
    header_bytes_ = 0;
    response_ = {};
    error_text_[0] = '\0';
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PRIVATE, this);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, error_text_);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, left);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout.count()));
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, this);
    set_target(e);
    set_security(e);
    set_headers(e);
    set_body(e);
    return true;
}

void Transfer::set_target(CURL* e) {
    const Endpoint& to = *out_.endpoint;
    curl_easy_setopt(e, CURLOPT_URL, (to.base + out_.request.target).c_str());
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, &on_socket);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, 10L);
    if (!to.unix_socket.empty()) curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, to.unix_socket.c_str());
    curl_easy_setopt(e, CURLOPT_PROXY, to.proxy.c_str()); // also when there is none: libcurl is not to look into the environment
    curl_easy_setopt(e, CURLOPT_NOPROXY, "");
    if (!to.connect_to.empty()) {
        if (!connect_to_) connect_to_ = curl_slist_append(nullptr, to.connect_to.c_str());
        curl_easy_setopt(e, CURLOPT_CONNECT_TO, connect_to_);
    }
    if (streaming_) {
        // A stream gets a connection of its own: libcurl 7.88 holds back a whole HTTP/2 connection while one of its streams is paused.
        curl_easy_setopt(e, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
    } else {
        curl_easy_setopt(e, CURLOPT_HTTP_VERSION, static_cast<long>(to.https ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
        curl_easy_setopt(e, CURLOPT_PIPEWAIT, to.https ? 1L : 0L);
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, fresh_connection_ ? 1L : 0L);
        if (to.compress) curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
}

void Transfer::set_security(CURL* e) {
    const Endpoint& to = *out_.endpoint;
    if (to.insecure) {
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (!to.ca.empty()) {
        curl_blob ca = blob_of(to.ca);
        curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &ca);
        curl_easy_setopt(e, CURLOPT_CAPATH, nullptr); // only that bundle, not the system's as well
    }
    if (out_.credential && !out_.credential->certificate.empty()) {
        curl_blob cert = blob_of(out_.credential->certificate);
        curl_blob key = blob_of(out_.credential->key.reveal());
        curl_easy_setopt(e, CURLOPT_SSLCERTTYPE, "PEM");
        curl_easy_setopt(e, CURLOPT_SSLKEYTYPE, "PEM");
        curl_easy_setopt(e, CURLOPT_SSLCERT_BLOB, &cert);
        curl_easy_setopt(e, CURLOPT_SSLKEY_BLOB, &key);
    }
}

void Transfer::set_headers(CURL* e) {
    curl_easy_setopt(e, CURLOPT_USERAGENT, out_.endpoint->user_agent.c_str());
    if (!headers_) {
        const auto add = [&](const std::string& line) { headers_ = curl_slist_append(headers_, line.c_str()); };
        add("Expect:");
        if (!out_.endpoint->host_header.empty()) add("Host: " + out_.endpoint->host_header);
        for (const HttpHeader& h : out_.request.headers) add(h.name + ": " + h.value);
        if (out_.credential && !out_.credential->authorization.empty()) add("Authorization: " + out_.credential->authorization.reveal());
    }
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers_);
}

void Transfer::set_body(CURL* e) {
    const HttpRequest& r = out_.request;
    if (r.method == "GET") {
        curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    } else if (r.method == "HEAD") {
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    } else {
        if (!r.body.empty() || r.method != "DELETE") {
            curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(r.body.size()));
            if (r.body.empty() || r.may_repeat()) {
                curl_easy_setopt(e, CURLOPT_POSTFIELDS, r.body.data()); // not copied; lives as long as the transfer
            } else {
                // libcurl by itself sends a request again when a reused connection dies before the answer, unless the body cannot be rewound.
                sent_ = 0;
                curl_easy_setopt(e, CURLOPT_POST, 1L);
                curl_easy_setopt(e, CURLOPT_READFUNCTION, &Transfer::on_read);
                curl_easy_setopt(e, CURLOPT_READDATA, this);
                curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
            }
        }
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r.method.c_str());
    }
}

std::size_t Transfer::on_read(char* data, std::size_t size, std::size_t n, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    const std::string_view piece = std::string_view(t.out_.request.body).substr(t.sent_, size * n);
    std::ranges::copy(piece, data);
    t.sent_ += piece.size();
    return piece.size();
}

int Transfer::on_seek(void*, curl_off_t, int) { return CURL_SEEKFUNC_FAIL; }

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t n, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    auto& response = transfer.response_;
    transfer.heard_ = true;
    transfer.header_bytes_ += size * n;
    if (transfer.header_bytes_ > kMaxHeaders) { // libcurl 7.88 bounds a line, not their number, unless patched (CVE-2023-38039)
        transfer.overflow_ = true;
        return 0;
    }
    const std::string_view line = trim({data, size * n});
    if (line.empty()) transfer.headers_whole_ = true;
    if (line.starts_with("HTTP/")) { // also after an interim answer
        transfer.headers_whole_ = false;
        response = {};
        const auto space = line.find(' ');
        if (space != std::string_view::npos) response.status = std::atoi(std::string(line.substr(space + 1, 3)).c_str());
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
        response.headers.push_back({std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
    }
    return size * n;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t n, void* self) {
    return static_cast<Transfer*>(self)->take_body({data, size * n});
}

std::size_t Transfer::take_body(std::string_view data) {
    if (streaming_ && response_.status / 100 == 2) {
        const std::lock_guard lock(box->mutex);
        if (pending.size() >= stream_buffer_) {
            paused = true;
            return CURL_WRITEFUNC_PAUSE;
        }
        pending += data;
        box->changed.notify_all();
        return data.size();
    }
    if (response_.body.size() + data.size() > out_.request.max_response) {
        overflow_ = true;
        return 0; // makes libcurl give up
    }
    response_.body += data;
    return data.size();
}

Error Transfer::curl_error(CURLcode code, CURL* e) const {
    const std::string_view text = error_text_[0] ? std::string_view(error_text_) : curl_easy_strerror(code);
    if (header_bytes_ > kMaxHeaders) return error(ErrorCode::too_large, "the headers of the answer are larger than 256 KiB");
    if (overflow_) {
        return error(ErrorCode::too_large,
                     "the answer is larger than " + std::to_string(out_.request.max_response >> 10) + " KiB");
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        double connected = 0;
        long connections = 0; // that it made; none: it went over one that was there, and that has no time
        curl_easy_getinfo(e, CURLINFO_CONNECT_TIME, &connected);
        curl_easy_getinfo(e, CURLINFO_NUM_CONNECTS, &connections);
        Error err = error(ErrorCode::timeout, connected > 0 || connections == 0 ? "no answer in time" : "connecting timed out");
        return std::move(err).advise("is the API server reachable and not overloaded?");
    }
    if (is_tls_refusal(code, text))
        return error(ErrorCode::unavailable, std::string("TLS: ") + std::string(text))
            .advise("check certificate-authority-data and the client certificate of the kubeconfig");
    if (code == CURLE_SEND_FAIL_REWIND || (heard_ && !headers_whole_)) return error(ErrorCode::unavailable, "the connection was lost before the answer came");
    if (never_connected(code)) return error(ErrorCode::unavailable, text).advise("is the API server running, and is its address right?");
    return error(ErrorCode::unavailable, text);
}

std::optional<milliseconds> Transfer::conclude(CURLcode code, CURL* e, double jitter) {
    if (code == CURLE_OK && !headers_whole_) code = CURLE_PARTIAL_FILE; // libcurl takes a connection that ends within them for their end
    FailedAttempt attempt{.number = attempts_, .may_repeat = out_.request.may_repeat()};
    const bool answered = code == CURLE_OK;
    if (answered) {
        attempt.status = response_.status;
        throttled_ = response_.status == 429;
        attempt.retry_after = parse_retry_after(response_.header("Retry-After"), system_clock().now());
        if (response_.header("Retry-After").empty()) attempt.retry_after.reset();
    } else {
        attempt.was_sent = !never_connected(code) && !cut_in_handshake(code, error_text_);
    }
    const bool final_failure = overflow_ || code == CURLE_OPERATION_TIMEDOUT || is_tls_refusal(code, error_text_);
    if (!streaming_ && !final_failure && (!answered || response_.status >= 400)) {
        const auto delay = retry_delay(out_.retry, attempt, jitter);
        if (delay && (deadline_ == steady_clock::time_point::max() || steady_clock::now() + *delay < deadline_)) return delay;
    }
    if (answered)
        set_result(std::move(response_));
    else
        set_result(fail(curl_error(code, e)));
    return std::nullopt;
}

} // namespace weber::kube
