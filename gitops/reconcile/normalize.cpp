#include "gitops/reconcile/normalize.h"

#include <unordered_map>
#include <vector>

#include "gitops/api/names.h"
#include "kube/base/ascii.h"
#include "kube/base/digest.h"
#include "kube/base/schema.h"

namespace weber::gitops {

namespace {

using kube::TypeKind;
using kube::TypeSchema;

// Fields that are plain structs in Go: its encoder writes them although they are empty and marked omitempty. They decide what is owned afterwards; a Job
// that Flux applied could not be applied again without `template.metadata: {}`. From k8s.io/api 0.36.2, fields of a Go struct type without omitzero, of the
// served versions that are neither alpha nor beta, without times and without what only a status holds.
enum class Zero : std::uint8_t { object, port, quantity };
struct PlainField {
    std::string_view type, name;
    Zero zero = Zero::object;
};
constexpr PlainField kPlainFields[] = {
    {"admissionregistration.v1.MutatingAdmissionPolicy", "spec"}, {"admissionregistration.v1.MutatingAdmissionPolicyBinding", "spec"},
    {"admissionregistration.v1.MutatingWebhook", "clientConfig"}, {"admissionregistration.v1.ValidatingAdmissionPolicy", "spec"},
    {"admissionregistration.v1.ValidatingAdmissionPolicyBinding", "spec"}, {"admissionregistration.v1.ValidatingWebhook", "clientConfig"},
    {"apps.v1.DaemonSet", "spec"}, {"apps.v1.DaemonSetSpec", "template"}, {"apps.v1.DaemonSetSpec", "updateStrategy"}, {"apps.v1.Deployment", "spec"},
    {"apps.v1.DeploymentSpec", "strategy"}, {"apps.v1.DeploymentSpec", "template"}, {"apps.v1.ReplicaSet", "spec"}, {"apps.v1.ReplicaSetSpec", "template"},
    {"apps.v1.StatefulSet", "spec"}, {"apps.v1.StatefulSetSpec", "template"}, {"apps.v1.StatefulSetSpec", "updateStrategy"},
    {"autoscaling.v1.HorizontalPodAutoscaler", "spec"}, {"autoscaling.v1.HorizontalPodAutoscalerSpec", "scaleTargetRef"}, {"autoscaling.v1.Scale", "spec"},
    {"autoscaling.v2.ContainerResourceMetricSource", "target"}, {"autoscaling.v2.ExternalMetricSource", "metric"},
    {"autoscaling.v2.ExternalMetricSource", "target"}, {"autoscaling.v2.HorizontalPodAutoscaler", "spec"},
    {"autoscaling.v2.HorizontalPodAutoscalerSpec", "scaleTargetRef"}, {"autoscaling.v2.ObjectMetricSource", "describedObject"},
    {"autoscaling.v2.ObjectMetricSource", "metric"}, {"autoscaling.v2.ObjectMetricSource", "target"}, {"autoscaling.v2.PodsMetricSource", "metric"},
    {"autoscaling.v2.PodsMetricSource", "target"}, {"autoscaling.v2.ResourceMetricSource", "target"}, {"batch.v1.CronJob", "spec"},
    {"batch.v1.CronJobSpec", "jobTemplate"}, {"batch.v1.Job", "spec"}, {"batch.v1.JobSpec", "template"}, {"batch.v1.JobTemplateSpec", "metadata"},
    {"batch.v1.JobTemplateSpec", "spec"}, {"certificates.v1.CertificateSigningRequest", "spec"}, {"coordination.v1.Lease", "spec"},
    {"core.v1.Binding", "target"}, {"core.v1.Container", "resources"}, {"core.v1.EphemeralContainer", "resources"},
    {"core.v1.HTTPGetAction", "port", Zero::port}, {"core.v1.LimitRange", "spec"}, {"core.v1.Namespace", "spec"}, {"core.v1.Node", "spec"},
    {"core.v1.PersistentVolume", "spec"}, {"core.v1.PersistentVolumeClaim", "metadata"}, {"core.v1.PersistentVolumeClaim", "spec"},
    {"core.v1.PersistentVolumeClaim", "status"}, {"core.v1.PersistentVolumeClaimSpec", "resources"}, {"core.v1.PersistentVolumeClaimTemplate", "metadata"},
    {"core.v1.PersistentVolumeClaimTemplate", "spec"}, {"core.v1.Pod", "spec"}, {"core.v1.PodTemplate", "template"}, {"core.v1.PodTemplateSpec", "metadata"},
    {"core.v1.PodTemplateSpec", "spec"}, {"core.v1.PreferredSchedulingTerm", "preference"}, {"core.v1.ReplicationController", "spec"},
    {"core.v1.ResourceFieldSelector", "divisor", Zero::quantity}, {"core.v1.ResourceQuota", "spec"}, {"core.v1.Service", "spec"},
    {"core.v1.ServicePort", "targetPort", Zero::port}, {"core.v1.TCPSocketAction", "port", Zero::port},
    {"core.v1.WeightedPodAffinityTerm", "podAffinityTerm"}, {"discovery.v1.Endpoint", "conditions"}, {"flowcontrol.v1.FlowSchema", "spec"},
    {"flowcontrol.v1.FlowSchemaSpec", "priorityLevelConfiguration"}, {"flowcontrol.v1.LimitedPriorityLevelConfiguration", "limitResponse"},
    {"flowcontrol.v1.PriorityLevelConfiguration", "spec"}, {"networking.v1.HTTPIngressPath", "backend"}, {"networking.v1.IPAddress", "spec"},
    {"networking.v1.Ingress", "spec"}, {"networking.v1.IngressClass", "spec"}, {"networking.v1.IngressServiceBackend", "port"},
    {"networking.v1.NetworkPolicy", "spec"}, {"networking.v1.NetworkPolicySpec", "podSelector"}, {"networking.v1.ServiceCIDR", "spec"},
    {"policy.v1.PodDisruptionBudget", "spec"}, {"rbac.v1.ClusterRoleBinding", "roleRef"}, {"rbac.v1.RoleBinding", "roleRef"},
    {"resource.v1.AllocationResult", "devices"}, {"resource.v1.Counter", "value", Zero::quantity}, {"resource.v1.DeviceCapacity", "value", Zero::quantity},
    {"resource.v1.DeviceClass", "spec"}, {"resource.v1.ResourceClaim", "spec"}, {"resource.v1.ResourceClaimSpec", "devices"},
    {"resource.v1.ResourceClaimTemplate", "spec"}, {"resource.v1.ResourceClaimTemplateSpec", "metadata"}, {"resource.v1.ResourceClaimTemplateSpec", "spec"},
    {"resource.v1.ResourceSlice", "spec"}, {"resource.v1.ResourceSliceSpec", "pool"}, {"storage.v1.CSIDriver", "spec"}, {"storage.v1.CSINode", "spec"},
    {"storage.v1.VolumeAttachment", "spec"}, {"storage.v1.VolumeAttachmentSpec", "source"},
};

using PlainFields = std::unordered_map<const TypeSchema*, std::vector<const PlainField*>>;
const PlainFields& plain_fields() {
    static const PlainFields fields = [] {
        PlainFields out;
        for (const PlainField& f : kPlainFields)
            if (const TypeSchema* type = kube::find_builtin_definition(f.type)) out[type].push_back(&f);
        return out;
    }();
    return fields;
}

void add_plain_fields(Node& node, const TypeSchema& schema) {
    const auto found = plain_fields().find(&schema);
    if (found == plain_fields().end()) return;
    for (const PlainField* f : found->second) {
        if (node.find(f->name) != nullptr) continue;
        const kube::FieldSchema* field = schema.field(f->name);
        if (field == nullptr) continue;
        Node value = f->zero == Zero::object ? Node::map() : f->zero == Zero::port ? Node::integer(0) : Node::string("0");
        if (f->zero == Zero::object) add_plain_fields(value, *field->type);
        node.set(std::string(f->name), std::move(value));
    }
}

// Drops what an encoder with omitempty would not write, and adds what it writes nevertheless. Atomic and unknown parts are left alone.
void as_encoded(Node& node, const TypeSchema& schema) {
    if (node.is_map() && schema.kind == TypeKind::object && !schema.preserve_unknown) {
        std::vector<std::string> gone;
        for (auto& [key, value] : node.entries_mut()) {
            const kube::FieldSchema* field = schema.field(key);
            if (field == nullptr) continue;
            as_encoded(value, *field->type);
            const bool collection = field->type->kind == TypeKind::map || field->type->kind == TypeKind::list;
            if (value.is_null() || (collection && value.empty() && (value.is_map() || value.is_list()) && !field->required)) gone.push_back(key.str());
        }
        for (const std::string& key : gone) node.erase(key);
        add_plain_fields(node, schema);
    } else if (node.is_map() && schema.kind == TypeKind::map && schema.element != nullptr) {
        for (auto& [key, value] : node.entries_mut()) {
            if (value.is_null() && schema.element->kind == TypeKind::string) value = Node::string("");
            else as_encoded(value, *schema.element);
        }
    } else if (node.is_list() && schema.element != nullptr) {
        for (Node& item : node.items_mut()) as_encoded(item, *schema.element);
    }
}

void default_protocol(Node* ports) {
    if (ports == nullptr) return;
    for (Node& port : ports->items_mut())
        if (port.is_map() && port.text_at("protocol").empty()) port.set("protocol", Node::string("TCP"));
}

Node* walk(Node& root, std::initializer_list<std::string_view> path) {
    Node* at = &root;
    for (std::string_view key : path)
        if (at = at->find_mut(key); at == nullptr) return nullptr;
    return at;
}

Node* pod_spec(Node& root, std::string_view kind) {
    if (kind == "Pod") return walk(root, {"spec"});
    if (kind == "CronJob") return walk(root, {"spec", "jobTemplate", "spec", "template", "spec"});
    for (std::string_view k : {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})
        if (kind == k) return walk(root, {"spec", "template", "spec"});
    return nullptr;
}

void default_ports(Node& root, std::string_view kind) {
    if (kind == "Service") return default_protocol(walk(root, {"spec", "ports"}));
    Node* spec = pod_spec(root, kind);
    Node* containers = spec != nullptr ? spec->find_mut("containers") : nullptr;
    if (containers == nullptr) return;
    for (Node& container : containers->items_mut()) default_protocol(container.find_mut("ports"));
}

void move_string_data(Node& root) {
    const Node* plain = root.find("stringData");
    if (plain == nullptr) return;
    const Node values = *plain;
    for (const auto& [key, value] : values.entries())
        if (!value.is_string()) return; // the server reports it
    for (const auto& [key, value] : values.entries()) root.get_or_insert("data").set(key, Node::string(kube::base64_encode(value.text())));
    root.erase("stringData");
}

} // namespace

Object normalized(const Object& object) {
    const std::string group(object.group()), kind(object.kind());
    if (group == "rbac.authorization.k8s.io" && (kind == "Role" || kind == "ClusterRole")) return object;
    Object out = object;
    if (const TypeSchema* schema = kube::find_builtin_type(group, object.version(), kind)) {
        as_encoded(out.root(), *schema);
        default_ports(out.root(), kind);
        if (group.empty() && kind == "Secret") move_string_data(out.root());
        if (kube::same_but_case(object.annotation(kDecryptKey), "disabled")) out.root().erase("sops"); // the type has no such field
    }
    if (Node* metadata = out.root().find_mut("metadata")) metadata->erase("creationTimestamp");
    if (!(group == "apiextensions.k8s.io" && kind == "CustomResourceDefinition")) out.root().erase("status");
    return out;
}

} // namespace weber::gitops
