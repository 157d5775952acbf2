#include "gitops/source/git_http.h"

#include <curl/curl.h>
#include <git2/sys/transport.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

namespace weber::gitops::git {

namespace {

constexpr std::size_t kBufferLimit = 1u << 20; // received and not yet read; beyond it the sender waits
constexpr int kMaxRedirects = 5;

template <auto Free>
struct CurlDeleter {
    template <class T>
    void operator()(T* p) const { Free(p); }
};

int report(const std::string& text, int code = GIT_ERROR) {
    git_error_set_str(GIT_ERROR_HTTP, text.c_str());
    return code;
}

// One request whose answer is pulled piece by piece.
class Request {
public:
    Request(HttpContext& context, const std::string& url, const char* service, bool post) : context_(context), url_(url), service_(service), post_(post) {}
    ~Request() {
        if (multi_ && easy_) curl_multi_remove_handle(multi_.get(), easy_.get());
    }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    void add_body(const char* data, std::size_t size) { body_.append(data, size); }

    int read(char* out, std::size_t size, std::size_t* read) {
        *read = 0;
        if (!easy_ && !start()) return report("cannot make an HTTP request");
        while (received_.size() == taken_ && !done_)
            if (const int code = step(); code != 0) return code;
        if (received_.size() == taken_ && result_ != CURLE_OK) return report(why_not());
        if (const int code = check_answer(); code != 0) return code;
        *read = std::min(size, received_.size() - taken_);
        std::memcpy(out, received_.data() + taken_, *read);
        taken_ += *read;
        if (taken_ == received_.size()) {
            received_.clear();
            taken_ = 0;
            if (paused_) {
                paused_ = false;
                curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
            }
        }
        return 0;
    }

    // Where redirects led to, without the protocol's own ending; "" when not known.
    [[nodiscard]] std::string final_url() const {
        char* url = nullptr;
        if (!easy_ || curl_easy_getinfo(easy_.get(), CURLINFO_EFFECTIVE_URL, &url) != CURLE_OK || url == nullptr) return {};
        std::string text(url);
        const auto end = text.find("/info/refs?service=");
        return end == std::string::npos ? "" : text.substr(0, end);
    }

private:
    static std::size_t on_data(char* data, std::size_t size, std::size_t n, void* self) {
        auto& r = *static_cast<Request*>(self);
        if (r.received_.size() - r.taken_ > kBufferLimit) {
            r.paused_ = true;
            return CURL_WRITEFUNC_PAUSE;
        }
        r.received_.append(data, size * n);
        return size * n;
    }

    // Of TLS the library underneath knows more. (Of other failures curl's details hold milliseconds, and a condition must not change with every try.)
    [[nodiscard]] std::string why_not() const {
        const bool tls = result_ == CURLE_SSL_CONNECT_ERROR || result_ == CURLE_PEER_FAILED_VERIFICATION || result_ == CURLE_SSL_CERTPROBLEM || result_ == CURLE_SSL_CACERT_BADFILE;
        const std::string text = curl_easy_strerror(result_);
        return tls && details_[0] != '\0' ? text + ": " + details_ : text;
    }

    void set_blob(CURLoption option, const std::string& text) {
        if (text.empty()) return;
        curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
        curl_easy_setopt(easy_.get(), option, &blob);
    }

    bool start() {
        easy_.reset(curl_easy_init());
        multi_.reset(curl_multi_init());
        if (!easy_ || !multi_) return false;
        CURL* c = easy_.get();
        const GitCredentials& who = *context_.credentials;
        const std::string url = who.username.empty() && who.bearer_token.empty() ? url_ : public_url(url_); // these win over the URL's
        curl_easy_setopt(c, CURLOPT_URL, (url + (post_ ? std::string("/") + service_ : std::string("/info/refs?service=") + service_)).c_str());
        curl_easy_setopt(c, CURLOPT_ERRORBUFFER, details_);
        curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &Request::on_data);
        curl_easy_setopt(c, CURLOPT_WRITEDATA, this);
        curl_easy_setopt(c, CURLOPT_USERAGENT, "git/2.0 (weber)");
        curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
        // The first request may be sent elsewhere, never from https to http; curl drops credentials at the border of a host.
        curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, url_.starts_with("https") ? "https" : "http,https");
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, post_ ? 0L : 1L);
        curl_easy_setopt(c, CURLOPT_MAXREDIRS, static_cast<long>(kMaxRedirects));
        add_headers(c);
        if (who.bearer_token.empty() && !who.username.empty()) {
            curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
            curl_easy_setopt(c, CURLOPT_USERNAME, who.username.c_str());
            curl_easy_setopt(c, CURLOPT_PASSWORD, who.password.reveal().c_str());
        }
        set_blob(CURLOPT_CAINFO_BLOB, who.ca);
        set_blob(CURLOPT_SSLCERT_BLOB, who.certificate);
        set_blob(CURLOPT_SSLKEY_BLOB, who.key.reveal());
        if (!who.proxy.empty()) curl_easy_setopt(c, CURLOPT_PROXY, who.proxy.c_str());
        if (!who.proxy_user.empty()) {
            curl_easy_setopt(c, CURLOPT_PROXYUSERNAME, who.proxy_user.c_str());
            curl_easy_setopt(c, CURLOPT_PROXYPASSWORD, who.proxy_password.reveal().c_str());
        }
        curl_multi_add_handle(multi_.get(), c);
        return true;
    }

    void add_headers(CURL* c) {
        const auto add = [&](const std::string& line) { headers_.reset(curl_slist_append(headers_.release(), line.c_str())); };
        if (!context_.credentials->bearer_token.empty()) add("Authorization: Bearer " + context_.credentials->bearer_token.reveal());
        if (post_) {
            add(std::string("Content-Type: application/x-") + service_ + "-request");
            add(std::string("Accept: application/x-") + service_ + "-result");
            add("Expect:");
            curl_easy_setopt(c, CURLOPT_POST, 1L);
            curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
            curl_easy_setopt(c, CURLOPT_POSTFIELDS, body_.c_str());
        }
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers_.get());
    }

    // Lets libcurl work until something came, at most a moment.
    int step() {
        using std::chrono::steady_clock;
        if (context_.stop.stop_requested()) {
            context_.cancelled = true;
            return report("stopped", GIT_EUSER);
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(context_.deadline - steady_clock::now()).count();
        if (left <= 0) {
            context_.timed_out = true;
            return report("the deadline passed", GIT_EUSER);
        }
        int running = 0;
        curl_multi_perform(multi_.get(), &running);
        int queued = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &queued))
            if (message->msg == CURLMSG_DONE) {
                done_ = true;
                result_ = message->data.result;
            }
        if (!done_ && received_.size() == taken_) curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(std::min<long long>(left, 200)), nullptr);
        return 0;
    }

    int check_answer() {
        if (checked_) return 0;
        checked_ = true;
        long status = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
        context_.status = static_cast<int>(status);
        if (status == 401 || status == 403) return report("authentication required but refused (HTTP " + std::to_string(status) + ")", GIT_EAUTH);
        if (status == 404) return report("repository not found", GIT_ENOTFOUND);
        if (status != 200) return report("unexpected HTTP status " + std::to_string(status));
        char* type = nullptr;
        curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_TYPE, &type);
        const std::string want = std::string("application/x-") + service_ + (post_ ? "-result" : "-advertisement");
        if (type == nullptr || want != type) return report("the server does not speak git's smart HTTP protocol");
        return 0;
    }

    HttpContext& context_;
    std::string url_;
    const char* service_;
    bool post_;
    std::string body_, received_;
    std::size_t taken_ = 0;
    bool done_ = false, paused_ = false, checked_ = false;
    CURLcode result_ = CURLE_OK;
    char details_[CURL_ERROR_SIZE] = {};
    std::unique_ptr<curl_slist, CurlDeleter<curl_slist_free_all>> headers_;
    std::unique_ptr<CURL, CurlDeleter<curl_easy_cleanup>> easy_;
    std::unique_ptr<CURLM, CurlDeleter<curl_multi_cleanup>> multi_;
};

// libgit2's C interfaces: the struct comes first, so that pointers to it can be cast back.
struct Subtransport {
    git_smart_subtransport base = {};
    HttpContext* context = nullptr;
    std::string url; // after redirects
};

struct Stream {
    git_smart_subtransport_stream base = {};
    std::unique_ptr<Request> request;
};

int stream_read(git_smart_subtransport_stream* s, char* buffer, std::size_t size, std::size_t* read) {
    Stream& stream = *reinterpret_cast<Stream*>(s);
    const int code = stream.request->read(buffer, size, read);
    if (const std::string url = stream.request->final_url(); !url.empty()) reinterpret_cast<Subtransport*>(s->subtransport)->url = url;
    return code;
}

int stream_write(git_smart_subtransport_stream* s, const char* data, std::size_t size) {
    reinterpret_cast<Stream*>(s)->request->add_body(data, size);
    return 0;
}

void stream_free(git_smart_subtransport_stream* s) { delete reinterpret_cast<Stream*>(s); }

int action(git_smart_subtransport_stream** out, git_smart_subtransport* t, const char* url, git_smart_service_t service) {
    auto& transport = *reinterpret_cast<Subtransport*>(t);
    if (transport.url.empty()) {
        transport.url = url;
        while (transport.url.ends_with('/')) transport.url.pop_back();
    }
    if (service != GIT_SERVICE_UPLOADPACK_LS && service != GIT_SERVICE_UPLOADPACK) return report("only fetching is possible");
    auto stream = std::make_unique<Stream>();
    stream->base = {t, stream_read, stream_write, stream_free};
    stream->request = std::make_unique<Request>(*transport.context, transport.url, "git-upload-pack", service == GIT_SERVICE_UPLOADPACK);
    *out = &stream.release()->base;
    return 0;
}

int close(git_smart_subtransport*) { return 0; }
void free_transport(git_smart_subtransport* t) { delete reinterpret_cast<Subtransport*>(t); }

int make_subtransport(git_smart_subtransport** out, git_transport*, void* context) {
    auto t = std::make_unique<Subtransport>();
    t->base = {action, close, free_transport};
    t->context = static_cast<HttpContext*>(context);
    *out = &t.release()->base;
    return 0;
}

} // namespace

int http_transport(git_transport** out, git_remote* owner, HttpContext* context) {
    git_smart_subtransport_definition definition{make_subtransport, 1, context};
    return git_transport_smart(out, owner, &definition);
}

} // namespace weber::gitops::git
