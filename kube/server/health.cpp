#include "kube/server/health.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/json.h"

namespace weber::kube::server {
namespace {

using Names = std::vector<std::string_view>;

// Those that all three end with, as kube-apiserver 1.36 lists them.
constexpr std::string_view kHooks[]{"poststarthook/start-apiserver-admission-initializer",
                                    "poststarthook/generic-apiserver-start-informers",
                                    "poststarthook/priority-and-fairness-config-consumer",
                                    "poststarthook/priority-and-fairness-filter",
                                    "poststarthook/storage-object-count-tracker-hook",
                                    "poststarthook/start-apiextensions-informers",
                                    "poststarthook/start-apiextensions-controllers",
                                    "poststarthook/crd-informer-synced",
                                    "poststarthook/start-system-namespaces-controller",
                                    "poststarthook/peer-endpoint-reconciler-controller",
                                    "poststarthook/start-cluster-authentication-info-controller",
                                    "poststarthook/start-kube-apiserver-identity-lease-controller",
                                    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
                                    "poststarthook/storage-readiness",
                                    "poststarthook/start-legacy-token-tracking-controller",
                                    "poststarthook/start-service-ip-repair-controllers",
                                    "poststarthook/rbac/bootstrap-roles",
                                    "poststarthook/scheduling/bootstrap-system-priority-classes",
                                    "poststarthook/priority-and-fairness-config-producer",
                                    "poststarthook/bootstrap-controller",
                                    "poststarthook/start-kubernetes-service-cidr-controller",
                                    "poststarthook/start-kube-aggregator-informers",
                                    "poststarthook/apiservice-status-local-available-controller",
                                    "poststarthook/apiservice-status-remote-available-controller",
                                    "poststarthook/apiservice-registration-controller",
                                    "poststarthook/apiservice-discovery-controller",
                                    "poststarthook/kube-apiserver-autoregistration",
                                    "autoregister-completion",
                                    "poststarthook/apiservice-openapi-controller",
                                    "poststarthook/apiservice-openapiv3-controller"};

Names checks_of(std::string_view endpoint) {
    const bool ready = endpoint == "readyz";
    Names out = ready ? Names{"ping", "log", "etcd", "etcd-readiness", "informer-sync"} : Names{"ping", "log", "loopback-serving-certificate", "etcd"};
    out.insert(out.end(), std::begin(kHooks), std::end(kHooks));
    if (ready) out.emplace_back("shutdown");
    return out;
}

std::string report(const HttpRequest& http, std::string_view endpoint) {
    const auto list = http.params("exclude");
    std::set<std::string, std::less<>> excluded(list.begin(), list.end()), unknown = excluded;
    std::string out;
    for (const auto check : checks_of(endpoint)) {
        unknown.erase(std::string(check));
        out.append("[+]").append(check).append(excluded.contains(check) ? " excluded: ok\n" : " ok\n");
    }
    std::string names;
    for (const auto& name : unknown) names += (names.empty() ? "" : ",") + write_json(Node::string(name));
    if (!names.empty()) out += "warn: some health checks cannot be excluded: no matches for " + names + "\n";
    return out + std::string(endpoint) + " check passed\n";
}

} // namespace

std::optional<HttpResponse> health(const HttpRequest& http) {
    for (const std::string_view endpoint : {"healthz", "livez", "readyz"}) {
        if (!http.path.starts_with("/" + std::string(endpoint))) continue;
        const std::string_view rest = std::string_view(http.path).substr(1 + endpoint.size());
        if (!rest.empty() && rest.front() != '/') continue;
        const Names checks = checks_of(endpoint);
        if (!rest.empty() && std::ranges::find(checks, rest.substr(1)) == checks.end()) return std::nullopt;
        HttpResponse r;
        r.content_type = "text/plain; charset=utf-8";
        r.body = rest.empty() && http.has_param("verbose") ? report(http, endpoint) : "ok";
        return r;
    }
    return std::nullopt;
}

std::vector<std::string> health_paths() {
    std::vector<std::string> out;
    for (const std::string endpoint : {"healthz", "livez", "readyz"}) {
        out.push_back("/" + endpoint);
        for (const auto check : checks_of(endpoint)) out.push_back("/" + endpoint + "/" + std::string(check));
    }
    return out;
}

} // namespace weber::kube::server
