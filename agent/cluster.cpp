#include "agent/cluster.h"

#include <cstdlib>
#include <filesystem>

#include "agent/state_dir.h"
#include "kube/base/json.h"

namespace weber::agent {

namespace {

void set_if_given(const Flags& flags, std::string_view name, std::string& out) {
    if (flags.given(name)) out = flags.text(name);
}

Result<void> set_credentials(const Flags& flags, kube::ClientConfig& config) {
    if (flags.given("token"))
        config.credentials =
            kube::static_credentials({.authorization = kube::SecretText("Bearer " + flags.text("token")), .certificate = {}, .key = {}});
    if (flags.given("client-certificate") != flags.given("client-key"))
        return fail(ErrorCode::invalid, "--client-certificate and --client-key must be given together");
    if (!flags.given("client-certificate")) return {};
    // The kubeconfig reader knows how to read both files.
    const auto file = [&](std::string_view name) { return Node::string(std::filesystem::absolute(flags.text(name)).string()); };
    const auto named = [](std::string_view key, Node value) {
        return Node::list({Node::map({{"name", Node::string("flags")}, {key, std::move(value)}})});
    };
    const Node text = Node::map({{"apiVersion", Node::string("v1")},
                                 {"kind", Node::string("Config")},
                                 {"current-context", Node::string("flags")},
                                 {"contexts", named("context", Node::map({{"cluster", Node::string("flags")}, {"user", Node::string("flags")}}))},
                                 {"clusters", named("cluster", Node::map({{"server", Node::string("https://localhost")}}))},
                                 {"users", named("user", Node::map({{"client-certificate", file("client-certificate")},
                                                                    {"client-key", file("client-key")}}))}});
    TRY(kube::ClientConfig made, kube::parse_kubeconfig(kube::write_json(text), "--client-certificate", {}, true));
    config.credentials = made.credentials;
    return {};
}

Result<void> override_by_flags(const Flags& flags, kube::ClientConfig& config) {
    set_if_given(flags, "server", config.server);
    set_if_given(flags, "certificate-authority", config.tls.ca_file);
    set_if_given(flags, "tls-server-name", config.tls.server_name);
    if (flags.given("insecure-skip-tls-verify")) config.tls.insecure = flags.on("insecure-skip-tls-verify");
    if (flags.given("disable-compression")) config.disable_compression = flags.on("disable-compression");
    set_if_given(flags, "as", config.impersonate.user);
    set_if_given(flags, "as-uid", config.impersonate.uid);
    if (flags.given("as-group")) config.impersonate.groups = flags.list("as-group");
    for (const std::string& extra : flags.list("as-user-extra")) {
        const std::size_t at = extra.find('=');
        if (at == std::string::npos) return fail(ErrorCode::invalid, "--as-user-extra must be key=value, not " + extra);
        config.impersonate.extra.emplace_back(extra.substr(0, at), std::vector<std::string>{extra.substr(at + 1)});
    }
    return set_credentials(flags, config);
}

Result<kube::ClientConfig> client_config(const Flags& flags) {
    kube::KubeconfigSource source{.files = kubeconfig_files(flags), .context = flags.text("context"), .cluster = flags.text("cluster"),
                                  .user = flags.text("user")};
    kube::ClientConfig config;
    if (!source.files.empty()) {
        TRY(config, kube::load_kubeconfig(source));
    } else if (!flags.given("server")) {
        auto pod = kube::in_cluster_config();
        if (!pod)
            return fail(Error{.code = ErrorCode::invalid, .message = "no cluster is named and there is no kubeconfig",
                              .hint = "name one by --kubeconfig FILE, or an embedded one by --state DIR or --embedded"});
        config = std::move(*pod);
    }
    TRY_VOID(override_by_flags(flags, config));
    return config;
}

Result<Cluster> connect(kube::ClientConfig config, std::string description) {
    TRY(std::shared_ptr<kube::Client> client, kube::Client::connect(config));
    return Cluster{.embedded = nullptr, .config = std::move(config), .client = std::move(client), .description = std::move(description)};
}

} // namespace

std::vector<std::string> kubeconfig_files(const Flags& flags) {
    if (flags.given("kubeconfig")) return {flags.text("kubeconfig")};
    std::vector<std::string> files;
    if (const auto list = environment("KUBECONFIG")) {
        for (std::size_t begin = 0; begin <= list->size();) {
            const std::size_t end = std::min(list->find(':', begin), list->size());
            if (end > begin) files.push_back(list->substr(begin, end - begin));
            begin = end + 1;
        }
        return files;
    }
    const std::string home = environment("HOME").value_or("") + "/.kube/config";
    std::error_code ignored;
    if (std::filesystem::exists(home, ignored)) files.push_back(home);
    return files;
}

std::string context_namespace(const Flags& flags) {
    const std::vector<std::string> files = kubeconfig_files(flags);
    if (files.empty()) return "";
    const auto config = kube::load_kubeconfig({.files = files, .context = flags.text("context")});
    return config ? config->ns : "";
}

bool names_embedded(const Flags& flags) { return flags.given("state") || flags.on("embedded"); }

Result<Cluster> open_state(const Flags& flags) {
    std::string dir = flags.text("state");
    if (dir.empty()) {
        TRY(dir, only_state_dir());
    }
    std::error_code ignored;
    if (!std::filesystem::is_directory(dir, ignored))
        return fail(Error{.code = ErrorCode::not_found, .message = "there is no embedded cluster in " + dir,
                          .hint = "`weber reconcile --once --path DIR --state " + dir + "` makes one"});
    kube::ServerOptions options;
    options.data_dir = dir;
    return open_embedded(std::move(options));
}

Result<std::unique_ptr<EmbeddedCluster>> EmbeddedCluster::start(kube::ServerOptions options) {
    std::unique_ptr<EmbeddedCluster> out(new EmbeddedCluster);
    std::string pattern = environment("TMPDIR").value_or("/tmp") + "/weber-XXXXXX"; // short: a socket's path has 107 bytes at most
    if (!mkdtemp(pattern.data())) return fail(ErrorCode::unavailable, "cannot make a directory for a socket: " + pattern);
    out->socket_dir_ = pattern;
    options.unix_path = pattern + "/api";
    TRY(out->server_, kube::Server::start(std::move(options)));
    return out;
}

EmbeddedCluster::~EmbeddedCluster() {
    server_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(socket_dir_, ignored);
}

std::vector<Flag> connection_flags() {
    return {{.name = "kubeconfig", .help = "path of the kubeconfig", .value = "file"},
            {.name = "context", .help = "context of the kubeconfig"},
            {.name = "cluster", .help = "cluster of the kubeconfig"},
            {.name = "user", .help = "user of the kubeconfig"},
            {.name = "server", .help = "address of the API server", .value = "url"},
            {.name = "token", .help = "bearer token for the API server"},
            {.name = "as", .help = "user to impersonate", .value = "user"},
            {.name = "as-group", .kind = FlagKind::list, .help = "group to impersonate (repeatable)", .value = "group"},
            {.name = "as-uid", .help = "uid to impersonate", .value = "uid"},
            {.name = "as-user-extra", .kind = FlagKind::list, .help = "more about the user to impersonate (repeatable)", .value = "key=value"},
            {.name = "certificate-authority", .help = "certificates that vouch for the API server", .value = "file"},
            {.name = "client-certificate", .help = "our certificate", .value = "file"},
            {.name = "client-key", .help = "its key", .value = "file"},
            {.name = "insecure-skip-tls-verify", .kind = FlagKind::boolean, .help = "do not verify the API server's certificate"},
            {.name = "tls-server-name", .help = "name to expect in the API server's certificate"},
            {.name = "disable-compression", .kind = FlagKind::boolean, .help = "no compressed answers"},
            {.name = "cache-dir", .help = "accepted for compatibility; nothing is cached on disk", .hidden = true},
            {.name = "kube-api-qps", .help = "accepted for compatibility; the API server limits", .hidden = true},
            {.name = "kube-api-burst", .help = "accepted for compatibility; the API server limits", .hidden = true},
            {.name = "embedded", .kind = FlagKind::boolean, .help = "the embedded cluster of `weber reconcile --once`"},
            {.name = "state", .help = "directory of the embedded cluster", .value = "dir"}};
}

Result<Cluster> open_embedded(kube::ServerOptions options) {
    std::string description = options.data_dir.empty() ? "embedded cluster in memory" : "embedded cluster in " + options.data_dir;
    TRY(std::unique_ptr<EmbeddedCluster> embedded, EmbeddedCluster::start(std::move(options)));
    TRY(Cluster cluster, connect(embedded->config(), std::move(description)));
    cluster.embedded = std::move(embedded);
    return cluster;
}

Result<Cluster> open_cluster(const Invocation& in) {
    if (names_embedded(in.flags)) return open_state(in.flags);
    TRY(kube::ClientConfig config, client_config(in.flags));
    std::string name = config.name;
    return connect(std::move(config), std::move(name));
}

bool names_kubeconfig(const Flags& flags) { return flags.given("kubeconfig") || flags.given("context"); }

Result<Cluster> open_kubeconfig(const Flags& flags) {
    const std::vector<std::string> files = kubeconfig_files(flags);
    if (files.empty()) return fail(ErrorCode::not_found, "--context was given, but there is no kubeconfig");
    TRY(kube::ClientConfig config, kube::load_kubeconfig({.files = files, .context = flags.text("context")}));
    std::string name = config.name;
    return connect(std::move(config), std::move(name));
}

} // namespace weber::agent
