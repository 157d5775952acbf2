#include "kube/server/default_rules.h"

namespace weber::kube::server {
namespace {

// Tag of an image reference: "latest" when neither tag nor digest is given.
bool is_latest(std::string_view image) {
    if (image.empty()) return false;
    const bool digest = image.find('@') != std::string_view::npos;
    image = image.substr(0, image.find('@'));
    const auto slash = image.rfind('/');
    const auto colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
    for (const char c : image.substr(0, colon))
        if (c >= 'A' && c <= 'Z' && slash == std::string_view::npos) return false; // no valid reference
    if (colon == std::string_view::npos) return !digest;
    return image.substr(colon + 1) == "latest";
}

void container(Node& n) {
    default_text(n, "imagePullPolicy", is_latest(n.text_at("image")) ? "Always" : "IfNotPresent");
    default_text(n, "terminationMessagePath", "/dev/termination-log");
    default_text(n, "terminationMessagePolicy", "File");
}

void pod_spec(Node& n) {
    default_text(n, "dnsPolicy", "ClusterFirst");
    default_text(n, "restartPolicy", "Always");
    default_map(n, "securityContext");
    default_int(n, "terminationGracePeriodSeconds", 30);
    default_text(n, "schedulerName", "default-scheduler");
    // The old name of a field follows the new one.
    if (!n.text_at("serviceAccountName").empty())
        n.set("serviceAccount", Node::string(n.text_at("serviceAccountName")));
    else if (!n.text_at("serviceAccount").empty())
        n.set("serviceAccountName", Node::string(n.text_at("serviceAccount")));
}

void host_ports(Node& containers) {
    if (!containers.is_list()) return;
    for (Node& c : containers.items_mut()) {
        Node* ports = c.is_map() ? c.find_mut("ports") : nullptr;
        if (!ports || !ports->is_list()) continue;
        for (Node& p : ports->items_mut())
            if (const Node* port = p.find("containerPort")) default_nonzero(p, "hostPort", port->as_int().value_or(0));
    }
}

void pod(Node& n) {
    Node& spec = default_map(n, "spec");
    for (const auto list : {"containers", "initContainers"}) {
        Node* containers = spec.find_mut(list);
        if (!containers || !containers->is_list()) continue;
        for (Node& c : containers->items_mut()) {
            const Node* limits = c.find_path({"resources", "limits"});
            if (!limits || limits->empty()) continue;
            const Node copy = *limits;
            default_entries(default_map(*c.find_mut("resources"), "requests"), copy);
        }
        const Node* host = spec.find("hostNetwork");
        if (host && host->as_bool()) host_ports(*containers);
    }
    if (Node* grace = spec.find_mut("terminationGracePeriodSeconds"); grace && grace->as_int().value_or(0) < 0) *grace = Node::integer(1); // of pods, not of templates
    default_bool(spec, "enableServiceLinks", true);
}

void probe(Node& n) {
    default_nonzero(n, "timeoutSeconds", 1);
    default_nonzero(n, "periodSeconds", 10);
    default_nonzero(n, "successThreshold", 1);
    default_nonzero(n, "failureThreshold", 3);
}

void volume(Node& n) {
    bool source = false;
    for (const auto& e : n.entries()) source = source || (e.key.view() != "name" && !e.value.is_null());
    if (!source) n.set("emptyDir", Node::map());
    if (Node* image = n.find_mut("image"); image && image->is_map())
        default_text(*image, "pullPolicy", is_latest(image->text_at("reference")) ? "Always" : "IfNotPresent");
}

void mode_644(Node& n) { default_int(n, "defaultMode", 0644); }

} // namespace

void add_pod_defaults(DefaultRules& rules) {
    rules["core.v1.Pod"] = pod;
    rules["core.v1.PodSpec"] = pod_spec;
    rules["core.v1.Container"] = container;
    rules["core.v1.EphemeralContainer"] = container;
    rules["core.v1.ContainerPort"] = [](Node& n) { default_text(n, "protocol", "TCP"); };
    rules["core.v1.Probe"] = probe;
    rules["core.v1.Volume"] = volume;
    rules["core.v1.SecretVolumeSource"] = mode_644;
    rules["core.v1.ConfigMapVolumeSource"] = mode_644;
    rules["core.v1.DownwardAPIVolumeSource"] = mode_644;
    rules["core.v1.ProjectedVolumeSource"] = mode_644;
    rules["core.v1.ServiceAccountTokenProjection"] = [](Node& n) { default_int(n, "expirationSeconds", 3600); };
    rules["core.v1.HTTPGetAction"] = [](Node& n) {
        default_text(n, "path", "/");
        default_text(n, "scheme", "HTTP");
    };
    rules["core.v1.GRPCAction"] = [](Node& n) {
        if (!has(n, "service")) n.set("service", Node::string(""));
    };
    rules["core.v1.ObjectFieldSelector"] = [](Node& n) { default_text(n, "apiVersion", "v1"); };
    rules["core.v1.HostPathVolumeSource"] = [](Node& n) {
        if (!has(n, "type")) n.set("type", Node::string(""));
    };
    const auto iscsi = [](Node& n) { default_text(n, "iscsiInterface", "default"); };
    rules["core.v1.ISCSIVolumeSource"] = iscsi;
    rules["core.v1.ISCSIPersistentVolumeSource"] = iscsi;
    const auto rbd = [](Node& n) {
        default_text(n, "pool", "rbd");
        default_text(n, "user", "admin");
        default_text(n, "keyring", "/etc/ceph/keyring");
    };
    rules["core.v1.RBDVolumeSource"] = rbd;
    rules["core.v1.RBDPersistentVolumeSource"] = rbd;
}

} // namespace weber::kube::server
