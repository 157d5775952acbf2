#include "kustomize/gvk.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <unordered_map>

namespace weber::kustomize {
namespace {

struct TypeName {
    std::string_view api_version;
    std::string_view kind;
};

// Kinds that kustomize 5.8 is certain are cluster scoped: those of its built-in schema, Kubernetes 1.21
// (kyaml openapi.go: precomputedIsNamespaceScoped). Not the newest list on purpose: output depends on it.
constexpr auto kClusterScoped = std::to_array<TypeName>({
    {"admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"},
    {"admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"}, // these two: as in the version after 5.8
    {"admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"},
    {"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"},
    {"admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration"},
    {"admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration"},
    {"apiextensions.k8s.io/v1", "CustomResourceDefinition"},
    {"apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"},
    {"apiregistration.k8s.io/v1", "APIService"},
    {"apiregistration.k8s.io/v1beta1", "APIService"},
    {"certificates.k8s.io/v1", "CertificateSigningRequest"},
    {"certificates.k8s.io/v1beta1", "CertificateSigningRequest"},
    {"flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema"},
    {"flowcontrol.apiserver.k8s.io/v1beta1", "PriorityLevelConfiguration"},
    {"networking.k8s.io/v1", "IngressClass"},
    {"networking.k8s.io/v1beta1", "IngressClass"},
    {"node.k8s.io/v1", "RuntimeClass"},
    {"node.k8s.io/v1beta1", "RuntimeClass"},
    {"policy/v1beta1", "PodSecurityPolicy"},
    {"rbac.authorization.k8s.io/v1", "ClusterRole"},
    {"rbac.authorization.k8s.io/v1", "ClusterRoleBinding"},
    {"rbac.authorization.k8s.io/v1beta1", "ClusterRole"},
    {"rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"},
    {"scheduling.k8s.io/v1", "PriorityClass"},
    {"scheduling.k8s.io/v1beta1", "PriorityClass"},
    {"storage.k8s.io/v1", "CSIDriver"},
    {"storage.k8s.io/v1", "CSINode"},
    {"storage.k8s.io/v1", "StorageClass"},
    {"storage.k8s.io/v1", "VolumeAttachment"},
    {"storage.k8s.io/v1beta1", "CSIDriver"},
    {"storage.k8s.io/v1beta1", "CSINode"},
    {"storage.k8s.io/v1beta1", "StorageClass"},
    {"storage.k8s.io/v1beta1", "VolumeAttachment"},
    {"v1", "ComponentStatus"},
    {"v1", "Namespace"},
    {"v1", "Node"},
    {"v1", "NodeProxyOptions"},
    {"v1", "PersistentVolume"},
});

// The other entries of that table: kinds that live in a namespace.
constexpr auto kNamespaced = std::to_array<TypeName>({
    {"apps/v1", "ControllerRevision"},
    {"apps/v1", "DaemonSet"},
    {"apps/v1", "Deployment"},
    {"apps/v1", "ReplicaSet"},
    {"apps/v1", "StatefulSet"},
    {"autoscaling/v1", "HorizontalPodAutoscaler"},
    {"autoscaling/v1", "Scale"},
    {"autoscaling/v2beta1", "HorizontalPodAutoscaler"},
    {"autoscaling/v2beta2", "HorizontalPodAutoscaler"},
    {"batch/v1", "CronJob"},
    {"batch/v1", "Job"},
    {"batch/v1beta1", "CronJob"},
    {"coordination.k8s.io/v1", "Lease"},
    {"coordination.k8s.io/v1beta1", "Lease"},
    {"discovery.k8s.io/v1", "EndpointSlice"},
    {"discovery.k8s.io/v1beta1", "EndpointSlice"},
    {"events.k8s.io/v1", "Event"},
    {"events.k8s.io/v1beta1", "Event"},
    {"extensions/v1beta1", "Ingress"},
    {"networking.k8s.io/v1", "Ingress"},
    {"networking.k8s.io/v1", "NetworkPolicy"},
    {"networking.k8s.io/v1beta1", "Ingress"},
    {"policy/v1", "PodDisruptionBudget"},
    {"policy/v1beta1", "PodDisruptionBudget"},
    {"rbac.authorization.k8s.io/v1", "Role"},
    {"rbac.authorization.k8s.io/v1", "RoleBinding"},
    {"rbac.authorization.k8s.io/v1beta1", "Role"},
    {"rbac.authorization.k8s.io/v1beta1", "RoleBinding"},
    {"storage.k8s.io/v1beta1", "CSIStorageCapacity"},
    {"v1", "ConfigMap"},
    {"v1", "Endpoints"},
    {"v1", "Event"},
    {"v1", "LimitRange"},
    {"v1", "PersistentVolumeClaim"},
    {"v1", "Pod"},
    {"v1", "PodAttachOptions"},
    {"v1", "PodExecOptions"},
    {"v1", "PodPortForwardOptions"},
    {"v1", "PodProxyOptions"},
    {"v1", "PodTemplate"},
    {"v1", "ReplicationController"},
    {"v1", "ResourceQuota"},
    {"v1", "Secret"},
    {"v1", "Service"},
    {"v1", "ServiceAccount"},
    {"v1", "ServiceProxyOptions"},
});

std::string key_of(std::string_view a, std::string_view b) {
    std::string key;
    key.reserve(a.size() + b.size() + 1);
    key.append(a).push_back('\0');
    return key.append(b);
}

// Called once per distinct kind.
bool holds(std::span<const TypeName> types, std::string_view api_version, std::string_view kind) {
    return std::ranges::any_of(types, [&](const TypeName& t) { return t.kind == kind && t.api_version == api_version; });
}

// Guards both maps. Infos are never freed, so pointers handed out stay good.
struct Interner {
    std::shared_mutex mutex;
    std::unordered_map<std::string, const GvkInfo*> by_api_version; // api_version \0 kind
    std::unordered_map<std::string, std::unique_ptr<GvkInfo>> by_parts; // group \0 version \0 kind
};

Interner& interner() {
    static Interner* instance = new Interner; // lives until the process ends: no destruction order to mind
    return *instance;
}

std::string canonical_api_version(std::string_view group, std::string_view version) {
    return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

// Call with the mutex held for writing.
const GvkInfo* intern_parts(Interner& in, std::string_view group, std::string_view version, std::string_view kind) {
    auto& slot = in.by_parts[key_of(key_of(group, version), kind)];
    if (!slot) {
        auto info = std::make_unique<GvkInfo>();
        info->group = group;
        info->version = version;
        info->kind = kind;
        info->api_version = canonical_api_version(group, version);
        info->cluster_scoped = holds(kClusterScoped, info->api_version, kind);
        info->scope_known = info->cluster_scoped || holds(kNamespaced, info->api_version, kind);
        slot = std::move(info);
    }
    return slot.get();
}

std::string joined(std::string_view kind, std::string_view version, std::string_view group) {
    std::string out(kind.empty() ? "[noKind]" : kind);
    out.append(".").append(version.empty() ? "[noVer]" : version);
    return out.append(".").append(group.empty() ? "[noGrp]" : group);
}

constexpr std::array<std::string_view, 22> kOrderFirst = {
    "Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy",
    "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service",
    "LimitRange", "PriorityClass", "PersistentVolume", "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob",
    "PodDisruptionBudget"};
constexpr std::array<std::string_view, 2> kOrderLast = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"};

int kind_rank(std::string_view kind) {
    if (auto it = std::ranges::find(kOrderFirst, kind); it != kOrderFirst.end())
        return static_cast<int>(it - kOrderFirst.begin()) - static_cast<int>(kOrderFirst.size());
    if (auto it = std::ranges::find(kOrderLast, kind); it != kOrderLast.end())
        return static_cast<int>(it - kOrderLast.begin()) + 1;
    return 0;
}

std::string sort_text(const GvkPattern& g) {
    const auto either = [](const std::string& text, std::string_view empty) { return text.empty() ? empty : std::string_view(text); };
    std::string out(either(g.group, "~G"));
    out.append("_").append(either(g.version, "~V"));
    return out.append("_").append(either(g.kind, "~K"));
}

} // namespace

Gvk::Gvk() {
    static const GvkInfo* const empty = Gvk::of("", "", "").info_;
    info_ = empty;
}

Gvk Gvk::of(std::string_view api_version, std::string_view kind) {
    Interner& in = interner();
    std::string key = key_of(api_version, kind);
    {
        std::shared_lock lock(in.mutex);
        if (auto it = in.by_api_version.find(key); it != in.by_api_version.end()) return Gvk(it->second);
    }
    std::size_t slash = api_version.find('/');
    std::string_view group = slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
    std::string_view version = slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
    std::unique_lock lock(in.mutex);
    const GvkInfo* info = intern_parts(in, group, version, kind);
    in.by_api_version.emplace(std::move(key), info);
    return Gvk(info);
}

Gvk Gvk::of(std::string_view group, std::string_view version, std::string_view kind) {
    Interner& in = interner();
    {
        std::shared_lock lock(in.mutex);
        auto it = in.by_parts.find(key_of(key_of(group, version), kind));
        if (it != in.by_parts.end()) return Gvk(it->second.get());
    }
    std::unique_lock lock(in.mutex);
    return Gvk(intern_parts(in, group, version, kind));
}

std::string Gvk::to_string() const { return joined(kind(), version(), group()); }
std::string GvkPattern::to_string() const { return joined(kind, version, group); }

GvkOrderKey gvk_order_key(const GvkPattern& gvk) { return {kind_rank(gvk.kind), sort_text(gvk)}; }

} // namespace weber::kustomize
