#include "kube/server/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "kube/base/digest.h"
#include "kube/server/bootstrap.h"
#include "kube/server/controllers.h"
#include "kube/server/core.h"
#include "kube/server/http_front.h"
#include "kube/server/object_meta.h"
#include "kube/server/routes.h"
#include "kube/server/store.h"
#include "kube/server/tls.h"

namespace weber::kube {
namespace {

using namespace server;

bool is_loopback(const std::string& address) {
    in_addr v4{};
    in6_addr v6{};
    if (inet_pton(AF_INET, address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Result<void> make_folder(const std::string& path) {
    for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
        const std::string part = path.substr(0, at);
        if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
            return fail(ErrorCode::unavailable, "cannot create data folder " + part + ": " + std::strerror(errno));
        if (at == std::string::npos) return {};
    }
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

// Mode 0600 from the start; complete or absent.
Result<void> write_secret(const std::string& path, const std::string& content) {
    const std::string temporary = path + ".new";
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool ok = fd >= 0 && ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (!ok || ::rename(temporary.c_str(), path.c_str()) != 0)
        return fail(ErrorCode::unavailable, "cannot write " + path + ": " + std::strerror(ok ? errno : error));
    return {};
}

// The CA of the data folder: made once, so that kubeconfigs stay valid.
Result<KeyPair> load_ca(const std::string& data_dir) {
    if (data_dir.empty()) return make_ca("weber-apiserver-ca");
    KeyPair ca{read_file(data_dir + "/ca.crt"), read_file(data_dir + "/ca.key")};
    if (!ca.certificate.empty() && !ca.key.empty()) return ca;
    TRY(ca, make_ca("weber-apiserver-ca"));
    TRY_VOID(write_secret(data_dir + "/ca.key", ca.key));
    TRY_VOID(write_secret(data_dir + "/ca.crt", ca.certificate));
    return ca;
}

// A random secret, kept in a file of the data folder when there is one.
Result<std::string> load_secret(const std::string& data_dir, const std::string& file) {
    if (data_dir.empty()) return random_hex(32);
    std::string secret = read_file(data_dir + "/" + file);
    if (!secret.empty()) return secret;
    secret = random_hex(32);
    TRY_VOID(write_secret(data_dir + "/" + file, secret));
    return secret;
}

} // namespace

// Members are destroyed in reverse: the front before what its handlers use.
struct Server::Impl {
    ServerOptions options;
    std::string token, ca;
    std::unique_ptr<Store> store;
    std::unique_ptr<Core> core;
    std::unique_ptr<Controllers> controllers;
    std::unique_ptr<Access> access;
    std::unique_ptr<Router> router;
    std::unique_ptr<HttpFront> front;

    Result<HttpFrontOptions> front_options();
};

Result<HttpFrontOptions> Server::Impl::front_options() {
    HttpFrontOptions f;
    f.threads = options.threads;
    if (!options.unix_path.empty()) {
        f.unix_path = options.unix_path;
        return f;
    }
    if (!options.allow_remote && !is_loopback(options.address))
        return fail(Error{.code = ErrorCode::invalid,
                          .message = "listen address " + options.address + " is not a loopback address",
                          .hint = "the embedded API server is for this machine only unless remote access is allowed explicitly"});
    f.address = options.address;
    f.port = options.port;
    if (options.require_token) {
        token = options.token;
        if (token.empty()) {
            TRY(token, load_secret(options.data_dir, "token"));
        }
    }
    if (options.tls) {
        TRY(const KeyPair authority, load_ca(options.data_dir));
        std::vector<std::string> ips{"127.0.0.1", "::1", "10.96.0.1"};
        if (options.address != "127.0.0.1" && options.address != "::1") ips.push_back(options.address);
        TRY(const KeyPair own, make_server_certificate(authority, ips, {"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}));
        f.tls_certificate = own.certificate;
        f.tls_key = own.key;
        ca = authority.certificate;
    }
    return f;
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    const ServerOptions& o = impl->options;
    StoreOptions store_options;
    if (!o.data_dir.empty()) {
        TRY_VOID(make_folder(o.data_dir));
        store_options.path = o.data_dir + "/state.db";
    }
    Store::set_decoder(&decode_stored);
    TRY(impl->store, Store::open(store_options));
    impl->core = std::make_unique<Core>(*impl->store, o.simulate);
    TRY(HttpFrontOptions front, impl->front_options());
    ControllerOptions controllers;
    controllers.simulate = o.simulate;
    controllers.rollout_delay = o.rollout_delay;
    controllers.fail = o.fail;
    controllers.ca_certificate = impl->ca;
    impl->controllers = std::make_unique<Controllers>(*impl->core, std::move(controllers));
    impl->store->set_observer([c = impl->controllers.get()](const std::string& resource, const StoreEvent& e) { c->observe(resource, e); });
    bootstrap(*impl->core);
    impl->controllers->start();
    AccessOptions access{impl->token, "", o.authorization == ServerOptions::Authorization::rbac};
    TRY(access.key, load_secret(o.data_dir, "account-key"));
    impl->access = std::make_unique<Access>(*impl->store, std::move(access));
    impl->core->admit = [a = impl->access.get()](const Call& call, const Node& next, const Node& live) { return a->check_escalation(call, next, live); };
    impl->router = std::make_unique<Router>(*impl->core, *impl->access);
    TRY(impl->front, HttpFront::start(std::move(front), [r = impl->router.get()](HttpRequest&& request, const std::shared_ptr<Exchange>& exchange) {
            r->handle(std::move(request), exchange);
        }));
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const { return impl_->front->port(); }
const std::string& Server::unix_path() const { return impl_->options.unix_path; }
const std::string& Server::token() const { return impl_->token; }
const std::string& Server::ca_certificate() const { return impl_->ca; }

std::string Server::url() const {
    if (!impl_->options.unix_path.empty()) return "http://localhost";
    const std::string& a = impl_->options.address;
    const std::string host = a == "0.0.0.0" || a == "::" ? "127.0.0.1" : a.find(':') != std::string::npos ? "[" + a + "]" : a;
    return (impl_->options.tls ? "https://" : "http://") + host + ":" + std::to_string(port());
}

std::string Server::kubeconfig() const {
    const std::string address = impl_->options.unix_path.empty() ? url() : "unix://" + impl_->options.unix_path;
    std::string out = "apiVersion: v1\nkind: Config\ncurrent-context: weber\nclusters:\n- name: weber\n  cluster:\n    server: " + address + "\n";
    if (!impl_->ca.empty()) out += "    certificate-authority-data: " + base64_encode(impl_->ca) + "\n";
    out += "contexts:\n- name: weber\n  context:\n    cluster: weber\n    user: admin\nusers:\n- name: admin\n  user:";
    out += impl_->token.empty() ? " {}\n" : "\n    token: " + impl_->token + "\n";
    return out;
}

void Server::stop() {
    if (!impl_) return;
    if (impl_->front) impl_->front->stop();
    if (impl_->controllers) impl_->controllers->stop();
    if (impl_->store) impl_->store->close();
}

} // namespace weber::kube
