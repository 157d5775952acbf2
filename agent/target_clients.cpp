#include "agent/target_clients.h"

#include <algorithm>

#include "kube/base/digest.h"
#include "kube/kubeconfig.h"

namespace weber::agent {

namespace {

constexpr std::size_t kMaxKept = 256;

// The kubeconfig text of a Secret: under the named key, else `value` or `value.yaml`.
Result<std::string> kubeconfig_text(const Object& secret, const gitops::KubeConfigSpec& spec, const std::string& where) {
    std::vector<std::string> keys{"value", "value.yaml"};
    if (!spec.secret_key.empty()) keys = {spec.secret_key};
    for (const std::string& key : keys)
        if (const Node* value = secret.at({"data", key})) return kube::base64_decode(value->text());
    return fail(ErrorCode::invalid, "KubeConfig secret '" + where + "' does not contain a '" + keys.front() + "' key with a kubeconfig");
}

} // namespace

std::string TargetClients::account_of(const gitops::Kustomization& k) const {
    return k.spec.service_account.empty() ? default_service_account_ : k.spec.service_account;
}

Result<std::shared_ptr<kube::Client>> TargetClients::client_for(const gitops::Kustomization& k, std::stop_token stop) {
    const std::string account = account_of(k);
    const std::string user = account.empty() ? "" : "system:serviceaccount:" + k.name.ns + ":" + account;
    if (!k.spec.kube_config && user.empty()) return own_;

    kube::ClientConfig config = config_;
    std::string identity = "local";
    if (k.spec.kube_config) {
        const gitops::KubeConfigSpec& spec = *k.spec.kube_config;
        if (!spec.config_map_name.empty())
            return fail(ErrorCode::unsupported, "spec.kubeConfig.configMapRef is not supported: use spec.kubeConfig.secretRef", spec.where);
        const std::string where = k.name.ns + "/" + spec.secret_name;
        const auto secret = own_->get({{"", "v1", "Secret"}, k.name.ns, spec.secret_name}, {}, {.stop = stop});
        if (!secret) return fail(Error(secret.error()).with_prefix("unable to read KubeConfig secret '" + where + "' error: "));
        TRY(const std::string text, kubeconfig_text(*secret, spec, where));
        TRY(config, kube::parse_kubeconfig(text, "KubeConfig secret '" + where + "'"));
        identity = "secret " + where + " " + kube::sha256_hex(text);
    }
    identity += " as " + user;
    const std::lock_guard lock(mutex_);
    if (const auto at = kept_.find(identity); at != kept_.end()) return at->second;
    if (!user.empty()) config.impersonate = {.user = user};
    TRY(std::shared_ptr<kube::Client> client, kube::Client::connect(config));
    if (kept_.size() == kMaxKept) kept_.erase(kept_.begin());
    return kept_[identity] = std::move(client);
}

} // namespace weber::agent
