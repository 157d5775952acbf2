#include "kube/server/warnings.h"

#include <map>
#include <set>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/server/crd_formats.h"
#include "kube/server/crd_values.h"

namespace weber::kube::server {
namespace {

struct PodPlace {
    std::string path; // of the pod spec
    const Node* spec = nullptr;
};

PodPlace pod_of(std::string_view id, const Node& obj) {
    if (id == "/pods") return {"spec", obj.find("spec")};
    if (id == "batch/cronjobs")
        return {"spec.jobTemplate.spec.template.spec", obj.find_path({"spec", "jobTemplate", "spec", "template", "spec"})};
    if (id.starts_with("apps/") || id == "batch/jobs" || id == "/replicationcontrollers")
        return {"spec.template.spec", obj.find_path({"spec", "template", "spec"})};
    return {};
}

template <class F>
void each_container(const PodPlace& pod, F f) {
    for (const auto list : {"initContainers", "containers"}) {
        const Node* containers = pod.spec->find(list);
        if (!containers) continue;
        std::size_t i = 0;
        for (const Node& c : containers->items()) f(c, pod.path + "." + list + "[" + std::to_string(i++) + "]");
    }
}

void hidden_variables(const PodPlace& pod, std::vector<std::string>& out) {
    each_container(pod, [&](const Node& c, const std::string& path) {
        const Node* env = c.find("env");
        if (!env) return;
        std::set<std::string, std::less<>> seen;
        std::size_t i = 0;
        for (const Node& e : env->items()) {
            const std::string here = path + ".env[" + std::to_string(i++) + "]";
            const std::string name(e.text_at("name")), reference = "$(" + name + ")";
            if (seen.insert(name).second) continue;
            const auto value = e.text_at("value");
            if (e.contains("valueFrom") || value == reference || value.find(reference) == std::string_view::npos)
                out.push_back(here + ": hides previous definition of \"" + name + "\", which may be dropped when using apply");
        }
    });
}

void clashing_ports(const PodPlace& pod, std::vector<std::string>& out) {
    struct Port {
        std::string path, ip;
        std::int64_t host = 0;
    };
    std::map<std::string, std::vector<Port>> all;
    each_container(pod, [&](const Node& c, const std::string& path) {
        const Node* ports = c.find("ports");
        if (!ports) return;
        std::size_t i = 0;
        for (const Node& p : ports->items()) {
            Port port{path + ".ports[" + std::to_string(i++) + "]", std::string(p.text_at("hostIP")), 0};
            if (const Node* h = p.find("hostPort")) port.host = h->as_int().value_or(0);
            auto& others = all[std::string(p.text_at("containerPort")) + "/" + std::string(p.text_at("protocol"))];
            for (const Port& o : others) {
                if (port.ip == o.ip && port.host == o.host)
                    out.push_back(port.path + ": duplicate port definition with " + o.path);
                else if (port.host == 0 || o.host == 0)
                    out.push_back(port.path + ": overlapping port definition with " + o.path);
                else if (port.host == o.host && port.ip.empty() != o.ip.empty())
                    out.push_back(port.path + ": dangerously ambiguous port definition with " + o.path);
            }
            others.push_back(std::move(port));
        }
    });
}

void fractional_bytes(const PodPlace& pod, std::vector<std::string>& out) {
    each_container(pod, [&](const Node& c, const std::string& path) {
        for (const auto resource : {"memory", "ephemeral-storage"})
            for (const auto side : {"limits", "requests"})
                if (const Node* v = c.find_path({"resources", side, resource}); v && v->text().ends_with('m'))
                    out.push_back(path + ".resources." + side + "[" + resource + "]: fractional byte value \"" + std::string(v->text()) +
                                  "\" is invalid, must be an integer");
    });
}

void unreadable_certificate(const Node& secret, std::vector<std::string>& out) {
    const Node* data = secret.find("data");
    if (secret.text_at("type") != "kubernetes.io/tls" || !data) return;
    const auto certificate = base64_decode(data->text_at("tls.crt"));
    if (certificate && certificate->find("-----BEGIN ") == std::string::npos)
        out.emplace_back("tls: failed to find any PEM data in certificate input");
}

void old_annotations(std::string_view id, const Node& obj, std::vector<std::string>& out) {
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

// Formats that are ignored, as kube-apiserver says; rules that only a real one evaluates.
void ignored_of_definition(const Node& definition, std::vector<std::string>& out) {
    const Node* versions = definition.find_path({"spec", "versions"});
    if (!versions) return;
    for (const Node& v : versions->items()) {
        const Node* root = v.find_path({"schema", "openAPIV3Schema"});
        if (!root) continue;
        bool rules = false;
        each_schema(*root, [&](const Node& s) {
            rules = rules || s.contains("x-kubernetes-validations");
            const auto format = s.text_at("format");
            if (!format.empty() && !known_format(s.text_at("type"), format)) out.push_back("unrecognized format " + write_json(Node::string(format)));
        });
        if (rules) out.push_back("version " + std::string(v.text_at("name")) + " has x-kubernetes-validations, which the embedded API server does not evaluate");
    }
}

// Admission by others: stored, never asked.
void unasked_admission(std::string_view id, std::vector<std::string>& out) {
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

std::vector<std::string> object_warnings(std::string_view id, const Node& obj) {
    std::vector<std::string> out;
    if (id == "apiextensions.k8s.io/customresourcedefinitions") ignored_of_definition(obj, out);
    unasked_admission(id, out);
    if (id == "/secrets") unreadable_certificate(obj, out);
    old_annotations(id, obj, out);
    if (id == "discovery.k8s.io/endpointslices" && obj.text_at("addressType") == "FQDN") out.emplace_back("spec.addressType: FQDN endpoints are deprecated");
    if (const Node* requests = obj.find_path({"spec", "tokenRequests"});
        id == "storage.k8s.io/csidrivers" && requests && !requests->empty() && !obj.find_path({"spec", "serviceAccountTokenInSecrets"}))
        out.emplace_back("spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes");
    if (const Node* ips = obj.find_path({"spec", "externalIPs"}); id == "/services" && ips && !ips->empty())
        out.emplace_back("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
    const PodPlace pod = pod_of(id, obj);
    if (!pod.spec) return out;
    fractional_bytes(pod, out);
    hidden_variables(pod, out);
    clashing_ports(pod, out);
    return out;
}

} // namespace weber::kube::server
