#include "kube/http_client.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "kube/proxy_environment.h"

namespace weber::kube {

namespace {

// When the file last changed, in nanoseconds; 0 when it cannot be seen.
std::int64_t stamp_of(const std::string& path) {
    struct stat st{};
    if (::stat(path.c_str(), &st) != 0) return 0;
    return st.st_mtim.tv_sec * 1'000'000'000LL + st.st_mtim.tv_nsec;
}

Result<std::string> read_text(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return fail(ErrorCode::invalid, "cannot read " + path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// Scheme, host, port and prefix of an address, checked.
struct Address {
    bool https = true;
    std::string host; // IPv6 with brackets
    std::string port;
    std::string prefix; // no slash at the end
};

// `secure`: what an address without a scheme is (client-go: HTTPS when the configuration says something of TLS).
Result<Address> parse_address(std::string_view url, bool secure) {
    const auto bad = [&](std::string_view why) {
        return fail(ErrorCode::invalid, "server address \"" + std::string(url) + "\": " + std::string(why));
    };
    Address out;
    std::string_view rest = url;
    if (rest.starts_with("https://")) {
        rest.remove_prefix(8);
    } else if (rest.starts_with("http://")) {
        rest.remove_prefix(7);
        out.https = false;
    } else if (rest.find("://") != std::string_view::npos) {
        return bad("only http and https are spoken");
    } else {
        out.https = secure;
    }
    const auto slash = rest.find_first_of("/?#");
    std::string_view authority = rest.substr(0, slash);
    if (slash != std::string_view::npos) out.prefix = rest.substr(slash);
    if (out.prefix.find_first_of("?#") != std::string::npos) return bad("a query or fragment does not belong here");
    while (out.prefix.ends_with('/')) out.prefix.pop_back();
    if (authority.find('@') != std::string_view::npos) return fail(ErrorCode::invalid, "server address: user info does not belong here");
    const auto colon = authority.rfind(':');
    const bool has_port = colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
    out.host = authority.substr(0, has_port ? colon : std::string_view::npos);
    out.port = has_port ? std::string(authority.substr(colon + 1)) : (out.https ? "443" : "80");
    if (out.host.empty()) return bad("it names no host");
    if (out.port.empty() || out.port.find_first_not_of("0123456789") != std::string::npos || out.port.size() > 5)
        return bad("the port is not a number");
    return out;
}

std::string proxy_of(const ClientConfig& config, const Address& to) {
    if (config.proxy_url == "direct") return {};
    const bool bracketed = to.host.starts_with('[');
    const std::string host = bracketed ? to.host.substr(1, to.host.size() - 2) : to.host;
    std::string proxy = config.proxy_url.empty() ? ProxyEnvironment::from_environment().proxy_for(to.https, host, to.port) : config.proxy_url;
    // As with client-go the proxy looks the name up: it may be known there only.
    if (proxy.starts_with("socks5://")) proxy.insert(6, "h");
    return proxy;
}

Result<Endpoint> make_endpoint(const ClientConfig& config) {
    const TlsConfig& tls = config.tls;
    TRY(const Address to, parse_address(config.server, !tls.ca.empty() || !tls.ca_file.empty() || tls.insecure));
    Endpoint e;
    const std::string scheme = to.https ? "https://" : "http://";
    e.display = config.unix_socket.empty() ? scheme + to.host + ":" + to.port + to.prefix : "unix:" + config.unix_socket;
    e.base = scheme + to.host + ":" + to.port + to.prefix;
    if (to.https && !config.tls.server_name.empty()) {
        // libcurl takes the name to verify from the URL, so the URL says that name and the connection goes elsewhere.
        e.base = scheme + config.tls.server_name + ":" + to.port + to.prefix;
        e.connect_to = config.tls.server_name + ":" + to.port + ":" + to.host + ":" + to.port;
        e.host_header = to.host + ":" + to.port;
    }
    e.unix_socket = config.unix_socket;
    if (config.unix_socket.empty()) e.proxy = proxy_of(config, to);
    e.ca = config.tls.ca;
    e.user_agent = config.user_agent.empty() ? "weber/" WEBER_VERSION : config.user_agent;
    e.https = to.https;
    e.insecure = config.tls.insecure;
    // On the same machine compression costs more than it saves.
    e.compress = !config.disable_compression && config.unix_socket.empty() && to.host != "127.0.0.1" && to.host != "localhost";
    return e;
}

std::vector<HttpHeader> impersonation_headers(const Impersonation& as) {
    std::vector<HttpHeader> out;
    if (as.empty()) return out;
    out.push_back({"Impersonate-User", as.user});
    if (!as.uid.empty()) out.push_back({"Impersonate-Uid", as.uid});
    for (const std::string& group : as.groups) out.push_back({"Impersonate-Group", group});
    for (const auto& [key, values] : as.extra)
        for (const std::string& value : values) out.push_back({"Impersonate-Extra-" + url_escape(key), value});
    return out;
}

// A line break in a header value would add a header.
bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

} // namespace

HttpClient::HttpClient(ClientConfig config, HttpClientOptions options, std::shared_ptr<HttpEngine> engine)
    : config_(std::move(config)), options_(options), engine_(std::move(engine)), impersonation_(impersonation_headers(config_.impersonate)) {}

Result<std::shared_ptr<HttpClient>> HttpClient::create(ClientConfig config, HttpClientOptions options, std::shared_ptr<HttpEngine> engine) {
    if (!engine) engine = common_http_engine();
    if (config.timeout.count() > 0) options.timeout = config.timeout;
    std::shared_ptr<HttpClient> client(new HttpClient(std::move(config), options, std::move(engine)));
    for (const HttpHeader& h : client->impersonation_)
        if (has_control(h.name) || has_control(h.value)) return fail(ErrorCode::invalid, "impersonation: a control character in " + h.name);
    TRY_VOID(client->refresh_endpoint());
    return client;
}

// Makes the endpoint anew if there is none or the CA file changed. Caller holds mutex_ (or is the only one).
Result<void> HttpClient::refresh_endpoint() {
    const std::int64_t stamp = config_.tls.ca_file.empty() ? 1 : stamp_of(config_.tls.ca_file);
    if (endpoint_ && (stamp == ca_stamp_ || stamp == 0)) return {}; // a file that is gone for a moment: the old CA still serves
    TRY(Endpoint made, make_endpoint(config_));
    if (!config_.tls.ca_file.empty()) {
        TRY(made.ca, read_text(config_.tls.ca_file));
    }
    endpoint_ = std::make_shared<const Endpoint>(std::move(made));
    ca_stamp_ = stamp;
    return {};
}

Result<std::shared_ptr<const Endpoint>> HttpClient::endpoint() {
    const std::lock_guard lock(mutex_);
    TRY_VOID(refresh_endpoint());
    return endpoint_;
}

Result<std::shared_ptr<const Credential>> HttpClient::credential(std::stop_token stop) {
    if (!config_.credentials) return nullptr;
    TRY(Credential c, config_.credentials->get(stop));
    if (has_control(c.authorization.reveal()))
        return fail(ErrorCode::unauthorized, "the credential holds a control character, it cannot be sent");
    return std::make_shared<const Credential>(std::move(c));
}

std::shared_ptr<const Credential> HttpClient::renewed(const Credential& refused, std::stop_token stop) {
    if (!renewing_.lock(stop)) return nullptr;
    const std::lock_guard held(renewing_, std::adopt_lock);
    const auto differs = [&](const Result<std::shared_ptr<const Credential>>& c) {
        return c && ((*c)->authorization.reveal() != refused.authorization.reveal() || (*c)->certificate != refused.certificate);
    };
    // Somebody else may have renewed it while our request was under way.
    if (auto now = credential(stop); differs(now)) return *now;
    if (!config_.credentials->invalidate()) return nullptr;
    auto fresh = credential(stop);
    return fresh ? *fresh : nullptr;
}

Outgoing HttpClient::outgoing(HttpRequest request, std::shared_ptr<const Endpoint> to, std::shared_ptr<const Credential> as,
                              bool streaming) const {
    if (request.timeout.count() <= 0 && !streaming) request.timeout = options_.timeout;
    if (request.max_response == 0) request.max_response = options_.max_response;
    request.headers.insert(request.headers.end(), impersonation_.begin(), impersonation_.end());
    return {.endpoint = std::move(to), .credential = std::move(as), .request = std::move(request), .retry = options_.retry};
}

Result<HttpResponse> HttpClient::send(HttpRequest request, std::stop_token stop) {
    std::vector<HttpRequest> one;
    one.push_back(std::move(request));
    return std::move(send_all(std::move(one), 1, std::move(stop)).front());
}

std::vector<Result<HttpResponse>> HttpClient::send_all(std::vector<HttpRequest> requests, std::size_t in_flight, std::stop_token stop) {
    const std::size_t count = requests.size();
    const auto all_fail = [&](const Error& error) { return std::vector<Result<HttpResponse>>(count, fail(error)); };
    const auto to = endpoint();
    if (!to) return all_fail(to.error());
    const auto as = credential(stop);
    if (!as) return all_fail(as.error());
    const bool renewable = config_.credentials && config_.credentials->renewable();
    std::vector<Outgoing> out;
    out.reserve(count);
    for (HttpRequest& request : requests) out.push_back(outgoing(renewable ? request : std::move(request), *to, *as, false));
    auto results = engine_->run(std::move(out), in_flight, stop);
    if (!renewable) return results;

    std::vector<std::size_t> refused;
    for (std::size_t i = 0; i < count; ++i)
        if (results[i] && results[i]->status == 401) refused.push_back(i);
    if (refused.empty()) return results;
    const auto other = renewed(**as, stop);
    if (!other) return results;
    std::vector<Outgoing> again;
    for (const std::size_t i : refused) again.push_back(outgoing(std::move(requests[i]), *to, other, false));
    auto second = engine_->run(std::move(again), in_flight, stop);
    for (std::size_t k = 0; k < refused.size(); ++k) results[refused[k]] = std::move(second[k]);
    return results;
}

Result<HttpResponse> HttpClient::stream(HttpRequest request, const ChunkHandler& on_chunk, std::stop_token stop) {
    TRY(const auto to, endpoint());
    TRY(const auto as, credential(stop));
    auto result = engine_->stream(outgoing(request, to, as, true), on_chunk, stop);
    if (!result || result->status != 401 || !config_.credentials || !config_.credentials->renewable()) return result;
    const auto other = renewed(*as, stop);
    if (!other) return result;
    return engine_->stream(outgoing(std::move(request), to, other, true), on_chunk, stop);
}

std::shared_ptr<HttpEngine> common_http_engine() {
    static std::mutex mutex;
    static std::weak_ptr<HttpEngine> common;
    const std::lock_guard lock(mutex);
    auto engine = common.lock();
    if (!engine) {
        engine = std::make_shared<HttpEngine>();
        common = engine;
    }
    return engine;
}

} // namespace weber::kube
