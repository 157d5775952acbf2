#include "kustomize/transform/field_specs.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace weber::kustomize {
namespace {

constexpr std::string_view kApps = "apps", kBatch = "batch", kRbac = "rbac.authorization.k8s.io",
                           kAdmission = "admissionregistration.k8s.io", kNetworking = "networking.k8s.io";

FieldSpec spec(std::string_view kind, std::string path, bool create = false, std::string_view group = {},
               std::string_view version = {}) {
    return {.gvk = {std::string(group), std::string(version), std::string(kind)}, .path = std::move(path), .create = create};
}

// One line of a table. These tables are made at the start of every command, and a list of FieldSpecs in braces would be copied.
struct Row {
    std::string_view kind, path;
    bool create = false;
    std::string_view group = {}, version = {};
};

FieldSpecs made(std::initializer_list<Row> rows) {
    FieldSpecs specs;
    specs.reserve(rows.size());
    for (const Row& r : rows) specs.push_back(spec(r.kind, std::string(r.path), r.create, r.group, r.version));
    return specs;
}

// Where the pod specs of a workload stand.
struct Workload {
    std::string_view kind;
    std::string_view pod_spec;
    std::string_view version = {};
};

std::string in_pod(const Workload& w, std::string_view rest) {
    std::string path(w.pod_spec);
    return path.append("/").append(rest);
}

constexpr Workload kPod{"Pod", "spec"};
constexpr Workload kPodV1{"Pod", "spec", "v1"};
constexpr Workload kPodTemplate{"PodTemplate", "template/spec"};
constexpr Workload kController{"ReplicationController", "spec/template/spec"};
constexpr Workload kDeployment{"Deployment", "spec/template/spec"};
constexpr Workload kReplicaSet{"ReplicaSet", "spec/template/spec"};
constexpr Workload kDaemonSet{"DaemonSet", "spec/template/spec"};
constexpr Workload kStatefulSet{"StatefulSet", "spec/template/spec"};
constexpr Workload kJob{"Job", "spec/template/spec"};
constexpr Workload kCronJob{"CronJob", "spec/jobTemplate/spec/template/spec"};

// ---- labels and annotations -------------------------------------------------------------------------------------

FieldSpecs template_labels() {
    return made({
        {"", "metadata/labels", true},
        {"ReplicationController", "spec/template/metadata/labels", true, "", "v1"},
        {"Deployment", "spec/template/metadata/labels", true},
        {"ReplicaSet", "spec/template/metadata/labels", true},
        {"DaemonSet", "spec/template/metadata/labels", true},
        {"StatefulSet", "spec/template/metadata/labels", true, kApps},
        {"Job", "spec/template/metadata/labels", true, kBatch},
        {"CronJob", "spec/jobTemplate/metadata/labels", true, kBatch},
        {"CronJob", "spec/jobTemplate/spec/template/metadata/labels", true, kBatch},
    });
}

FieldSpecs volume_claim_template_labels() {
    return made({{"StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true, kApps}});
}

FieldSpecs common_labels() {
    FieldSpecs specs = made({
        {"Service", "spec/selector", true, "", "v1"},
        {"ReplicationController", "spec/selector", true, "", "v1"},
        {"Deployment", "spec/selector/matchLabels", true},
        {"ReplicaSet", "spec/selector/matchLabels", true},
        {"DaemonSet", "spec/selector/matchLabels", true},
        {"StatefulSet", "spec/selector/matchLabels", true, kApps},
        {"Job", "spec/selector/matchLabels", false, kBatch},
        {"CronJob", "spec/jobTemplate/spec/selector/matchLabels", false, kBatch},
        {"PodDisruptionBudget", "spec/selector/matchLabels", false, "policy"},
        {"NetworkPolicy", "spec/podSelector/matchLabels", false, kNetworking},
        {"NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false, kNetworking},
        {"NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false, kNetworking},
    });
    for (const Workload& w : {kDeployment, kStatefulSet}) {
        for (const std::string_view affinity : {"podAffinity", "podAntiAffinity"}) {
            const std::string base = in_pod(w, "affinity/") + std::string(affinity);
            specs.push_back(spec(w.kind, base + "/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
                                 false, kApps));
            specs.push_back(spec(w.kind, base + "/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels", false, kApps));
        }
        specs.push_back(spec(w.kind, in_pod(w, "topologySpreadConstraints/labelSelector/matchLabels"), false, kApps));
    }
    std::ranges::move(template_labels(), std::back_inserter(specs));
    std::ranges::move(volume_claim_template_labels(), std::back_inserter(specs));
    return specs;
}

FieldSpecs common_annotations() {
    return made({
        {"", "metadata/annotations", true},
        {"ReplicationController", "spec/template/metadata/annotations", true, "", "v1"},
        {"Deployment", "spec/template/metadata/annotations", true},
        {"ReplicaSet", "spec/template/metadata/annotations", true},
        {"DaemonSet", "spec/template/metadata/annotations", true},
        {"StatefulSet", "spec/template/metadata/annotations", true},
        {"Job", "spec/template/metadata/annotations", true, kBatch},
        {"CronJob", "spec/jobTemplate/metadata/annotations", true, kBatch},
        {"CronJob", "spec/jobTemplate/spec/template/metadata/annotations", true, kBatch},
    });
}

// ---- namespace, images, replicas, vars --------------------------------------------------------------------------

FieldSpecs namespace_specs() {
    return made({
        {"Namespace", "metadata/name", true},
        {"APIService", "spec/service/namespace", true, "apiregistration.k8s.io"},
        {"CustomResourceDefinition", "spec/conversion/webhook/clientConfig/service/namespace", false, "apiextensions.k8s.io"},
    });
}

FieldSpecs image_specs() {
    FieldSpecs specs;
    for (const std::string pod_spec : {"spec/", "spec/template/spec/"})
        for (const std::string_view rest : {"containers[]/image", "initContainers[]/image", "volumes[]/image/reference"})
            specs.push_back(spec("", pod_spec + std::string(rest), true));
    return specs;
}

FieldSpecs replica_specs() {
    FieldSpecs specs;
    for (const std::string_view kind : {"Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"})
        specs.push_back(spec(kind, "spec/replicas", true));
    return specs;
}

FieldSpecs var_specs() {
    FieldSpecs specs;
    for (const Workload& w : {kCronJob, kDaemonSet, kDeployment, kJob, kPod, kReplicaSet, kStatefulSet}) {
        for (const std::string containers : {"containers", "initContainers"})
            for (const std::string_view field : {"/args", "/command", "/env/value", "/volumeMounts/mountPath"})
                specs.push_back(spec(w.kind, in_pod(w, containers + std::string(field))));
        // kustomize's own table has these two paths wrong; output depends on it.
        if (w.kind == "CronJob") specs.push_back(spec(w.kind, "spec/jobTemplate/spec/template/volumes/nfs/server"));
        else if (w.kind == "StatefulSet") specs.push_back(spec(w.kind, "spec/volumeClaimTemplates/spec/nfs/server"));
        else specs.push_back(spec(w.kind, in_pod(w, "volumes/nfs/server")));
    }
    for (const auto& [kind, path] : std::initializer_list<std::pair<std::string_view, const char*>>{
             {"Deployment", "spec/template/metadata/annotations"},
             {"Ingress", "spec/rules/host"},
             {"Ingress", "spec/tls/hosts"},
             {"Ingress", "spec/tls/secretName"},
             {"Service", "spec/ports/port"},
             {"Service", "spec/ports/targetPort"},
             {"PersistentVolume", "spec/nfs/server"},
             {"", "metadata/labels"},
             {"", "metadata/annotations"}})
        specs.push_back(spec(kind, path));
    return specs;
}

// ---- name references --------------------------------------------------------------------------------------------

constexpr Workload kConfigUsers[] = {kPodV1, kPodTemplate, kDeployment, kReplicaSet, kDaemonSet, kStatefulSet, kJob, kCronJob};
constexpr Workload kPodUsers[] = {kPod, kStatefulSet, kDeployment, kController, kCronJob, kJob, kDaemonSet};

NameBackReference referred(std::string_view kind, std::string_view version, std::string_view group, FieldSpecs referrers) {
    return {.gvk = {std::string(group), std::string(version), std::string(kind)}, .referrers = std::move(referrers)};
}

FieldSpecs in_pods(std::span<const Workload> workloads, std::initializer_list<std::string_view> paths) {
    FieldSpecs specs;
    for (const Workload& w : workloads)
        for (const std::string_view path : paths) specs.push_back(spec(w.kind, in_pod(w, path), false, "", w.version));
    return specs;
}

FieldSpecs config_map_referrers() {
    FieldSpecs specs = in_pods(kConfigUsers, {"volumes/configMap/name", "containers/env/valueFrom/configMapKeyRef/name",
                                              "initContainers/env/valueFrom/configMapKeyRef/name", "containers/envFrom/configMapRef/name",
                                              "initContainers/envFrom/configMapRef/name", "volumes/projected/sources/configMap/name"});
    specs.push_back(spec("Node", "spec/configSource/configMap"));
    specs.push_back(spec("Role", "rules/resourceNames"));
    specs.push_back(spec("ClusterRole", "rules/resourceNames"));
    specs.push_back(spec("Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap"));
    return specs;
}

FieldSpecs secret_referrers() {
    FieldSpecs specs = in_pods(kConfigUsers, {"volumes/secret/secretName", "containers/env/valueFrom/secretKeyRef/name",
                                              "initContainers/env/valueFrom/secretKeyRef/name", "containers/envFrom/secretRef/name",
                                              "initContainers/envFrom/secretRef/name", "imagePullSecrets/name",
                                              "volumes/projected/sources/secret/name"});
    for (const auto& [kind, path] : std::initializer_list<std::pair<std::string_view, const char*>>{
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
             {"ClusterRole", "rules/resourceNames"}})
        specs.push_back(spec(kind, path));
    specs.push_back(spec("Service", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false, "serving.knative.dev", "v1"));
    specs.push_back(spec("PersistentVolume", "spec/azureFile/secretName"));
    return specs;
}

FieldSpecs service_referrers() {
    return made({{"StatefulSet", "spec/serviceName", false, kApps},
                 {"Ingress", "spec/rules/http/paths/backend/serviceName"},
                 {"Ingress", "spec/backend/serviceName"},
                 {"Ingress", "spec/rules/http/paths/backend/service/name"},
                 {"Ingress", "spec/defaultBackend/service/name"},
                 {"APIService", "spec/service/name", false, "apiregistration.k8s.io"},
                 {"ValidatingWebhookConfiguration", "webhooks/clientConfig/service", false, kAdmission},
                 {"MutatingWebhookConfiguration", "webhooks/clientConfig/service", false, kAdmission}});
}

FieldSpecs service_account_referrers() {
    FieldSpecs specs = made({{"RoleBinding", "subjects", false, kRbac}, {"ClusterRoleBinding", "subjects", false, kRbac}});
    std::ranges::move(in_pods(kPodUsers, {"serviceAccountName"}), std::back_inserter(specs));
    return specs;
}

std::vector<NameBackReference> name_references() {
    std::vector<NameBackReference> refs;
    for (const std::string_view kind : {"Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"})
        refs.push_back(referred(kind, "", "", made({{"HorizontalPodAutoscaler", "spec/scaleTargetRef/name"}})));
    refs.push_back(referred("ConfigMap", "v1", "", config_map_referrers()));
    refs.push_back(referred("Secret", "v1", "", secret_referrers()));
    refs.push_back(referred("Service", "v1", "", service_referrers()));
    refs.push_back(referred("Role", "", kRbac, made({{"RoleBinding", "roleRef/name", false, kRbac}})));
    refs.push_back(referred("ClusterRole", "", kRbac,
                            made({{"RoleBinding", "roleRef/name", false, kRbac}, {"ClusterRoleBinding", "roleRef/name", false, kRbac}})));
    refs.push_back(referred("ServiceAccount", "v1", "", service_account_referrers()));
    refs.push_back(referred("PersistentVolumeClaim", "v1", "", in_pods(kPodUsers, {"volumes/persistentVolumeClaim/claimName"})));
    refs.push_back(referred("PersistentVolume", "v1", "",
                            made({{"PersistentVolumeClaim", "spec/volumeName"}, {"ClusterRole", "rules/resourceNames"}})));
    refs.push_back(referred("StorageClass", "v1", "storage.k8s.io",
                            made({{"PersistentVolume", "spec/storageClassName"}, {"PersistentVolumeClaim", "spec/storageClassName"},
                                  {"StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"}})));
    refs.push_back(referred("PriorityClass", "v1", "scheduling.k8s.io", in_pods(kPodUsers, {"priorityClassName"})));
    // The group is a slip of kustomize's table, and the reason why IngressClass references never change.
    refs.push_back(referred("IngressClass", "v1", "networking.k8s.io/v1", made({{"Ingress", "spec/ingressClassName"}})));
    refs.push_back(referred("ValidatingAdmissionPolicy", "", kAdmission,
                            made({{"ValidatingAdmissionPolicyBinding", "spec/policyName", false, kAdmission}})));
    return refs;
}

// ---- merging ----------------------------------------------------------------------------------------------------

// Stable. Keys are made once each, not for each comparison: this runs at the start of every command.
template <class Item>
void sort_by_gvk(std::vector<Item>& items) {
    std::vector<std::pair<GvkOrderKey, std::size_t>> order; // the index makes keys unique, and so the sort stable
    order.reserve(items.size());
    for (const Item& item : items) order.emplace_back(gvk_order_key(item.gvk), order.size());
    if (std::ranges::is_sorted(order)) return;
    std::ranges::sort(order);
    std::vector<Item> sorted;
    sorted.reserve(items.size());
    for (const auto& [key, index] : order) sorted.push_back(std::move(items[index]));
    items = std::move(sorted);
}

void sort_config(TransformerConfig& c) {
    for (FieldSpecs* specs : {&c.name_prefix, &c.name_suffix, &c.name_space, &c.common_labels, &c.labels, &c.template_labels,
                              &c.volume_claim_template_labels, &c.common_annotations, &c.var_reference, &c.images, &c.replicas})
        sort_by_gvk(*specs);
    sort_by_gvk(c.name_reference);
}

Result<void> merge_references(std::vector<NameBackReference>& refs, const std::vector<NameBackReference>& more) {
    for (const NameBackReference& add : more) {
        bool found = false;
        for (NameBackReference& ref : refs) {
            if (!(ref.gvk == add.gvk)) continue;
            found = true;
            TRY_VOID(merge_field_specs(ref.referrers, add.referrers));
        }
        if (!found) refs.push_back(add);
    }
    return {};
}

// ---- crds -------------------------------------------------------------------------------------------------------

constexpr std::size_t kMaxCrdDepth = 64; // a schema may refer to itself

struct CrdReader {
    const Node& definitions;
    TransformerConfig& config;

    // The schema of a definition: as it stands, or wrapped in {Schema: …} as Kubernetes' generators write it.
    [[nodiscard]] const Node* schema_of(std::string_view type) const {
        const Node* definition = definitions.find(type);
        if (definition == nullptr) return nullptr;
        for (const std::string_view wrapper : {"Schema", "schema"})
            if (const Node* schema = definition->find(wrapper); schema != nullptr) return schema;
        return definition;
    }

    Result<void> read_fields(const GvkPattern& gvk, std::string_view type, const std::string& path, std::size_t depth) {
        const Node* schema = schema_of(type);
        const Node* properties = schema != nullptr ? schema->find("properties") : nullptr;
        if (properties == nullptr || depth > kMaxCrdDepth) return {};
        for (const Node::Entry& e : properties->entries()) {
            const std::string field = path.empty() ? e.key.str() : path + "/" + e.key.str();
            const auto add = [&](FieldSpecs& specs, const std::string& where) {
                return merge_field_specs(specs, {FieldSpec{.gvk = gvk, .path = where, .create = false}});
            };
            if (is_text(e.value, "x-kubernetes-annotation")) TRY_VOID(add(config.common_annotations, field));
            if (is_text(e.value, "x-kubernetes-label-selector")) TRY_VOID(add(config.common_labels, field));
            if (is_text(e.value, "x-kubernetes-identity")) TRY_VOID(add(config.name_prefix, field));
            if (is_text(e.value, "x-kubernetes-object-ref-api-version") && is_text(e.value, "x-kubernetes-object-ref-kind")) {
                const bool named = is_text(e.value, "x-kubernetes-object-ref-name-key");
                const std::string key(named ? e.value.text_at("x-kubernetes-object-ref-name-key") : "name");
                const GvkPattern target{.group = {},
                                        .version = std::string(e.value.text_at("x-kubernetes-object-ref-api-version")),
                                        .kind = std::string(e.value.text_at("x-kubernetes-object-ref-kind"))};
                TRY_VOID(merge_references(config.name_reference,
                                          {{.gvk = target, .referrers = {FieldSpec{.gvk = gvk, .path = field + "/" + key, .create = false}}}}));
            }
            if (const std::string_view ref = e.value.text_at("$ref"); !ref.empty()) TRY_VOID(read_fields(gvk, ref, field, depth + 1));
        }
        return {};
    }

    static bool is_text(const Node& property, std::string_view extension) {
        const Node* value = property.find(extension);
        return value != nullptr && value->is_string();
    }
};

} // namespace

const TransformerConfig& default_transformer_config() {
    static const TransformerConfig& config = *[] {
        auto* const made = new TransformerConfig;
        TransformerConfig& c = *made;
        c.name_prefix = {spec("", "metadata/name")};
        c.name_suffix = {spec("", "metadata/name")};
        c.name_space = namespace_specs();
        c.common_labels = common_labels();
        c.template_labels = template_labels();
        c.volume_claim_template_labels = volume_claim_template_labels();
        c.common_annotations = common_annotations();
        c.name_reference = name_references();
        c.var_reference = var_specs();
        c.images = image_specs();
        c.replicas = replica_specs();
        sort_config(c);
        return made;
    }();
    return config;
}

Result<void> merge_field_specs(FieldSpecs& specs, const FieldSpecs& more) {
    for (const FieldSpec& add : more) {
        const auto same = [&](const FieldSpec& have) { return have.path == add.path && add.gvk.selects(have.gvk); };
        const auto found = std::ranges::find_if(specs, same);
        if (found == specs.end()) specs.push_back(add);
        else if (found->create != add.create) return fail(ErrorCode::invalid, "conflicting fieldspecs");
    }
    return {};
}

Result<TransformerConfig> merge_configs(const TransformerConfig& a, const TransformerConfig& b) {
    static constexpr std::pair<FieldSpecs TransformerConfig::*, std::string_view> kFields[] = {
        {&TransformerConfig::name_prefix, "NamePrefix"},
        {&TransformerConfig::name_suffix, "NameSuffix"},
        {&TransformerConfig::name_space, "NameSpace"},
        {&TransformerConfig::common_annotations, "CommonAnnotations"},
        {&TransformerConfig::common_labels, "CommonLabels"},
        {&TransformerConfig::labels, "Labels"},
        {&TransformerConfig::template_labels, "TemplateLabels"},
        {&TransformerConfig::volume_claim_template_labels, "VolumeClaimTemplateLabels"},
        {&TransformerConfig::var_reference, "VarReference"},
        {&TransformerConfig::images, "Images"},
        {&TransformerConfig::replicas, "Replicas"},
    };
    TransformerConfig merged = a;
    for (const auto& [field, name] : kFields) {
        if (auto done = merge_field_specs(merged.*field, b.*field); !done)
            return fail(std::move(done).error().with_prefix("failed to merge " + std::string(name) + " fieldSpec: "));
    }
    if (auto done = merge_references(merged.name_reference, b.name_reference); !done)
        return fail(std::move(done).error().with_prefix("failed to merge NameReference fieldSpec: "));
    sort_config(merged);
    return merged;
}

Result<TransformerConfig> config_from_crd(const Node& definitions) {
    TransformerConfig config;
    if (!definitions.is_map()) return fail(ErrorCode::invalid, "expected a map of OpenAPI definitions", definitions.where());
    CrdReader reader{definitions, config};
    for (const Node::Entry& e : definitions.entries()) {
        if (!e.value.is_map() && !e.value.is_null()) {
            return fail(Error{.code = ErrorCode::invalid, .message = e.key.str() + ": expected an OpenAPI definition, found " + std::string(e.value.kind_word()), .where = e.value.where(),
                              .hint = "`crds` takes OpenAPI definitions by type name; a CustomResourceDefinition belongs under `resources`"});
        }
        const Node* schema = reader.schema_of(e.key);
        const Node* properties = schema != nullptr ? schema->find("properties") : nullptr;
        if (properties == nullptr || !properties->contains("kind") || !properties->contains("apiVersion") || !properties->contains("metadata"))
            continue;
        const std::string_view type = e.key;
        const GvkPattern gvk{.group = {}, .version = {}, .kind = std::string(type.substr(type.rfind('.') + 1))};
        TRY_VOID(reader.read_fields(gvk, type, "", 0));
    }
    sort_config(config);
    return config;
}

} // namespace weber::kustomize
