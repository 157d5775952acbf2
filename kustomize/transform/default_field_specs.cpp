// The built-in tables of kustomize 5.8 (api/internal/konfig/builtinpluginconsts), as literals in the order in which kustomize keeps them: sorted by
// kind. Every command makes them at its start, so nothing is computed here; that they are sorted and settled is a test's business.
#include <span>
#include <string>
#include <string_view>

#include "kustomize/transform/field_specs.h"

namespace weber::kustomize {
namespace {

constexpr std::string_view kApps = "apps", kBatch = "batch", kRbac = "rbac.authorization.k8s.io",
                           kAdmission = "admissionregistration.k8s.io", kNetworking = "networking.k8s.io";

struct Row {
    std::string_view kind, path;
    bool create = false;
    std::string_view group = {}, version = {};
};

// Objects of these kinds may be referred to by name …
struct Target {
    std::string_view kind, group, version;
    std::span<const Row> referrers; // … from these fields
};

// clang-format off

constexpr Row kNamePrefix[] = {
    {"", "metadata/name"},
};

constexpr Row kNamespace[] = {
    {"Namespace", "metadata/name", true},
    {"CustomResourceDefinition", "spec/conversion/webhook/clientConfig/service/namespace", false, "apiextensions.k8s.io"},
    {"APIService", "spec/service/namespace", true, "apiregistration.k8s.io"},
};

constexpr Row kCommonLabels[] = {
    {"Service", "spec/selector", true, {}, "v1"},
    {"Deployment", "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels", false, kApps},
    {"Deployment", "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels", false, kApps},
    {"Deployment", "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels", false, kApps},
    {"Deployment", "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels", false, kApps},
    {"Deployment", "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels", false, kApps},
    {"Deployment", "spec/selector/matchLabels", true},
    {"Deployment", "spec/template/metadata/labels", true},
    {"StatefulSet", "spec/selector/matchLabels", true, kApps},
    {"StatefulSet", "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels", false, kApps},
    {"StatefulSet", "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels", false, kApps},
    {"StatefulSet", "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels", false, kApps},
    {"StatefulSet", "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels", false, kApps},
    {"StatefulSet", "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels", false, kApps},
    {"StatefulSet", "spec/template/metadata/labels", true, kApps},
    {"StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true, kApps},
    {"CronJob", "spec/jobTemplate/spec/selector/matchLabels", false, kBatch},
    {"CronJob", "spec/jobTemplate/metadata/labels", true, kBatch},
    {"CronJob", "spec/jobTemplate/spec/template/metadata/labels", true, kBatch},
    {"PodDisruptionBudget", "spec/selector/matchLabels", false, "policy"},
    {"Job", "spec/selector/matchLabels", false, kBatch},
    {"Job", "spec/template/metadata/labels", true, kBatch},
    {"NetworkPolicy", "spec/podSelector/matchLabels", false, kNetworking},
    {"NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false, kNetworking},
    {"NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false, kNetworking},
    {"ReplicationController", "spec/selector", true, {}, "v1"},
    {"ReplicationController", "spec/template/metadata/labels", true, {}, "v1"},
    {"DaemonSet", "spec/selector/matchLabels", true},
    {"DaemonSet", "spec/template/metadata/labels", true},
    {"ReplicaSet", "spec/selector/matchLabels", true},
    {"ReplicaSet", "spec/template/metadata/labels", true},
    {"", "metadata/labels", true},
};

constexpr Row kTemplateLabels[] = {
    {"Deployment", "spec/template/metadata/labels", true},
    {"StatefulSet", "spec/template/metadata/labels", true, kApps},
    {"CronJob", "spec/jobTemplate/metadata/labels", true, kBatch},
    {"CronJob", "spec/jobTemplate/spec/template/metadata/labels", true, kBatch},
    {"Job", "spec/template/metadata/labels", true, kBatch},
    {"ReplicationController", "spec/template/metadata/labels", true, {}, "v1"},
    {"DaemonSet", "spec/template/metadata/labels", true},
    {"ReplicaSet", "spec/template/metadata/labels", true},
    {"", "metadata/labels", true},
};

constexpr Row kVolumeClaimTemplateLabels[] = {
    {"StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true, kApps},
};

constexpr Row kCommonAnnotations[] = {
    {"Deployment", "spec/template/metadata/annotations", true},
    {"StatefulSet", "spec/template/metadata/annotations", true},
    {"CronJob", "spec/jobTemplate/metadata/annotations", true, kBatch},
    {"CronJob", "spec/jobTemplate/spec/template/metadata/annotations", true, kBatch},
    {"Job", "spec/template/metadata/annotations", true, kBatch},
    {"ReplicationController", "spec/template/metadata/annotations", true, {}, "v1"},
    {"DaemonSet", "spec/template/metadata/annotations", true},
    {"ReplicaSet", "spec/template/metadata/annotations", true},
    {"", "metadata/annotations", true},
};

constexpr Row kVarReference[] = {
    {"Service", "spec/ports/port"},
    {"Service", "spec/ports/targetPort"},
    {"PersistentVolume", "spec/nfs/server"},
    {"Deployment", "spec/template/spec/containers/args"},
    {"Deployment", "spec/template/spec/containers/command"},
    {"Deployment", "spec/template/spec/containers/env/value"},
    {"Deployment", "spec/template/spec/containers/volumeMounts/mountPath"},
    {"Deployment", "spec/template/spec/initContainers/args"},
    {"Deployment", "spec/template/spec/initContainers/command"},
    {"Deployment", "spec/template/spec/initContainers/env/value"},
    {"Deployment", "spec/template/spec/initContainers/volumeMounts/mountPath"},
    {"Deployment", "spec/template/spec/volumes/nfs/server"},
    {"Deployment", "spec/template/metadata/annotations"},
    {"StatefulSet", "spec/template/spec/containers/args"},
    {"StatefulSet", "spec/template/spec/containers/command"},
    {"StatefulSet", "spec/template/spec/containers/env/value"},
    {"StatefulSet", "spec/template/spec/containers/volumeMounts/mountPath"},
    {"StatefulSet", "spec/template/spec/initContainers/args"},
    {"StatefulSet", "spec/template/spec/initContainers/command"},
    {"StatefulSet", "spec/template/spec/initContainers/env/value"},
    {"StatefulSet", "spec/template/spec/initContainers/volumeMounts/mountPath"},
    {"StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server"}, // wrong in kustomize, too; output depends on it
    {"CronJob", "spec/jobTemplate/spec/template/spec/containers/args"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/containers/command"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/containers/env/value"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/containers/volumeMounts/mountPath"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/initContainers/args"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/initContainers/command"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/initContainers/env/value"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/initContainers/volumeMounts/mountPath"},
    {"CronJob", "spec/jobTemplate/spec/template/volumes/nfs/server"}, // wrong in kustomize, too; output depends on it
    {"DaemonSet", "spec/template/spec/containers/args"},
    {"DaemonSet", "spec/template/spec/containers/command"},
    {"DaemonSet", "spec/template/spec/containers/env/value"},
    {"DaemonSet", "spec/template/spec/containers/volumeMounts/mountPath"},
    {"DaemonSet", "spec/template/spec/initContainers/args"},
    {"DaemonSet", "spec/template/spec/initContainers/command"},
    {"DaemonSet", "spec/template/spec/initContainers/env/value"},
    {"DaemonSet", "spec/template/spec/initContainers/volumeMounts/mountPath"},
    {"DaemonSet", "spec/template/spec/volumes/nfs/server"},
    {"Ingress", "spec/rules/host"},
    {"Ingress", "spec/tls/hosts"},
    {"Ingress", "spec/tls/secretName"},
    {"Job", "spec/template/spec/containers/args"},
    {"Job", "spec/template/spec/containers/command"},
    {"Job", "spec/template/spec/containers/env/value"},
    {"Job", "spec/template/spec/containers/volumeMounts/mountPath"},
    {"Job", "spec/template/spec/initContainers/args"},
    {"Job", "spec/template/spec/initContainers/command"},
    {"Job", "spec/template/spec/initContainers/env/value"},
    {"Job", "spec/template/spec/initContainers/volumeMounts/mountPath"},
    {"Job", "spec/template/spec/volumes/nfs/server"},
    {"Pod", "spec/containers/args"},
    {"Pod", "spec/containers/command"},
    {"Pod", "spec/containers/env/value"},
    {"Pod", "spec/containers/volumeMounts/mountPath"},
    {"Pod", "spec/initContainers/args"},
    {"Pod", "spec/initContainers/command"},
    {"Pod", "spec/initContainers/env/value"},
    {"Pod", "spec/initContainers/volumeMounts/mountPath"},
    {"Pod", "spec/volumes/nfs/server"},
    {"ReplicaSet", "spec/template/spec/containers/args"},
    {"ReplicaSet", "spec/template/spec/containers/command"},
    {"ReplicaSet", "spec/template/spec/containers/env/value"},
    {"ReplicaSet", "spec/template/spec/containers/volumeMounts/mountPath"},
    {"ReplicaSet", "spec/template/spec/initContainers/args"},
    {"ReplicaSet", "spec/template/spec/initContainers/command"},
    {"ReplicaSet", "spec/template/spec/initContainers/env/value"},
    {"ReplicaSet", "spec/template/spec/initContainers/volumeMounts/mountPath"},
    {"ReplicaSet", "spec/template/spec/volumes/nfs/server"},
    {"", "metadata/labels"},
    {"", "metadata/annotations"},
};

constexpr Row kImages[] = {
    {"", "spec/containers[]/image", true},
    {"", "spec/initContainers[]/image", true},
    {"", "spec/volumes[]/image/reference", true},
    {"", "spec/template/spec/containers[]/image", true},
    {"", "spec/template/spec/initContainers[]/image", true},
    {"", "spec/template/spec/volumes[]/image/reference", true},
};

constexpr Row kReplicas[] = {
    {"Deployment", "spec/replicas", true},
    {"StatefulSet", "spec/replicas", true},
    {"ReplicaSet", "spec/replicas", true},
    {"ReplicationController", "spec/replicas", true},
};

constexpr Row kStorageClassReferrers[] = {
    {"PersistentVolume", "spec/storageClassName"},
    {"PersistentVolumeClaim", "spec/storageClassName"},
    {"StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"},
};

constexpr Row kServiceAccountReferrers[] = {
    {"RoleBinding", "subjects", false, kRbac},
    {"ClusterRoleBinding", "subjects", false, kRbac},
    {"Pod", "spec/serviceAccountName"},
    {"StatefulSet", "spec/template/spec/serviceAccountName"},
    {"Deployment", "spec/template/spec/serviceAccountName"},
    {"ReplicationController", "spec/template/spec/serviceAccountName"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/serviceAccountName"},
    {"Job", "spec/template/spec/serviceAccountName"},
    {"DaemonSet", "spec/template/spec/serviceAccountName"},
};

constexpr Row kRoleReferrers[] = {
    {"RoleBinding", "roleRef/name", false, kRbac},
};

constexpr Row kClusterRoleReferrers[] = {
    {"RoleBinding", "roleRef/name", false, kRbac},
    {"ClusterRoleBinding", "roleRef/name", false, kRbac},
};

constexpr Row kConfigMapReferrers[] = {
    {"Pod", "spec/volumes/configMap/name", false, {}, "v1"},
    {"Pod", "spec/containers/env/valueFrom/configMapKeyRef/name", false, {}, "v1"},
    {"Pod", "spec/initContainers/env/valueFrom/configMapKeyRef/name", false, {}, "v1"},
    {"Pod", "spec/containers/envFrom/configMapRef/name", false, {}, "v1"},
    {"Pod", "spec/initContainers/envFrom/configMapRef/name", false, {}, "v1"},
    {"Pod", "spec/volumes/projected/sources/configMap/name", false, {}, "v1"},
    {"PodTemplate", "template/spec/volumes/configMap/name"},
    {"PodTemplate", "template/spec/containers/env/valueFrom/configMapKeyRef/name"},
    {"PodTemplate", "template/spec/initContainers/env/valueFrom/configMapKeyRef/name"},
    {"PodTemplate", "template/spec/containers/envFrom/configMapRef/name"},
    {"PodTemplate", "template/spec/initContainers/envFrom/configMapRef/name"},
    {"PodTemplate", "template/spec/volumes/projected/sources/configMap/name"},
    {"Deployment", "spec/template/spec/volumes/configMap/name"},
    {"Deployment", "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name"},
    {"Deployment", "spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name"},
    {"Deployment", "spec/template/spec/containers/envFrom/configMapRef/name"},
    {"Deployment", "spec/template/spec/initContainers/envFrom/configMapRef/name"},
    {"Deployment", "spec/template/spec/volumes/projected/sources/configMap/name"},
    {"ReplicaSet", "spec/template/spec/volumes/configMap/name"},
    {"ReplicaSet", "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name"},
    {"ReplicaSet", "spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name"},
    {"ReplicaSet", "spec/template/spec/containers/envFrom/configMapRef/name"},
    {"ReplicaSet", "spec/template/spec/initContainers/envFrom/configMapRef/name"},
    {"ReplicaSet", "spec/template/spec/volumes/projected/sources/configMap/name"},
    {"DaemonSet", "spec/template/spec/volumes/configMap/name"},
    {"DaemonSet", "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name"},
    {"DaemonSet", "spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name"},
    {"DaemonSet", "spec/template/spec/containers/envFrom/configMapRef/name"},
    {"DaemonSet", "spec/template/spec/initContainers/envFrom/configMapRef/name"},
    {"DaemonSet", "spec/template/spec/volumes/projected/sources/configMap/name"},
    {"StatefulSet", "spec/template/spec/volumes/configMap/name"},
    {"StatefulSet", "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name"},
    {"StatefulSet", "spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name"},
    {"StatefulSet", "spec/template/spec/containers/envFrom/configMapRef/name"},
    {"StatefulSet", "spec/template/spec/initContainers/envFrom/configMapRef/name"},
    {"StatefulSet", "spec/template/spec/volumes/projected/sources/configMap/name"},
    {"Job", "spec/template/spec/volumes/configMap/name"},
    {"Job", "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name"},
    {"Job", "spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name"},
    {"Job", "spec/template/spec/containers/envFrom/configMapRef/name"},
    {"Job", "spec/template/spec/initContainers/envFrom/configMapRef/name"},
    {"Job", "spec/template/spec/volumes/projected/sources/configMap/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/volumes/configMap/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/containers/env/valueFrom/configMapKeyRef/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/containers/envFrom/configMapRef/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/initContainers/envFrom/configMapRef/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/volumes/projected/sources/configMap/name"},
    {"Node", "spec/configSource/configMap"},
    {"Role", "rules/resourceNames"},
    {"ClusterRole", "rules/resourceNames"},
    {"Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap"},
};

constexpr Row kSecretReferrers[] = {
    {"Pod", "spec/volumes/secret/secretName", false, {}, "v1"},
    {"Pod", "spec/containers/env/valueFrom/secretKeyRef/name", false, {}, "v1"},
    {"Pod", "spec/initContainers/env/valueFrom/secretKeyRef/name", false, {}, "v1"},
    {"Pod", "spec/containers/envFrom/secretRef/name", false, {}, "v1"},
    {"Pod", "spec/initContainers/envFrom/secretRef/name", false, {}, "v1"},
    {"Pod", "spec/imagePullSecrets/name", false, {}, "v1"},
    {"Pod", "spec/volumes/projected/sources/secret/name", false, {}, "v1"},
    {"PodTemplate", "template/spec/volumes/secret/secretName"},
    {"PodTemplate", "template/spec/containers/env/valueFrom/secretKeyRef/name"},
    {"PodTemplate", "template/spec/initContainers/env/valueFrom/secretKeyRef/name"},
    {"PodTemplate", "template/spec/containers/envFrom/secretRef/name"},
    {"PodTemplate", "template/spec/initContainers/envFrom/secretRef/name"},
    {"PodTemplate", "template/spec/imagePullSecrets/name"},
    {"PodTemplate", "template/spec/volumes/projected/sources/secret/name"},
    {"Deployment", "spec/template/spec/volumes/secret/secretName"},
    {"Deployment", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"},
    {"Deployment", "spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name"},
    {"Deployment", "spec/template/spec/containers/envFrom/secretRef/name"},
    {"Deployment", "spec/template/spec/initContainers/envFrom/secretRef/name"},
    {"Deployment", "spec/template/spec/imagePullSecrets/name"},
    {"Deployment", "spec/template/spec/volumes/projected/sources/secret/name"},
    {"ReplicaSet", "spec/template/spec/volumes/secret/secretName"},
    {"ReplicaSet", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"},
    {"ReplicaSet", "spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name"},
    {"ReplicaSet", "spec/template/spec/containers/envFrom/secretRef/name"},
    {"ReplicaSet", "spec/template/spec/initContainers/envFrom/secretRef/name"},
    {"ReplicaSet", "spec/template/spec/imagePullSecrets/name"},
    {"ReplicaSet", "spec/template/spec/volumes/projected/sources/secret/name"},
    {"DaemonSet", "spec/template/spec/volumes/secret/secretName"},
    {"DaemonSet", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"},
    {"DaemonSet", "spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name"},
    {"DaemonSet", "spec/template/spec/containers/envFrom/secretRef/name"},
    {"DaemonSet", "spec/template/spec/initContainers/envFrom/secretRef/name"},
    {"DaemonSet", "spec/template/spec/imagePullSecrets/name"},
    {"DaemonSet", "spec/template/spec/volumes/projected/sources/secret/name"},
    {"StatefulSet", "spec/template/spec/volumes/secret/secretName"},
    {"StatefulSet", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"},
    {"StatefulSet", "spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name"},
    {"StatefulSet", "spec/template/spec/containers/envFrom/secretRef/name"},
    {"StatefulSet", "spec/template/spec/initContainers/envFrom/secretRef/name"},
    {"StatefulSet", "spec/template/spec/imagePullSecrets/name"},
    {"StatefulSet", "spec/template/spec/volumes/projected/sources/secret/name"},
    {"Job", "spec/template/spec/volumes/secret/secretName"},
    {"Job", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"},
    {"Job", "spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name"},
    {"Job", "spec/template/spec/containers/envFrom/secretRef/name"},
    {"Job", "spec/template/spec/initContainers/envFrom/secretRef/name"},
    {"Job", "spec/template/spec/imagePullSecrets/name"},
    {"Job", "spec/template/spec/volumes/projected/sources/secret/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/volumes/secret/secretName"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/containers/env/valueFrom/secretKeyRef/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/containers/envFrom/secretRef/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/initContainers/envFrom/secretRef/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/imagePullSecrets/name"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/volumes/projected/sources/secret/name"},
    {"Ingress", "spec/tls/secretName"},
    {"Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret"},
    {"Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret"},
    {"Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret"},
    {"ServiceAccount", "imagePullSecrets/name"},
    {"StorageClass", "parameters/secretName"},
    {"StorageClass", "parameters/adminSecretName"},
    {"StorageClass", "parameters/userSecretName"},
    {"StorageClass", "parameters/secretRef"},
    {"Role", "rules/resourceNames"},
    {"ClusterRole", "rules/resourceNames"},
    {"Service", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false, "serving.knative.dev", "v1"},
    {"PersistentVolume", "spec/azureFile/secretName"},
};

constexpr Row kServiceReferrers[] = {
    {"StatefulSet", "spec/serviceName", false, kApps},
    {"Ingress", "spec/rules/http/paths/backend/serviceName"},
    {"Ingress", "spec/backend/serviceName"},
    {"Ingress", "spec/rules/http/paths/backend/service/name"},
    {"Ingress", "spec/defaultBackend/service/name"},
    {"APIService", "spec/service/name", false, "apiregistration.k8s.io"},
    {"ValidatingWebhookConfiguration", "webhooks/clientConfig/service", false, kAdmission},
    {"MutatingWebhookConfiguration", "webhooks/clientConfig/service", false, kAdmission},
};

constexpr Row kPriorityClassReferrers[] = {
    {"Pod", "spec/priorityClassName"},
    {"StatefulSet", "spec/template/spec/priorityClassName"},
    {"Deployment", "spec/template/spec/priorityClassName"},
    {"ReplicationController", "spec/template/spec/priorityClassName"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/priorityClassName"},
    {"Job", "spec/template/spec/priorityClassName"},
    {"DaemonSet", "spec/template/spec/priorityClassName"},
};

constexpr Row kPersistentVolumeReferrers[] = {
    {"PersistentVolumeClaim", "spec/volumeName"},
    {"ClusterRole", "rules/resourceNames"},
};

constexpr Row kPersistentVolumeClaimReferrers[] = {
    {"Pod", "spec/volumes/persistentVolumeClaim/claimName"},
    {"StatefulSet", "spec/template/spec/volumes/persistentVolumeClaim/claimName"},
    {"Deployment", "spec/template/spec/volumes/persistentVolumeClaim/claimName"},
    {"ReplicationController", "spec/template/spec/volumes/persistentVolumeClaim/claimName"},
    {"CronJob", "spec/jobTemplate/spec/template/spec/volumes/persistentVolumeClaim/claimName"},
    {"Job", "spec/template/spec/volumes/persistentVolumeClaim/claimName"},
    {"DaemonSet", "spec/template/spec/volumes/persistentVolumeClaim/claimName"},
};

constexpr Row kScaledReferrers[] = {
    {"HorizontalPodAutoscaler", "spec/scaleTargetRef/name"},
};

constexpr Row kValidatingAdmissionPolicyReferrers[] = {
    {"ValidatingAdmissionPolicyBinding", "spec/policyName", false, kAdmission},
};

constexpr Row kIngressClassReferrers[] = {
    {"Ingress", "spec/ingressClassName"},
};

constexpr Target kNameReference[] = {
    {"StorageClass", "storage.k8s.io", "v1", kStorageClassReferrers},
    {"ServiceAccount", {}, "v1", kServiceAccountReferrers},
    {"Role", kRbac, {}, kRoleReferrers},
    {"ClusterRole", kRbac, {}, kClusterRoleReferrers},
    {"ConfigMap", {}, "v1", kConfigMapReferrers},
    {"Secret", {}, "v1", kSecretReferrers},
    {"Service", {}, "v1", kServiceReferrers},
    {"PriorityClass", "scheduling.k8s.io", "v1", kPriorityClassReferrers},
    {"PersistentVolume", {}, "v1", kPersistentVolumeReferrers},
    {"PersistentVolumeClaim", {}, "v1", kPersistentVolumeClaimReferrers},
    {"Deployment", {}, {}, kScaledReferrers},
    {"StatefulSet", {}, {}, kScaledReferrers},
    {"ValidatingAdmissionPolicy", kAdmission, {}, kValidatingAdmissionPolicyReferrers},
    {"IngressClass", "networking.k8s.io/v1", "v1", kIngressClassReferrers}, // a slip of kustomize: IngressClass references never change
    {"ReplicaSet", {}, {}, kScaledReferrers},
    {"ReplicationController", {}, {}, kScaledReferrers},
};

// clang-format on

FieldSpecs made(std::span<const Row> rows) {
    FieldSpecs specs;
    specs.reserve(rows.size());
    for (const Row& r : rows)
        specs.push_back({.gvk = {std::string(r.group), std::string(r.version), std::string(r.kind)}, .path = std::string(r.path), .create = r.create});
    return specs;
}

std::vector<NameBackReference> name_references() {
    std::vector<NameBackReference> references;
    references.reserve(std::size(kNameReference));
    for (const Target& t : kNameReference)
        references.push_back({.gvk = {std::string(t.group), std::string(t.version), std::string(t.kind)}, .referrers = made(t.referrers)});
    return references;
}

} // namespace

const TransformerConfig& default_transformer_config() {
    static const TransformerConfig& config = *new TransformerConfig{
        .name_prefix = made(kNamePrefix),
        .name_suffix = made(kNamePrefix),
        .name_space = made(kNamespace),
        .common_labels = made(kCommonLabels),
        .labels = {},
        .template_labels = made(kTemplateLabels),
        .volume_claim_template_labels = made(kVolumeClaimTemplateLabels),
        .common_annotations = made(kCommonAnnotations),
        .name_reference = name_references(),
        .var_reference = made(kVarReference),
        .images = made(kImages),
        .replicas = made(kReplicas),
    };
    return config;
}

} // namespace weber::kustomize
