#include <string>

#include "kube/base/ascii.h"
#include "kube/server/default_rules.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";

void load_balancer_ingress(Node& n) {
    if (!n.text_at("ip").empty()) default_text(n, "ipMode", "VIP");
}

void service(Node& n) {
    Node& spec = default_map(n, "spec");
    if (Node* status = n.find_mut("status"); status && spec.text_at("type") == "LoadBalancer")
        if (Node* balancer = status->find_mut("loadBalancer"))
            if (Node* ingress = balancer->find_mut("ingress"); ingress && ingress->is_list())
                for (Node& i : ingress->items_mut()) load_balancer_ingress(i);
    default_text(spec, "sessionAffinity", "None");
    if (spec.text_at("sessionAffinity") == "None") spec.erase("sessionAffinityConfig");
    if (spec.text_at("sessionAffinity") == "ClientIP" && !spec.find_path({"sessionAffinityConfig", "clientIP", "timeoutSeconds"}))
        spec.set("sessionAffinityConfig", Node::map({{"clientIP", Node::map({{"timeoutSeconds", Node::integer(10800)}})}}));
    default_text(spec, "type", "ClusterIP");
    if (Node* ports = spec.find_mut("ports"); ports && ports->is_list())
        for (Node& p : ports->items_mut()) {
            if (!p.is_map()) continue;
            default_text(p, "protocol", "TCP");
            const Node* target = p.find("targetPort");
            if (!target || target->is_null() || target->as_int() == 0 || (target->is_string() && target->text().empty()))
                if (const Node* port = p.find("port")) p.set("targetPort", *port);
        }
    const std::string type(spec.text_at("type"));
    const Node* external_ips = spec.find("externalIPs");
    const bool reachable = type == "NodePort" || type == "LoadBalancer" || (type == "ClusterIP" && external_ips && !external_ips->empty());
    if (reachable) default_text(spec, "externalTrafficPolicy", "Cluster");
    if (type != "ExternalName" && (type == "NodePort" || type == "LoadBalancer" || type == "ClusterIP"))
        default_text(spec, "internalTrafficPolicy", "Cluster");
    if (type == "LoadBalancer") default_bool(spec, "allocateLoadBalancerNodePorts", true);
}

void limit_range_item(Node& n) {
    if (n.text_at("type") != "Container") return;
    const auto copy = [&](std::string_view key) { return n.find(key) ? *n.find(key) : Node::map(); };
    const Node most = copy("max"), least = copy("min");
    Node limits = copy("default"), requests = copy("defaultRequest");
    default_entries(limits, most);
    default_entries(requests, limits);
    default_entries(requests, least);
    n.set("default", std::move(limits));
    n.set("defaultRequest", std::move(requests));
}

void role_ref(Node& n) {
    if (Node* ref = n.find_mut("roleRef"); ref && ref->is_map()) default_text(*ref, "apiGroup", kRbacGroup);
}

void subject(Node& n) {
    if (n.text_at("kind") == "User" || n.text_at("kind") == "Group") default_text(n, "apiGroup", kRbacGroup);
}

void webhook(Node& n) {
    default_text(n, "failurePolicy", "Fail");
    default_text(n, "matchPolicy", "Equivalent");
    default_map(n, "namespaceSelector");
    default_map(n, "objectSelector");
    default_int(n, "timeoutSeconds", 10);
}

void match_resources(Node& n) {
    default_text(n, "matchPolicy", "Equivalent");
    default_map(n, "namespaceSelector");
    default_map(n, "objectSelector");
}

void csi_driver(Node& n) {
    Node& spec = default_map(n, "spec");
    default_bool(spec, "attachRequired", true);
    for (const auto field : {"podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"}) default_bool(spec, field, false);
    default_text(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
    const Node* modes = spec.find("volumeLifecycleModes");
    if (!modes || modes->empty()) spec.set("volumeLifecycleModes", Node::list({Node::string("Persistent")}));
}

void network_policy(Node& n) {
    Node& spec = default_map(n, "spec");
    const Node* types = spec.find("policyTypes");
    if (types && !types->empty()) return;
    const Node* egress = spec.find("egress");
    Node list = Node::list({Node::string("Ingress")});
    if (egress && !egress->empty()) list.push_back(Node::string("Egress"));
    spec.set("policyTypes", std::move(list));
}

void definition(Node& n) {
    Node& spec = default_map(n, "spec");
    Node& names = default_map(spec, "names");
    const std::string kind(names.text_at("kind"));
    default_text(names, "singular", ascii_lower(kind));
    if (!kind.empty()) default_text(names, "listKind", kind + "List");
    if (!has(spec, "conversion")) spec.set("conversion", Node::map({{"strategy", Node::string("None")}}));
}

void device_request(Node& n) {
    default_text(n, "allocationMode", "ExactCount");
    if (n.text_at("allocationMode") == "ExactCount") default_nonzero(n, "count", 1);
}

} // namespace

void add_other_defaults(DefaultRules& rules) {
    rules["core.v1.Service"] = service;
    rules["resource.v1.ExactDeviceRequest"] = device_request;
    rules["resource.v1.DeviceSubRequest"] = device_request;
    rules["core.v1.Secret"] = [](Node& n) { default_text(n, "type", "Opaque"); };
    rules["core.v1.PersistentVolume"] = [](Node& n) {
        Node& spec = default_map(n, "spec");
        default_text(spec, "persistentVolumeReclaimPolicy", "Retain");
        default_text(spec, "volumeMode", "Filesystem");
    };
    rules["core.v1.PersistentVolumeClaimSpec"] = [](Node& n) { default_text(n, "volumeMode", "Filesystem"); };
    // A claim inside a StatefulSet or an ephemeral volume has a status too.
    rules["core.v1.PersistentVolumeClaim"] = [](Node& n) { default_text(default_map(n, "status"), "phase", "Pending"); };
    rules["core.v1.EndpointPort"] = [](Node& n) { default_text(n, "protocol", "TCP"); };
    rules["core.v1.LimitRangeItem"] = limit_range_item;
    rules["discovery.v1.EndpointPort"] = [](Node& n) {
        if (!has(n, "name")) n.set("name", Node::string(""));
        default_text(n, "protocol", "TCP");
    };
    rules["rbac.v1.RoleBinding"] = role_ref;
    rules["rbac.v1.ClusterRoleBinding"] = role_ref;
    rules["rbac.v1.Subject"] = subject;
    rules["storage.v1.StorageClass"] = [](Node& n) {
        default_text(n, "reclaimPolicy", "Delete");
        default_text(n, "volumeBindingMode", "Immediate");
    };
    rules["storage.v1.CSIDriver"] = csi_driver;
    rules["scheduling.v1.PriorityClass"] = [](Node& n) { default_text(n, "preemptionPolicy", "PreemptLowerPriority"); };
    rules["admissionregistration.v1.ValidatingWebhook"] = webhook;
    rules["admissionregistration.v1.MutatingWebhook"] = [](Node& n) {
        webhook(n);
        default_text(n, "reinvocationPolicy", "Never");
    };
    rules["admissionregistration.v1.RuleWithOperations"] = [](Node& n) { default_text(n, "scope", "*"); };
    rules["admissionregistration.v1.NamedRuleWithOperations"] = [](Node& n) { default_text(n, "scope", "*"); };
    rules["admissionregistration.v1.MatchResources"] = match_resources;
    rules["admissionregistration.v1.ValidatingAdmissionPolicySpec"] = [](Node& n) { default_text(n, "failurePolicy", "Fail"); };
    rules["admissionregistration.v1.MutatingAdmissionPolicySpec"] = [](Node& n) { default_text(n, "failurePolicy", "Fail"); };
    const auto port_443 = [](Node& n) { default_int(n, "port", 443); };
    rules["admissionregistration.v1.ServiceReference"] = port_443;
    rules["apiextensions.v1.ServiceReference"] = port_443;
    rules["apiregistration.v1.ServiceReference"] = port_443;
    rules["apiextensions.v1.CustomResourceDefinition"] = definition;
    rules["networking.v1.NetworkPolicyPort"] = [](Node& n) { default_text(n, "protocol", "TCP"); };
    rules["networking.v1.NetworkPolicy"] = network_policy;
    rules["networking.v1.IngressClassParametersReference"] = [](Node& n) { default_text(n, "scope", "Cluster"); };
    rules["flowcontrol.v1.FlowSchemaSpec"] = [](Node& n) { default_nonzero(n, "matchingPrecedence", 1000); };
    rules["flowcontrol.v1.LimitedPriorityLevelConfiguration"] = [](Node& n) {
        default_int(n, "nominalConcurrencyShares", 30);
        default_int(n, "lendablePercent", 0);
    };
    rules["flowcontrol.v1.QueuingConfiguration"] = [](Node& n) {
        default_nonzero(n, "handSize", 8);
        default_nonzero(n, "queues", 64);
        default_nonzero(n, "queueLengthLimit", 50);
    };
}

} // namespace weber::kube::server
