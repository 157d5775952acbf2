#include "kube/server/warnings.h"

#include <map>
#include <set>

#include "kube/base/digest.h"
#include "kube/server/crd_formats.h"
#include "kube/server/crd_values.h"
#include "kube/server/quantity.h"
#include "kube/server/validate_rules.h"
#include "kube/server/warnings_parts.h"

namespace weber::kube::server {
namespace {

void addresses(const std::string& path, const Node& list, Warnings& out) {
    std::size_t i = 0;
    for (const Node& ip : list.items()) ip_warnings(at(path, i++), ip.text(), out);
}

// Where an object of the kind has a pod template; "" : nowhere.
std::string_view template_path(std::string_view id) {
    if (id == "batch/cronjobs") return "spec.jobTemplate.spec.template";
    if (id == "/podtemplates") return "template";
    if (id == "apps/deployments" || id == "apps/replicasets" || id == "apps/statefulsets" || id == "apps/daemonsets" || id == "batch/jobs" || id == "/replicationcontrollers")
        return "spec.template";
    return {};
}

const Node& at_path(const Node& obj, std::string_view path) {
    const Node* n = &obj;
    while (!path.empty()) {
        const auto dot = path.find('.');
        n = &child(*n, path.substr(0, dot));
        path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    }
    return *n;
}

// The names of these are those of pods, too.
void long_name(std::string_view id, const Node& obj, Warnings& out) {
    static const std::set<std::string_view> kNaming{"apps/deployments", "apps/replicasets", "batch/jobs", "batch/cronjobs", "/replicationcontrollers", "/pods"};
    const auto why = kNaming.contains(id) ? dns_label(obj.find_path({"metadata", "name"}) ? obj.find_path({"metadata", "name"})->text() : "") : Messages();
    if (why.empty()) return;
    std::string all;
    for (const auto& w : why) all += (all.empty() ? "" : " ") + w;
    out.push_back(std::string("metadata.name: this is used in ") + (id == "/pods" ? "the Pod's hostname" : "Pod names and hostnames") +
                  ", which can result in surprising behavior; a DNS label is recommended: [" + all + "]");
}

// Of pods and what makes pods. People are told of a change only when it changes what is made.
void workload(std::string_view id, const Node& obj, const Node* live, Warnings& out) {
    const auto path = template_path(id);
    const auto generation = [](const Node& o) { return o.find_path({"metadata", "generation"}) ? o.find_path({"metadata", "generation"})->as_int().value_or(0) : 0; };
    if (live == nullptr) long_name(id, obj, out);
    if (id == "/pods" && live == nullptr) pod_warnings("", obj, out);
    const bool changed = live == nullptr || (id == "apps/daemonsets" ? !same_meaning(&at_path(obj, path), &at_path(*live, path)) : generation(obj) != generation(*live));
    if (!path.empty() && changed) pod_warnings(std::string(path), at_path(obj, path), out);
    if (id != "apps/statefulsets") return;
    std::size_t i = 0;
    const Node& spec = child(obj, "spec");
    for (const Node& claim : child(spec, "volumeClaimTemplates").items())
        claim_warnings(at("spec.volumeClaimTemplates", i++) + (live != nullptr ? ".Spec" : ""), child(claim, "spec"), out);
    if (const Node* limit = spec.find("revisionHistoryLimit"); limit && limit->as_int().value_or(0) < 0)
        out.emplace_back("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended");
}

void service(const Node& obj, Warnings& out) {
    const Node& spec = child(obj, "spec");
    const Node &external = child(spec, "externalIPs"), &annotations = child(child(obj, "metadata"), "annotations");
    const bool outside = spec.text_at("type") == "ExternalName";
    const bool headless = spec.text_at("type") == "ClusterIP" && spec.text_at("clusterIP") == "None";
    if (annotations.contains("service.kubernetes.io/topology-aware-hints"))
        out.emplace_back("annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead");
    if (!headless && !outside) addresses("spec.clusterIPs", child(spec, "clusterIPs"), out);
    if (headless) {
        if (!spec.text_at("loadBalancerIP").empty()) out.emplace_back("spec.loadBalancerIP is ignored for headless services");
        if (!external.empty()) out.emplace_back("spec.externalIPs is ignored for headless services");
        if (spec.text_at("sessionAffinity") != "None") out.emplace_back("spec.SessionAffinity is ignored for headless services");
    }
    addresses("spec.externalIPs", external, out);
    if (!external.empty() && !headless && !outside) out.emplace_back("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
    ip_warnings("spec.loadBalancerIP", spec.text_at("loadBalancerIP"), out);
    std::size_t i = 0;
    for (const Node& range : child(spec, "loadBalancerSourceRanges").items()) cidr_warnings(at("spec.loadBalancerSourceRanges", i++), range.text(), out);
    if (outside && !external.empty()) out.emplace_back("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
    if (!outside && !spec.text_at("externalName").empty()) out.emplace_back("spec.externalName is ignored when spec.type is not \"ExternalName\"");
    if (spec.text_at("trafficDistribution") == "PreferClose") out.emplace_back("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"");
}

void network_policy(const Node& obj, Warnings& out) {
    for (const auto& [rules, peers] : {std::pair("ingress", "from"), std::pair("egress", "to")}) {
        std::size_t i = 0;
        for (const Node& rule : child(child(obj, "spec"), rules).items()) {
            const std::string here = at(std::string("spec.") + rules, i++) + "." + peers;
            std::size_t j = 0;
            for (const Node& peer : child(rule, peers).items()) {
                const std::string block = at(here, j++) + ".ipBlock";
                cidr_warnings(block + ".cidr", child(peer, "ipBlock").text_at("cidr"), out);
                std::size_t k = 0;
                for (const Node& except : child(child(peer, "ipBlock"), "except").items()) cidr_warnings(at(block + ".except", k++), except.text(), out);
            }
        }
    }
}

void ingress(const Node& obj, const Node* live, Warnings& out) {
    if (live == nullptr && child(child(obj, "metadata"), "annotations").contains("kubernetes.io/ingress.class") && !child(obj, "spec").contains("ingressClassName"))
        out.emplace_back("annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead");
}

void quota(const Node& obj, Warnings& out) {
    const Node& hard = child(child(obj, "spec"), "hard");
    for (const std::string name : {"cpu", "memory", "storage", "ephemeral-storage"}) {
        std::string request = "requests." + name;
        if (!hard.contains(request) && (name == "cpu" || name == "memory")) request = name;
        const std::string limit = "limits." + name;
        const auto a = parse_quantity(hard.text_at(request)), b = parse_quantity(hard.text_at(limit));
        if (hard.contains(request) && hard.contains(limit) && a && b && *a > *b)
            out.push_back("ResourceQuota " + request + " (" + to_string(*a) + ") should be less than " + limit + " (" + to_string(*b) + ")");
    }
}

void storage_class(const Node& obj, Warnings& out) {
    std::size_t i = 0;
    for (const Node& topology : child(obj, "allowedTopologies").items()) {
        const std::string here = at("allowedTopologies", i++) + ".matchLabelExpressions";
        std::size_t j = 0;
        for (const Node& e : child(topology, "matchLabelExpressions").items()) {
            const std::string place = at(here, j++) + ".key: ";
            if (const auto why = deprecated_node_label(e.text_at("key")); !why.empty()) out.push_back(place + std::string(why));
        }
    }
}

void runtime_class(const Node& obj, Warnings& out) {
    for (const auto& [key, value] : child(child(obj, "scheduling"), "nodeSelector").entries())
        if (const auto why = deprecated_node_label(key.view()); !why.empty()) out.push_back("scheduling.nodeSelector: " + std::string(why));
}

void endpoints(const Node& obj, Warnings& out) {
    std::size_t i = 0;
    for (const Node& subset : child(obj, "subsets").items()) {
        const std::string here = at("subsets", i++);
        for (const std::string list : {"addresses", "notReadyAddresses"}) {
            std::size_t j = 0;
            for (const Node& a : child(subset, list).items()) ip_warnings(at(here + "." + list, j++) + ".ip", a.text_at("ip"), out);
        }
    }
}

void endpoint_slice(const Node& obj, const Node* live, Warnings& out) {
    if (live == nullptr && obj.text_at("addressType") == "FQDN") out.emplace_back("spec.addressType: FQDN endpoints are deprecated");
}

void service_account(const Node& obj, const Node* live, Warnings& out) {
    constexpr std::string_view kKey = "kubernetes.io/enforce-mountable-secrets";
    const auto has = [&](const Node& o) { return child(child(o, "metadata"), "annotations").contains(kKey); };
    if (has(obj) && !(live != nullptr && has(*live)))
        out.push_back(key_of("metadata.annotations", kKey) + ": deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets");
}

void node(const Node& obj, Warnings& out) {
    const Node& spec = child(obj, "spec");
    if (spec.contains("configSource")) out.emplace_back("spec.configSource: the feature is removed");
    if (!spec.text_at("externalID").empty()) out.emplace_back("spec.externalID: this field is deprecated, and is unused by Kubernetes");
}

void volume(const Node& obj, Warnings& out) {
    const Node& spec = child(obj, "spec");
    std::size_t i = 0;
    for (const Node& term : child(child(child(spec, "nodeAffinity"), "required"), "nodeSelectorTerms").items())
        node_term_warnings(at("spec.nodeAffinity.required.nodeSelectorTerms", i++), term, false, out);
    for (const auto& [plugin, why] : {std::pair("cephfs", "v1.28, non-functional in v1.31+"), std::pair("photonPersistentDisk", "v1.11, non-functional in v1.16+"),
                                      std::pair("scaleIO", "v1.16, non-functional in v1.22+"), std::pair("storageos", "v1.22, non-functional in v1.25+"),
                                      std::pair("glusterfs", "v1.25, non-functional in v1.26+"), std::pair("rbd", "v1.28, non-functional in v1.31+")})
        if (spec.contains(plugin)) out.push_back(std::string("spec.") + (plugin == std::string_view("storageos") ? "storageOS" : plugin) + ": deprecated in " + why);
}

void unreadable_certificate(const Node& secret, Warnings& out) {
    const Node* data = secret.find("data");
    if (secret.text_at("type") != "kubernetes.io/tls" || !data) return;
    const auto certificate = base64_decode(data->text_at("tls.crt"));
    if (certificate && certificate->find("-----BEGIN ") == std::string::npos)
        out.emplace_back("tls: failed to find any PEM data in certificate input");
}

void old_annotations(std::string_view id, const Node& obj, Warnings& out) {
    const bool volume = id == "/persistentvolumes";
    if (!volume && id != "/persistentvolumeclaims") return;
    const auto has = [&](std::string_view key) { return obj.find_path({"metadata", "annotations", key}) != nullptr; };
    if (has("volume.beta.kubernetes.io/storage-class"))
        out.emplace_back("metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use \"storageClassName\" attribute instead");
    if (volume && has("volume.beta.kubernetes.io/mount-options"))
        out.emplace_back("metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use \"mountOptions\" attribute instead");
    const Node* policy = obj.find_path({"spec", "persistentVolumeReclaimPolicy"});
    if (volume && policy && policy->text() == "Recycle")
        out.emplace_back("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.");
}

void driver(const Node& obj, const Node* live, Warnings& out) {
    const Node &spec = child(obj, "spec"), &requests = child(spec, "tokenRequests");
    if (live != nullptr && same_meaning(&requests, &child(child(*live, "spec"), "tokenRequests"))) return;
    if (!requests.empty() && !spec.contains("serviceAccountTokenInSecrets"))
        out.emplace_back("spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes");
}

// Formats that are ignored, as kube-apiserver says; rules that only a real one evaluates.
void ignored_of_definition(const Node& definition, Warnings& out) {
    const Node* versions = definition.find_path({"spec", "versions"});
    if (!versions) return;
    for (const Node& v : versions->items()) {
        const Node* root = v.find_path({"schema", "openAPIV3Schema"});
        if (!root) continue;
        bool rules = false;
        each_schema(*root, [&](const Node& s) {
            rules = rules || s.contains("x-kubernetes-validations");
            const auto format = s.text_at("format");
            if (!format.empty() && !known_format(s.text_at("type"), format)) out.push_back("unrecognized format " + quoted(format));
        });
        if (rules) out.push_back("version " + std::string(v.text_at("name")) + " has x-kubernetes-validations, which the embedded API server does not evaluate");
    }
}

// Admission by others: stored, never asked.
void unasked_admission(std::string_view id, Warnings& out) {
    static const std::map<std::string_view, const char*> kinds{
        {"admissionregistration.k8s.io/mutatingwebhookconfigurations", "calls no admission webhooks"},
        {"admissionregistration.k8s.io/validatingwebhookconfigurations", "calls no admission webhooks"},
        {"admissionregistration.k8s.io/validatingadmissionpolicies", "evaluates no admission policies"},
        {"admissionregistration.k8s.io/validatingadmissionpolicybindings", "evaluates no admission policies"},
        {"admissionregistration.k8s.io/mutatingadmissionpolicies", "evaluates no admission policies"},
        {"admissionregistration.k8s.io/mutatingadmissionpolicybindings", "evaluates no admission policies"}};
    if (const auto it = kinds.find(id); it != kinds.end()) out.push_back(std::string("the embedded API server ") + it->second);
}

} // namespace

std::vector<std::string> object_warnings(std::string_view id, const Node& obj, const Node* live) {
    Warnings out;
    if (id == "apiextensions.k8s.io/customresourcedefinitions") ignored_of_definition(obj, out);
    unasked_admission(id, out);
    workload(id, obj, live, out);
    old_annotations(id, obj, out);
    if (id == "/secrets") unreadable_certificate(obj, out);
    if (id == "/services") service(obj, out);
    if (id == "/endpoints") endpoints(obj, out);
    if (id == "/serviceaccounts") service_account(obj, live, out);
    if (id == "/nodes") node(obj, out);
    if (id == "/persistentvolumes") volume(obj, out);
    if (id == "/persistentvolumeclaims") claim_warnings("spec", child(obj, "spec"), out);
    if (id == "/resourcequotas" && live == nullptr) quota(obj, out);
    if (id == "networking.k8s.io/networkpolicies") network_policy(obj, out);
    if (id == "networking.k8s.io/ingresses") ingress(obj, live, out);
    if (id == "discovery.k8s.io/endpointslices") endpoint_slice(obj, live, out);
    if (id == "storage.k8s.io/storageclasses") storage_class(obj, out);
    if (id == "storage.k8s.io/csidrivers") driver(obj, live, out);
    if (id == "node.k8s.io/runtimeclasses") runtime_class(obj, out);
    if (id == "batch/cronjobs" && live != nullptr && child(obj, "spec").text_at("schedule").find("TZ") != std::string_view::npos)
        out.emplace_back("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
                         "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details");
    return out;
}

} // namespace weber::kube::server
