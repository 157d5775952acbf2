#include "agent/target_clients.h"

#include <algorithm>
#include <sstream>

#include "agent/metered_transport.h"
#include "kube/account_token.h"
#include "kube/base/ascii.h"
#include "kube/base/digest.h"
#include "kube/base/join.h"
#include "kube/base/trim.h"
#include "kube/kubeconfig.h"

namespace weber::agent {

namespace {

constexpr const char* kByAccount = "account "; // begins the identities of clusters that are shown a service account's tokens

// The kubeconfig text of a Secret: under the named key, else `value` or `value.yaml`.
Result<std::string> kubeconfig_text(const Object& secret, const gitops::KubeConfigSpec& spec, const std::string& where) {
    std::vector<std::string> keys{"value", "value.yaml"};
    if (!spec.secret_key.empty()) keys = {spec.secret_key};
    for (const std::string& key : keys)
        if (const Node* value = secret.at({"data", key})) return kube::base64_decode(value->text());
    return fail(ErrorCode::invalid, "KubeConfig secret '" + where + "' does not contain a '" + keys.front() + "' key with a kubeconfig");
}

// https://<host in small letters>:<port>, as fluxcd/pkg auth has it.
Result<std::string> cluster_address(const std::string& given) {
    if (given.empty()) return fail(ErrorCode::invalid, "cluster address is required to create a REST config");
    const std::string whole = given.starts_with("http") ? given : "https://" + given;
    if (!whole.starts_with("https://"))
        return fail(ErrorCode::invalid, "failed to parse cluster address " + given + ": the Kubernetes API server address '" + whole + "' must use https scheme");
    const std::string host = kube::ascii_lower(whole.substr(8, whole.find_first_of("/?#", 8) - 8));
    if (host.empty() || host.find('@') != host.npos) return fail(ErrorCode::invalid, "failed to parse cluster address " + given + ": it names no host");
    const auto colon = host.rfind(':');
    const bool has_port = colon != host.npos && host.find(']', colon) == host.npos && (host.front() == '[' || host.find(':') == colon);
    return "https://" + host + (has_port ? "" : ":443");
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        if (const auto word = kube::trimmed(line, " \t\r"); !word.empty()) out.emplace_back(word);
    return out;
}

} // namespace

TargetClients::TargetClients(std::shared_ptr<kube::Client> own, kube::ClientConfig config, const AgentOptions& options, TargetCluster::Listener listener, Metrics& metrics)
    : own_(own), options_(options), listener_(std::move(listener)), metrics_(metrics),
      local_(std::make_shared<TargetCluster>(own, std::move(config), true, listener_, metrics, options.override_managers)) {
    metrics_.define_counter("gotk_token_cache_events_total", "Total number of cache retrieval events for a Gitops Toolkit resource reconciliation.");
    metrics_.define_counter("gotk_token_cache_requests_total", "Total number of cache requests partitioned by success or failure.");
    metrics_.define_counter("gotk_token_cache_evictions_total", "Total number of cache evictions.");
    metrics_.define_gauge("gotk_token_cached_items", "Total number of items in the cache.");
    metrics_.add("gotk_token_cache_evictions_total", {}, 0); // a token lives as long as somebody uses it
    metrics_.set("gotk_token_cached_items", 0);
}

// As Flux counts in its token cache: an open cluster holds its token.
void TargetClients::count_token(const gitops::Kustomization& k, bool held, bool opened) {
    metrics_.add("gotk_token_cache_events_total", {{"event_type", held ? "cache_hit" : "cache_miss"}, {"kind", "Kustomization"}, {"name", k.name.name}, {"namespace", k.name.ns},
                                                   {"operation", "fetch_kubeconfig"}});
    metrics_.add("gotk_token_cache_requests_total", {{"status", opened ? "success" : "failure"}});
    const std::lock_guard lock(mutex_);
    metrics_.set("gotk_token_cached_items", static_cast<double>(std::ranges::count_if(remote_, [](const auto& entry) { return entry.first.starts_with(kByAccount) && !entry.second.expired(); })));
}

std::string TargetClients::account_of(const gitops::Kustomization& k) const {
    return k.spec.service_account.empty() ? options_.default_service_account : k.spec.service_account;
}

std::string TargetClients::user_of(const gitops::Kustomization& k) const {
    const std::string account = account_of(k);
    return account.empty() ? "" : "system:serviceaccount:" + k.name.ns + ":" + account;
}

Result<Target> TargetClients::target_of(const gitops::Kustomization& k, gitops::ReferenceReader& references) {
    const std::string key = k.name.to_string();
    std::shared_ptr<TargetCluster> cluster = local_;
    std::optional<gitops::Reference> read;
    if (k.spec.kube_config) {
        auto address = k.spec.kube_config->config_map_name.empty() ? of_secret(k, references) : of_config_map(k, references);
        const bool held = address && is_open(address->identity);
        auto opened = address ? open(*address) : Result<std::shared_ptr<TargetCluster>>(fail(std::move(address.error())));
        if (!k.spec.kube_config->config_map_name.empty()) count_token(k, held, opened.has_value());
        if (!opened) {
            const Error& e = opened.error();
            if (e.code == ErrorCode::not_found || e.code == ErrorCode::invalid) forget(key); // there is no way to it any more
            return fail(std::move(opened.error()));
        }
        cluster = std::move(*opened);
        read = std::move(address->read);
    }
    TRY(std::shared_ptr<kube::Client> client, cluster->client_as(user_of(k)));
    use(key, cluster);
    return Target{std::move(cluster), std::move(client), std::move(read)};
}

Result<TargetClients::Address> TargetClients::of_secret(const gitops::Kustomization& k, gitops::ReferenceReader& references) {
    const gitops::KubeConfigSpec& spec = *k.spec.kube_config;
    const std::string where = k.name.ns + "/" + spec.secret_name;
    const auto secret = references.read("Secret", k.name.ns, spec.secret_name);
    if (!secret) return fail(Error(secret.error()).with_prefix("unable to read KubeConfig secret '" + where + "' error: "));
    TRY(const std::string text, kubeconfig_text(*secret, spec, where));
    auto config = kube::parse_foreign_kubeconfig(text, "KubeConfig secret '" + where + "'",
                                                 {.exec = options_.insecure_kubeconfig_exec, .insecure_tls = options_.insecure_kubeconfig_tls});
    if (!config) return fail(Error(config.error()).with_prefix("invalid KubeConfig in secret '" + where + "': "));
    // Flux goes on as nobody then, and the API server's refusal does not say why.
    if (!config->credentials && !config->dropped.empty())
        return fail(Error{.code = ErrorCode::invalid,
                          .message = "invalid KubeConfig in secret '" + where + "': it holds no credentials that may be used here; left out: " + kube::join(config->dropped, ", ") +
                                     " (exec needs --insecure-kubeconfig-exec, files are never read)"});
    return Address{.identity = "kubeconfig " + kube::sha256_hex(text),
                   .config = std::move(*config),
                   .read = {"Secret", {k.name.ns, spec.secret_name}, std::string(secret->resource_version())}};
}

// fluxcd/pkg auth/utils: GetRESTConfig, with its provider `generic`: the cluster trusts the tokens of our service accounts.
Result<TargetClients::Address> TargetClients::of_config_map(const gitops::Kustomization& k, gitops::ReferenceReader& references) {
    const std::string name = k.spec.kube_config->config_map_name, where = k.name.ns + "/" + name;
    const auto map = references.read("ConfigMap", k.name.ns, name);
    if (!map) return fail(Error(map.error()).with_prefix("failed to get configmap " + where + ": "));
    const auto value = [&](const char* key) {
        const Node* n = map->at({"data", key});
        return n != nullptr ? std::string(n->text()) : std::string();
    };
    const std::string provider = value("provider");
    if (provider == "aws" || provider == "azure" || provider == "gcp")
        return fail(ErrorCode::invalid, "spec.kubeConfig.configMapRef: provider '" + provider + "' of ConfigMap '" + where +
                                            "' is not supported: use provider 'generic', or a kubeconfig in spec.kubeConfig.secretRef");
    if (provider != "generic") return fail(ErrorCode::invalid, "provider '" + provider + "' not implemented");
    std::string account = value("serviceAccountName");
    if (account.empty()) account = options_.default_service_account.empty() ? options_.default_kubeconfig_service_account : options_.default_service_account;
    if (account.empty())
        return fail(ErrorCode::invalid, "spec.kubeConfig.configMapRef: ConfigMap '" + where + "' must name a serviceAccountName: the controller's own identity is not used");
    if (!options_.object_level_workload_identity)
        return fail(ErrorCode::invalid, "failed to get access token for cluster: ObjectLevelWorkloadIdentity feature gate is not enabled");
    const std::string given = value("address");
    TRY(const std::string address, cluster_address(given));
    std::vector<std::string> audiences = lines_of(value("audiences"));
    if (audiences.empty()) audiences = {given};
    kube::ClientConfig config;
    config.server = address;
    config.tls.ca = value("ca.crt");
    config.name = "ConfigMap '" + where + "'";
    config.timeout = std::chrono::seconds(30);
    config.credentials = kube::account_credentials(own_, {k.name.ns, account}, audiences);
    return Address{.identity = kByAccount + k.name.ns + "/" + account + " for " + kube::join(audiences, " ") + " at " + address + " " + kube::sha256_hex(config.tls.ca),
                   .config = std::move(config),
                   .read = {"ConfigMap", {k.name.ns, name}, std::string(map->resource_version())}};
}

bool TargetClients::is_open(const std::string& identity) const {
    const std::lock_guard lock(mutex_);
    const auto at = remote_.find(identity);
    return at != remote_.end() && !at->second.expired();
}

Result<std::shared_ptr<TargetCluster>> TargetClients::open(const Address& address) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<TargetCluster>& slot = remote_[address.identity];
    if (auto there = slot.lock()) return there;
    TRY(std::shared_ptr<kube::Client> client, connect_metered(address.config, metrics_));
    auto fresh = std::make_shared<TargetCluster>(std::move(client), address.config, false, listener_, metrics_, options_.override_managers);
    slot = fresh;
    std::erase_if(remote_, [](const auto& entry) { return entry.second.expired(); });
    return fresh;
}

void TargetClients::use(const std::string& key, std::shared_ptr<TargetCluster> cluster) {
    std::shared_ptr<TargetCluster> before; // ends, if it does, without the lock
    const std::lock_guard lock(mutex_);
    if (const auto at = users_.find(key); at != users_.end()) {
        before = std::move(at->second);
        users_.erase(at);
    }
    if (!cluster->is_local()) users_[key] = std::move(cluster);
}

void TargetClients::forget(const std::string& key) { use(key, local_); }

std::vector<std::shared_ptr<TargetCluster>> TargetClients::open_clusters() const {
    std::vector<std::shared_ptr<TargetCluster>> out{local_};
    const std::lock_guard lock(mutex_);
    for (const auto& [identity, cluster] : remote_)
        if (auto there = cluster.lock()) out.push_back(std::move(there));
    return out;
}

void TargetClients::stop() {
    for (const auto& cluster : open_clusters()) cluster->objects().stop();
}

std::size_t TargetClients::remote_clusters() const { return open_clusters().size() - 1; }

std::size_t TargetClients::watched_kinds() const {
    std::size_t n = 0;
    for (const auto& cluster : open_clusters()) n += cluster->objects().kinds();
    return n;
}

} // namespace weber::agent
