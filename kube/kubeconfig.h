// Where an API server is and how to speak to it: read from kubeconfig files or from inside a pod.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kube/base/error.h"
#include "kube/credentials.h"

namespace weber::kube {

struct TlsConfig {
    std::string ca;          // PEM bundle; "" = the system's
    std::string ca_file;     // read again when it changes; wins over `ca`
    std::string server_name; // expected in the certificate and sent as SNI; "" = the host of the address
    bool insecure = false;   // no verification at all
};

// Act as somebody else (Impersonate-* headers).
struct Impersonation {
    std::string user;
    std::string uid = {};
    std::vector<std::string> groups = {};
    std::vector<std::pair<std::string, std::vector<std::string>>> extra = {};
    [[nodiscard]] bool empty() const { return user.empty(); }
};

// All a client needs. A value; the credentials in it are shared and thread-safe.
struct ClientConfig {
    std::string server;      // https://host:port[/prefix]; with a Unix socket http://localhost. Without a scheme: https when `tls` says anything, else http
    std::string unix_socket; // path of a Unix socket to use in place of TCP, "" = none
    std::string proxy_url;   // http, https or socks5, may hold a name and password; "" = from the environment (`ProxyEnvironment`); "direct" = none
    TlsConfig tls = {};
    std::shared_ptr<Credentials> credentials = {}; // null = anonymous
    Impersonation impersonate = {};
    std::string user_agent = {}; // "" = weber/<version>
    std::string ns = {};         // default namespace of the context, "" = default
    std::string name = {};       // of context or file, for messages
    std::chrono::milliseconds timeout{0};     // of a request without its own; 0 = HttpClientOptions'
    std::vector<std::string> dropped = {};    // what `parse_foreign_kubeconfig` left out, for messages
    bool disable_compression = false;
};

struct KubeconfigSource {
    std::vector<std::string> files; // merged: the first to name a thing wins (as with $KUBECONFIG)
    std::string context = {};       // "" = the files' current-context
    std::string cluster = {};       // overrides the context's
    std::string user = {};          // overrides the context's
};

// Contexts, clusters and users as kubectl reads them: certificates inline or in files (relative to the file that names them), token, tokenFile,
// basic auth, exec plugins, a server "unix://PATH" (the embedded API server), as/as-groups/as-uid/as-user-extra, proxy-url, tls-server-name, insecure-skip-tls-verify.
// auth-provider is ErrorCode::unsupported. Errors name the file and, for YAML, the line; all problems found in one entry are
// listed in one message. No value of a credential is in any text.
Result<ClientConfig> load_kubeconfig(const KubeconfigSource& source);

// The same from text, e.g. a Secret's value; `origin` stands for the file in errors. Paths of files are refused (ErrorCode::unsupported) as
// are exec plugins, unless `trusted`.
Result<ClientConfig> parse_kubeconfig(std::string_view text, std::string_view origin, std::string_view context = {}, bool trusted = false);

// What a kubeconfig that comes out of a cluster (`spec.kubeConfig`) may do on this machine.
struct ForeignKubeconfigRights {
    bool exec = false;         // run its credential plugin (`--insecure-kubeconfig-exec`)
    bool insecure_tls = false; // skip verification (`--insecure-kubeconfig-tls`)
};

// The same, sanitized as `kustomization.md` 6.6: of a cluster its address, TLS server name, CA data and proxy survive, of a user token, password and
// certificate data; paths of files, impersonation, and what `rights` do not allow are left out and named in `dropped`. Requests time out
// after 30 s. A Unix socket is refused.
Result<ClientConfig> parse_foreign_kubeconfig(std::string_view text, std::string_view origin, const ForeignKubeconfigRights& rights = {},
                                              std::string_view context = {});

// From the service account that Kubernetes mounts into a pod. Token and CA are read again when they rotate. Errors: invalid when not inside a
// pod (`KUBERNETES_SERVICE_HOST` unset or no token). `root` replaces /var/run/secrets/kubernetes.io/serviceaccount.
Result<ClientConfig> in_cluster_config(const std::string& root = {});

// A server on a Unix socket, without TLS and credentials: the embedded API server.
ClientConfig unix_socket_config(std::string path);

} // namespace weber::kube
