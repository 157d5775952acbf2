#include "kube/kubeconfig.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kube/base/digest.h"
#include "kube/base/join.h"
#include "kube/base/json.h"
#include "kube/kubeconfig_file.h"

namespace weber::kube {

namespace fs = std::filesystem;

namespace {

// The message is only why it cannot be read.
Result<std::string> read_text(const std::string& path) {
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) return fail(ErrorCode::invalid, std::strerror(errno));
    if (fs::is_directory(path)) return fail(ErrorCode::invalid, std::strerror(EISDIR));
    std::ostringstream text;
    if (in.peek() != std::ifstream::traits_type::eof() && !(text << in.rdbuf())) return fail(ErrorCode::invalid, std::strerror(errno == 0 ? EIO : errno));
    return text.str();
}

std::string absolute(const std::string& path, const std::string& dir) {
    return path.empty() || path.front() == '/' ? path : (fs::path(dir) / path).lexically_normal().string();
}

bool truthy(std::string_view text) { return text == "true" || text == "True" || text == "TRUE"; }

enum class Trust : std::uint8_t {
    full,
    refuse, // files, plugins and sockets are errors
    drop,   // they are left out
};

struct Policy {
    Trust trust = Trust::full;
    ForeignKubeconfigRights rights = {}; // with Trust::drop
};

// Builds a ClientConfig and collects what is wrong.
class Builder {
public:
    explicit Builder(Policy policy) : policy_(policy) {}

    void cluster(const KubeconfigEntry& e);
    void user(const KubeconfigEntry& e, const KubeconfigEntry& cluster);

    ClientConfig config;
    std::vector<std::string> problems;
    std::vector<std::string> unsupported;

private:
    // The decoded `<field>-data`, else the content of the file that `<field>` names.
    std::string data_or_file(const KubeconfigEntry& e, const std::string& field);
    bool may_use_file(const std::string& field, const std::string& path);
    void exec(const KubeconfigEntry& e, const KubeconfigEntry& cluster);
    std::string token(const KubeconfigEntry& e, Credential& credential);
    void impersonation(const KubeconfigEntry& e);
    std::string cluster_info(const KubeconfigEntry& cluster) const;

    // False: not to be used. Says so where it must.
    bool may(bool right, const std::string& what, const std::string& why);

    const Policy policy_;
};

bool Builder::may(bool right, const std::string& what, const std::string& why) {
    if (policy_.trust == Trust::full || (policy_.trust == Trust::drop && right)) return true;
    if (policy_.trust == Trust::drop)
        config.dropped.push_back(what);
    else
        unsupported.push_back(what + " " + why);
    return false;
}

bool Builder::may_use_file(const std::string& field, const std::string& path) {
    return !path.empty() && may(false, field, "names a file, only inline data is allowed here");
}

std::string Builder::data_or_file(const KubeconfigEntry& e, const std::string& field) {
    if (const std::string data = e.get(field + "-data"); !data.empty()) {
        if (policy_.trust == Trust::full && !e.get(field).empty()) problems.push_back(field + "-data and " + field + " are both specified");
        auto decoded = base64_decode(data);
        if (!decoded) problems.push_back(field + "-data is not base64");
        return decoded ? std::move(*decoded) : std::string();
    }
    const std::string path = absolute(e.get(field), e.dir);
    if (!may_use_file(field, path)) return {};
    auto text = read_text(path);
    if (!text) problems.push_back("unable to read " + field + " " + path + ": " + text.error().message);
    return std::move(text).value_or("");
}

void Builder::cluster(const KubeconfigEntry& e) {
    config.server = e.get("server");
    while (config.server.ends_with('/')) config.server.pop_back();
    if (config.server.empty()) problems.emplace_back("no server given");
    if (config.server.starts_with("unix://")) { // our own: the embedded API server
        if (policy_.trust == Trust::full)
            config = unix_socket_config(config.server.substr(7));
        else
            unsupported.emplace_back("a Unix socket is not allowed here");
        return;
    }
    config.proxy_url = e.get("proxy-url");
    if (const auto scheme = config.proxy_url.find("://"); !config.proxy_url.empty()) {
        const std::string word = config.proxy_url.substr(0, scheme == std::string::npos ? 0 : scheme);
        if (word != "http" && word != "https" && word != "socks5" && word != "socks5h")
            problems.emplace_back("proxy-url must begin with http://, https:// or socks5://");
    }
    config.disable_compression = truthy(e.get("disable-compression"));
    config.tls.insecure = truthy(e.get("insecure-skip-tls-verify"));
    if (config.tls.insecure && policy_.trust == Trust::drop)
        config.tls.insecure = may(policy_.rights.insecure_tls, "insecure-skip-tls-verify", "is not allowed here");
    config.tls.server_name = e.get("tls-server-name");
    const bool inline_ca = !e.get("certificate-authority-data").empty();
    const std::string ca = data_or_file(e, "certificate-authority");
    if (truthy(e.get("insecure-skip-tls-verify")) && !ca.empty())
        problems.emplace_back("specifying a root certificates file with the insecure flag is not allowed");
    if (inline_ca)
        config.tls.ca = ca;
    else if (!ca.empty())
        config.tls.ca_file = absolute(e.get("certificate-authority"), e.dir);
}

// The path of a token file to use, or "" and the token, if there is one, is in `credential`.
std::string Builder::token(const KubeconfigEntry& e, Credential& credential) {
    const std::string path = absolute(e.get("tokenFile"), e.dir);
    if (may_use_file("tokenFile", path)) {
        if (!fs::exists(path)) problems.push_back("unable to read tokenFile " + path);
        return path;
    }
    if (const std::string value = e.get("token"); !value.empty()) credential.authorization = SecretText("Bearer " + value);
    return {};
}

std::string Builder::cluster_info(const KubeconfigEntry& cluster) const {
    Node out = Node::map({{"server", Node::string(config.server)}});
    if (!config.tls.server_name.empty()) out.set("tls-server-name", Node::string(config.tls.server_name));
    if (config.tls.insecure) out.set("insecure-skip-tls-verify", Node::boolean(true));
    std::string ca = config.tls.ca;
    if (!config.tls.ca_file.empty()) ca = read_text(config.tls.ca_file).value_or("");
    if (!ca.empty()) out.set("certificate-authority-data", Node::string(base64_encode(ca)));
    if (!config.proxy_url.empty()) out.set("proxy-url", Node::string(config.proxy_url));
    if (config.disable_compression) out.set("disable-compression", Node::boolean(true));
    if (!cluster.exec_extension.empty()) {
        if (auto extension = read_json(cluster.exec_extension)) out.set("config", std::move(*extension));
    }
    return write_json(out);
}

void Builder::exec(const KubeconfigEntry& e, const KubeconfigEntry& cluster) {
    if (!may(policy_.rights.exec, "exec", "plugins are not allowed here")) return;
    ExecConfig exec{.api_version = e.get("exec.apiVersion"), .command = e.get("exec.command")};
    if (exec.command.empty()) problems.emplace_back("command must be specified to use exec authentication plugin");
    if (exec.api_version != "client.authentication.k8s.io/v1" && exec.api_version != "client.authentication.k8s.io/v1beta1")
        problems.push_back("exec plugin: unsupported apiVersion \"" + exec.api_version +
                           "\" (client.authentication.k8s.io/v1 and v1beta1 are spoken)");
    // v1beta1 is IfAvailable when it does not say; we are never interactive, which all but Always allow.
    const std::string mode = e.get("exec.interactiveMode");
    if (mode.empty() && exec.api_version == "client.authentication.k8s.io/v1")
        problems.emplace_back("interactiveMode must be specified to use exec authentication plugin");
    else if (mode == "Always")
        problems.emplace_back("exec plugin: interactiveMode Always cannot be met, there is no terminal");
    else if (!mode.empty() && mode != "Never" && mode != "IfAvailable")
        problems.push_back("invalid interactiveMode: \"" + mode + "\"");
    if (exec.command.find('/') != std::string::npos) exec.command = absolute(exec.command, e.dir);
    if (const auto args = e.lists.find("exec.args"); args != e.lists.end()) exec.args = args->second;
    for (const auto& [name, value] : e.exec_env) {
        if (name.empty()) problems.emplace_back("env variable name must be specified to use exec authentication plugin");
        exec.env.push_back({name, value});
    }
    exec.install_hint = e.get("exec.installHint");
    exec.provide_cluster_info = truthy(e.get("exec.provideClusterInfo"));
    if (exec.provide_cluster_info) exec.cluster_info = cluster_info(cluster);
    config.credentials = exec_credentials(std::move(exec));
}

void Builder::impersonation(const KubeconfigEntry& e) {
    if (policy_.trust == Trust::drop) {
        if (!e.get("as").empty()) config.dropped.emplace_back("as");
        return;
    }
    config.impersonate.user = e.get("as");
    config.impersonate.uid = e.get("as-uid");
    if (const auto groups = e.lists.find("as-groups"); groups != e.lists.end()) config.impersonate.groups = groups->second;
    for (const auto& [key, values] : e.extra) config.impersonate.extra.emplace_back(key, values);
    const Impersonation& as = config.impersonate;
    if (as.user.empty() && (!as.uid.empty() || !as.groups.empty() || !as.extra.empty()))
        problems.emplace_back("requesting uid, groups or user-extra without impersonating a user is not allowed");
}

void Builder::user(const KubeconfigEntry& e, const KubeconfigEntry& cluster) {
    if (e.has_auth_provider) unsupported.emplace_back("auth-provider is not supported, use an exec plugin");
    impersonation(e);
    Credential credential;
    const std::string token_file = token(e, credential);
    const bool by_token = !token_file.empty() || !credential.authorization.empty();
    const bool by_password = !e.get("username").empty() || !e.get("password").empty();
    if (by_token && by_password) problems.emplace_back("more than one authentication method found; found [token basicAuth], only one is allowed");
    if (by_password && !by_token)
        credential.authorization = SecretText("Basic " + base64_encode(e.get("username") + ":" + e.get("password")));
    credential.certificate = data_or_file(e, "client-certificate");
    credential.key = SecretText(data_or_file(e, "client-key"));
    if (credential.certificate.empty() != credential.key.empty())
        problems.emplace_back("client-certificate and client-key must both be given");
    if (!token_file.empty()) {
        config.credentials = token_file_credentials(token_file, std::move(credential));
    } else if (!credential.authorization.empty() || !credential.certificate.empty()) {
        config.credentials = static_credentials(std::move(credential)); // client-go: what is given goes before the plugin
    } else if (e.has_exec) {
        exec(e, cluster);
    }
}

Result<void> report(const Builder& builder, const std::string& what, const Where& where) {
    if (!builder.unsupported.empty()) return fail(ErrorCode::unsupported, what + ": " + join(builder.unsupported, "; "), where);
    if (!builder.problems.empty()) return fail(ErrorCode::invalid, what + ": " + join(builder.problems, "; "), where);
    return {};
}

Result<const KubeconfigEntry*> entry(const std::map<std::string, KubeconfigEntry>& entries, const std::string& name, std::string_view what,
                                     const Where& where) {
    const auto it = entries.find(name);
    if (it != entries.end()) return &it->second;
    return fail(ErrorCode::invalid, std::string(what) + " \"" + name + "\" does not exist", where);
}

Result<ClientConfig> assemble(const KubeconfigFiles& files, const KubeconfigSource& source, Policy policy) {
    const Where origin{join(files.files, "; ")};
    const std::string context_name = source.context.empty() ? files.current_context : source.context;
    KubeconfigEntry context{.where = origin};
    if (!context_name.empty()) {
        TRY(const KubeconfigEntry* found, entry(files.contexts, context_name, "context", origin));
        context = *found;
    } else if (source.cluster.empty()) {
        return fail(Error{.code = ErrorCode::invalid, .message = "no context is named and there is no current-context", .where = origin,
                          .hint = "name one with --context"});
    }
    const std::string cluster_name = source.cluster.empty() ? context.get("cluster") : source.cluster;
    const std::string user_name = source.user.empty() ? context.get("user") : source.user;
    TRY(const KubeconfigEntry* cluster, entry(files.clusters, cluster_name, "cluster", context.where));
    Builder builder(policy);
    builder.cluster(*cluster);
    TRY_VOID(report(builder, "cluster \"" + cluster_name + "\"", cluster->where));
    if (!user_name.empty()) {
        TRY(const KubeconfigEntry* user, entry(files.users, user_name, "user", context.where));
        builder.user(*user, *cluster);
        TRY_VOID(report(builder, "user \"" + user_name + "\"", user->where));
    }
    builder.config.ns = context.get("namespace");
    builder.config.name = context_name.empty() ? cluster_name : context_name;
    return std::move(builder.config);
}

} // namespace

Result<ClientConfig> load_kubeconfig(const KubeconfigSource& source) {
    KubeconfigFiles files;
    std::string missing;
    for (const std::string& file : source.files) {
        const auto text = read_text(file);
        if (!text) {
            missing += (missing.empty() ? "" : "; ") + file + ": " + text.error().message;
            continue; // as with $KUBECONFIG, one of several may be missing
        }
        TRY_VOID(files.add(*text, file, fs::absolute(file).parent_path().string()));
    }
    if (files.files.empty())
        return fail(ErrorCode::invalid, missing.empty() ? "no kubeconfig file is named" : "cannot read the kubeconfig " + missing);
    return assemble(files, source, {});
}

Result<ClientConfig> parse_kubeconfig(std::string_view text, std::string_view origin, std::string_view context, bool trusted) {
    KubeconfigFiles files;
    TRY_VOID(files.add(text, std::string(origin), fs::current_path().string()));
    return assemble(files, {.files = {}, .context = std::string(context)}, {.trust = trusted ? Trust::full : Trust::refuse});
}

Result<ClientConfig> parse_foreign_kubeconfig(std::string_view text, std::string_view origin, const ForeignKubeconfigRights& rights,
                                              std::string_view context) {
    KubeconfigFiles files;
    TRY_VOID(files.add(text, std::string(origin), "/"));
    TRY(ClientConfig config, assemble(files, {.files = {}, .context = std::string(context)}, {.trust = Trust::drop, .rights = rights}));
    config.disable_compression = false;
    config.timeout = std::chrono::seconds(30);
    return config;
}

Result<ClientConfig> in_cluster_config(const std::string& root) {
    const std::string dir = root.empty() ? "/var/run/secrets/kubernetes.io/serviceaccount" : root;
    const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
    const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
    if (!host || !port || !*host || !*port)
        return fail(ErrorCode::invalid, "not inside a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined");
    if (!fs::exists(dir + "/token")) return fail(ErrorCode::invalid, "not inside a pod: " + dir + "/token is missing");
    ClientConfig config;
    const std::string name = host;
    config.server = "https://" + (name.find(':') == std::string::npos ? name : "[" + name + "]") + ":" + port;
    if (fs::exists(dir + "/ca.crt")) config.tls.ca_file = dir + "/ca.crt";
    config.credentials = token_file_credentials(dir + "/token");
    config.ns = read_text(dir + "/namespace").value_or("");
    config.name = "in-cluster";
    return config;
}

ClientConfig unix_socket_config(std::string path) {
    ClientConfig config;
    config.server = "http://localhost";
    config.name = "unix:" + path;
    config.unix_socket = std::move(path);
    config.proxy_url = "direct";
    return config;
}

} // namespace weber::kube
