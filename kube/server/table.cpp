#include "kube/server/table.h"

#include <algorithm>
#include <functional>
#include <map>

#include "kube/base/join.h"
#include "kube/server/json_path.h"
#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

struct Row {
    const Node& o;
    SystemTime now;

    [[nodiscard]] std::string text(std::initializer_list<std::string_view> path, std::string_view none = "") const {
        const Node* n = o.find_path(path);
        return n && !n->text().empty() ? std::string(n->text()) : std::string(none);
    }
    [[nodiscard]] std::int64_t number(std::initializer_list<std::string_view> path, std::int64_t none = 0) const {
        const Node* n = o.find_path(path);
        return n ? n->as_int().value_or(none) : none;
    }
    [[nodiscard]] std::string since(std::string_view time, std::string_view none = "<unknown>") const {
        const auto t = parse_rfc3339(time);
        if (!t) return std::string(none);
        return human_duration(std::chrono::duration_cast<std::chrono::seconds>(now - *t));
    }
    [[nodiscard]] std::string age() const { return since(meta_text(o, "creationTimestamp")); }
    [[nodiscard]] std::size_t size(std::initializer_list<std::string_view> path) const {
        const Node* n = o.find_path(path);
        return n ? n->size() : 0;
    }
};

using Cells = std::function<Node(const Row&)>;
struct Printer {
    std::vector<PrinterColumn> columns;
    Cells cells;
};

PrinterColumn col(std::string name, std::string type = "string", int priority = 0) {
    PrinterColumn c;
    c.format = name == "Name" ? "name" : "";
    c.name = std::move(name);
    c.type = std::move(type);
    c.priority = priority;
    return c;
}

Node s(std::string_view text) { return Node::string(text); }
Node i(std::int64_t v) { return Node::integer(v); }
Node name_of(const Row& r) { return s(meta_text(r.o, "name")); }

std::vector<std::string> texts(const Row& r, std::string_view path) {
    std::vector<std::string> out;
    for (const auto& n : json_path(r.o, path)) out.emplace_back(n.text());
    return out;
}

std::string label_selector(const Node* selector) {
    if (!selector || selector->empty()) return "<none>";
    std::vector<std::string> parts;
    const Node* labels = selector->find("matchLabels");
    for (const auto& e : labels ? labels->entries() : std::span<const Node::Entry>())
        parts.push_back(e.key.str() + "=" + std::string(e.value.text()));
    if (!labels && !selector->contains("matchExpressions"))
        for (const auto& e : selector->entries()) parts.push_back(e.key.str() + "=" + std::string(e.value.text()));
    std::sort(parts.begin(), parts.end());
    return parts.empty() ? "<none>" : join(parts, ",");
}

Node containers(const Row& r) { return s(join(texts(r, ".spec.template.spec.containers[*].name"), ",")); }
Node images(const Row& r) { return s(join(texts(r, ".spec.template.spec.containers[*].image"), ",")); }
Node selector(const Row& r) { return s(label_selector(r.o.find_path({"spec", "selector"}))); }

std::string service_ports(const Row& r) {
    std::vector<std::string> out;
    for (const auto& p : json_path(r.o, ".spec.ports[*]")) {
        std::string t(p.text_at("port"));
        if (const auto node = p.text_at("nodePort"); !node.empty() && node != "0") t += ":" + std::string(node);
        out.push_back(t + "/" + std::string(p.text_at("protocol").empty() ? "TCP" : p.text_at("protocol")));
    }
    return out.empty() ? "<none>" : join(out, ",");
}

std::string external_ip(const Row& r) {
    const std::string type = r.text({"spec", "type"});
    auto ips = texts(r, ".spec.externalIPs[*]");
    if (type == "ExternalName") return r.text({"spec", "externalName"}, "<none>");
    if (type == "LoadBalancer") {
        auto lb = texts(r, ".status.loadBalancer.ingress[*].ip");
        for (auto& h : texts(r, ".status.loadBalancer.ingress[*].hostname")) lb.push_back(h);
        lb.insert(lb.end(), ips.begin(), ips.end());
        return lb.empty() ? "<pending>" : join(lb, ",");
    }
    return ips.empty() ? "<none>" : join(ips, ",");
}

Node pod_cells(const Row& r) {
    std::int64_t ready = 0, restarts = 0;
    for (const auto& c : json_path(r.o, ".status.containerStatuses[*]")) {
        if (const Node* n = c.find("ready"); n && n->as_bool()) ++ready;
        if (const Node* n = c.find("restartCount")) restarts += n->as_int().value_or(0);
    }
    std::string status = r.text({"status", "reason"}, r.text({"status", "phase"}));
    if (is_deleting(r.o)) status = "Terminating";
    return Node::list({name_of(r), s(std::to_string(ready) + "/" + std::to_string(r.size({"spec", "containers"}))), s(status),
                       s(std::to_string(restarts)), s(r.age()), s(r.text({"status", "podIP"}, "<none>")),
                       s(r.text({"spec", "nodeName"}, "<none>")), s(r.text({"status", "nominatedNodeName"}, "<none>")), s("<none>")});
}

Node job_cells(const Row& r) {
    std::string status = "Running";
    for (const auto& c : json_path(r.o, ".status.conditions[*]"))
        if (c.text_at("status") == "True" && (c.text_at("type") == "Complete" || c.text_at("type") == "Failed" || c.text_at("type") == "Suspended"))
            status = c.text_at("type");
    std::string duration;
    const auto start = parse_rfc3339(r.text({"status", "startTime"})), end = parse_rfc3339(r.text({"status", "completionTime"}));
    if (start) duration = human_duration(std::chrono::duration_cast<std::chrono::seconds>((end ? *end : r.now) - *start));
    const std::string done = std::to_string(r.number({"status", "succeeded"}));
    const std::string want = r.o.find_path({"spec", "completions"}) ? std::to_string(r.number({"spec", "completions"}))
                                                                     : "1 of " + std::to_string(r.number({"spec", "parallelism"}, 1));
    return Node::list({name_of(r), s(status), s(done + "/" + want), s(duration), s(r.age()), containers(r), images(r), selector(r)});
}

Node event_cells(const Row& r) {
    const std::string last = r.text({"lastTimestamp"}, r.text({"eventTime"}));
    const Node* ref = r.o.find("involvedObject");
    std::string kind(ref ? ref->text_at("kind") : "");
    std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::string source = r.text({"source", "component"}, r.text({"reportingComponent"}));
    return Node::list({s(r.since(last)), s(r.text({"type"})), s(r.text({"reason"})),
                       s(kind + "/" + std::string(ref ? ref->text_at("name") : "")), s(r.text({"involvedObject", "fieldPath"})), s(source),
                       s(r.text({"message"})), s(r.since(r.text({"firstTimestamp"}, r.text({"eventTime"})))),
                       s(std::to_string(std::max<std::int64_t>(1, r.number({"count"})))), name_of(r)});
}

std::string node_roles(const Row& r) {
    std::vector<std::string> roles;
    if (const Node* labels = r.o.find_path({"metadata", "labels"}))
        for (const auto& e : labels->entries())
            if (e.key.view().starts_with("node-role.kubernetes.io/")) roles.emplace_back(e.key.view().substr(24));
    std::sort(roles.begin(), roles.end());
    return roles.empty() ? "<none>" : join(roles, ",");
}

Node node_cells(const Row& r) {
    std::string status = "Unknown", ip = "<none>";
    for (const auto& c : json_path(r.o, ".status.conditions[*]"))
        if (c.text_at("type") == "Ready") status = c.text_at("status") == "True" ? "Ready" : "NotReady";
    if (const Node* u = r.o.find_path({"spec", "unschedulable"}); u && u->as_bool()) status += ",SchedulingDisabled";
    for (const auto& a : json_path(r.o, ".status.addresses[*]"))
        if (a.text_at("type") == "InternalIP") ip = a.text_at("address");
    return Node::list({name_of(r), s(status), s(node_roles(r)), s(r.age()), s(r.text({"status", "nodeInfo", "kubeletVersion"})), s(ip),
                       s("<none>"), s(r.text({"status", "nodeInfo", "osImage"}, "<unknown>")),
                       s(r.text({"status", "nodeInfo", "kernelVersion"}, "<unknown>")),
                       s(r.text({"status", "nodeInfo", "containerRuntimeVersion"}, "<unknown>"))});
}

std::string access_modes(const Row& r, std::string_view path) {
    std::vector<std::string> out;
    for (const auto& m : texts(r, path))
        out.push_back(m == "ReadWriteOnce" ? "RWO" : m == "ReadOnlyMany" ? "ROX" : m == "ReadWriteMany" ? "RWX" : "RWOP");
    return join(out, ",");
}

std::string ingress_hosts(const Row& r) {
    const auto hosts = texts(r, ".spec.rules[*].host");
    return hosts.empty() ? "*" : join(hosts, ",");
}

std::string role_ref(const Row& r) { return r.text({"roleRef", "kind"}) + "/" + r.text({"roleRef", "name"}); }

const std::map<std::string, Printer, std::less<>>& printers() {
    static const auto* table = new std::map<std::string, Printer, std::less<>>{
        {"/pods", {{col("Name"), col("Ready"), col("Status"), col("Restarts"), col("Age"), col("IP", "string", 1), col("Node", "string", 1),
                    col("Nominated Node", "string", 1), col("Readiness Gates", "string", 1)}, pod_cells}},
        {"apps/deployments", {{col("Name"), col("Ready"), col("Up-to-date"), col("Available"), col("Age"),
                               col("Containers", "string", 1), col("Images", "string", 1), col("Selector", "string", 1)},
            [](const Row& r) { return Node::list({name_of(r), s(std::to_string(r.number({"status", "readyReplicas"})) + "/" + std::to_string(r.number({"spec", "replicas"}))),
                i(r.number({"status", "updatedReplicas"})), i(r.number({"status", "availableReplicas"})), s(r.age()), containers(r), images(r), selector(r)}); }}},
        {"apps/replicasets", {{col("Name"), col("Desired", "integer"), col("Current", "integer"), col("Ready", "integer"), col("Age"),
                               col("Containers", "string", 1), col("Images", "string", 1), col("Selector", "string", 1)},
            [](const Row& r) { return Node::list({name_of(r), i(r.number({"spec", "replicas"})), i(r.number({"status", "replicas"})),
                i(r.number({"status", "readyReplicas"})), s(r.age()), containers(r), images(r), selector(r)}); }}},
        {"/replicationcontrollers", {{col("Name"), col("Desired", "integer"), col("Current", "integer"), col("Ready", "integer"), col("Age"),
                               col("Containers", "string", 1), col("Images", "string", 1), col("Selector", "string", 1)},
            [](const Row& r) { return Node::list({name_of(r), i(r.number({"spec", "replicas"})), i(r.number({"status", "replicas"})),
                i(r.number({"status", "readyReplicas"})), s(r.age()), containers(r), images(r), selector(r)}); }}},
        {"apps/statefulsets", {{col("Name"), col("Ready"), col("Age"), col("Containers", "string", 1), col("Images", "string", 1)},
            [](const Row& r) { return Node::list({name_of(r), s(std::to_string(r.number({"status", "readyReplicas"})) + "/" + std::to_string(r.number({"spec", "replicas"}))),
                s(r.age()), containers(r), images(r)}); }}},
        {"apps/daemonsets", {{col("Name"), col("Desired", "integer"), col("Current", "integer"), col("Ready", "integer"), col("Up-to-date", "integer"),
                              col("Available", "integer"), col("Node Selector"), col("Age"), col("Containers", "string", 1), col("Images", "string", 1), col("Selector", "string", 1)},
            [](const Row& r) { return Node::list({name_of(r), i(r.number({"status", "desiredNumberScheduled"})), i(r.number({"status", "currentNumberScheduled"})),
                i(r.number({"status", "numberReady"})), i(r.number({"status", "updatedNumberScheduled"})), i(r.number({"status", "numberAvailable"})),
                s(label_selector(r.o.find_path({"spec", "template", "spec", "nodeSelector"}))), s(r.age()), containers(r), images(r), selector(r)}); }}},
        {"batch/jobs", {{col("Name"), col("Status"), col("Completions"), col("Duration"), col("Age"), col("Containers", "string", 1),
                         col("Images", "string", 1), col("Selector", "string", 1)}, job_cells}},
        {"batch/cronjobs", {{col("Name"), col("Schedule"), col("Timezone"), col("Suspend", "boolean"), col("Active", "integer"), col("Last Schedule"), col("Age")},
            [](const Row& r) { const Node* suspend = r.o.find_path({"spec", "suspend"});
                return Node::list({name_of(r), s(r.text({"spec", "schedule"})), s(r.text({"spec", "timeZone"}, "<none>")), s(suspend && suspend->as_bool() ? "True" : "False"),
                i(static_cast<std::int64_t>(r.size({"status", "active"}))), s(r.since(r.text({"status", "lastScheduleTime"}), "<none>")), s(r.age())}); }}},
        {"/services", {{col("Name"), col("Type"), col("Cluster-IP"), col("External-IP"), col("Port(s)"), col("Age"), col("Selector", "string", 1)},
            [](const Row& r) { return Node::list({name_of(r), s(r.text({"spec", "type"})), s(r.text({"spec", "clusterIP"}, "<none>")), s(external_ip(r)), s(service_ports(r)),
                s(r.age()), selector(r)}); }}},
        {"/endpoints", {{col("Name"), col("Endpoints"), col("Age")},
            [](const Row& r) { const auto ips = texts(r, ".subsets[*].addresses[*].ip"); return Node::list({name_of(r), s(ips.empty() ? "<none>" : join(ips, ",")), s(r.age())}); }}},
        {"networking.k8s.io/ingresses", {{col("Name"), col("Class"), col("Hosts"), col("Address"), col("Ports"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), s(r.text({"spec", "ingressClassName"}, "<none>")), s(ingress_hosts(r)),
                s(join(texts(r, ".status.loadBalancer.ingress[*].ip"), ",")), s(r.size({"spec", "tls"}) ? "80, 443" : "80"), s(r.age())}); }}},
        {"networking.k8s.io/ingressclasses", {{col("Name"), col("Controller"), col("Parameters"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), s(r.text({"spec", "controller"})), s(r.text({"spec", "parameters", "name"}, "<none>")), s(r.age())}); }}},
        {"networking.k8s.io/networkpolicies", {{col("Name"), col("Pod-Selector"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), s(label_selector(r.o.find_path({"spec", "podSelector"}))), s(r.age())}); }}},
        {"/nodes", {{col("Name"), col("Status"), col("Roles"), col("Age"), col("Version"), col("Internal-IP", "string", 1), col("External-IP", "string", 1),
                     col("OS-Image", "string", 1), col("Kernel-Version", "string", 1), col("Container-Runtime", "string", 1)}, node_cells}},
        {"/events", {{col("Last Seen"), col("Type"), col("Reason"), col("Object"), col("Subobject", "string", 1), col("Source", "string", 1), col("Message"),
                      col("First Seen", "string", 1), col("Count", "string", 1), col("Name", "string", 1)}, event_cells}},
        {"/namespaces", {{col("Name"), col("Status"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), s(r.text({"status", "phase"})), s(r.age())}); }}},
        {"/serviceaccounts", {{col("Name"), col("Age")}, [](const Row& r) { return Node::list({name_of(r), s(r.age())}); }}},
        {"/secrets", {{col("Name"), col("Type"), col("Data"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), s(r.text({"type"})), i(static_cast<std::int64_t>(r.size({"data"}))), s(r.age())}); }}},
        {"/configmaps", {{col("Name"), col("Data"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), i(static_cast<std::int64_t>(r.size({"data"}) + r.size({"binaryData"}))), s(r.age())}); }}},
        {"/persistentvolumes", {{col("Name"), col("Capacity"), col("Access Modes"), col("Reclaim Policy"), col("Status"), col("Claim"), col("StorageClass"),
                                 col("VolumeAttributesClass"), col("Reason"), col("Age"), col("VolumeMode", "string", 1)},
            [](const Row& r) { const std::string claim = r.text({"spec", "claimRef", "name"}); return Node::list({name_of(r), s(r.text({"spec", "capacity", "storage"})),
                s(access_modes(r, ".spec.accessModes[*]")), s(r.text({"spec", "persistentVolumeReclaimPolicy"})), s(r.text({"status", "phase"})),
                s(claim.empty() ? "" : r.text({"spec", "claimRef", "namespace"}) + "/" + claim), s(r.text({"spec", "storageClassName"})),
                s(r.text({"spec", "volumeAttributesClassName"}, "<unset>")), s(r.text({"status", "reason"})), s(r.age()), s(r.text({"spec", "volumeMode"}, "<unset>"))}); }}},
        {"/persistentvolumeclaims", {{col("Name"), col("Status"), col("Volume"), col("Capacity"), col("Access Modes"), col("StorageClass"), col("VolumeAttributesClass"),
                                      col("Age"), col("VolumeMode", "string", 1)},
            [](const Row& r) { return Node::list({name_of(r), s(r.text({"status", "phase"})), s(r.text({"spec", "volumeName"})), s(r.text({"status", "capacity", "storage"})),
                s(access_modes(r, ".status.accessModes[*]")), s(r.text({"spec", "storageClassName"})), s(r.text({"spec", "volumeAttributesClassName"}, "<unset>")),
                s(r.age()), s(r.text({"spec", "volumeMode"}, "<unset>"))}); }}},
        {"policy/poddisruptionbudgets", {{col("Name"), col("Min Available"), col("Max Unavailable"), col("Allowed Disruptions", "integer"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), s(r.text({"spec", "minAvailable"}, "N/A")), s(r.text({"spec", "maxUnavailable"}, "N/A")),
                i(r.number({"status", "disruptionsAllowed"})), s(r.age())}); }}},
        {"autoscaling/horizontalpodautoscalers", {{col("Name"), col("Reference"), col("Targets"), col("MinPods"), col("MaxPods"), col("Replicas"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), s(r.text({"spec", "scaleTargetRef", "kind"}) + "/" + r.text({"spec", "scaleTargetRef", "name"})),
                s(r.size({"spec", "metrics"}) ? "<unknown>" : "<none>"), s(r.text({"spec", "minReplicas"}, "<unset>")), i(r.number({"spec", "maxReplicas"})),
                i(r.number({"status", "currentReplicas"})), s(r.age())}); }}},
        {"apiregistration.k8s.io/apiservices", {{col("Name"), col("Service"), col("Available"), col("Age")},
            [](const Row& r) { const std::string svc = r.text({"spec", "service", "name"}); std::string status = "Unknown";
                for (const auto& c : json_path(r.o, ".status.conditions[*]")) if (c.text_at("type") == "Available") status = c.text_at("status");
                return Node::list({name_of(r), s(svc.empty() ? "Local" : r.text({"spec", "service", "namespace"}) + "/" + svc), s(status), s(r.age())}); }}},
        {"storage.k8s.io/storageclasses", {{col("Name"), col("Provisioner"), col("ReclaimPolicy"), col("VolumeBindingMode"), col("AllowVolumeExpansion"), col("Age")},
            [](const Row& r) { const Node* a = r.o.find_path({"metadata", "annotations", "storageclass.kubernetes.io/is-default-class"});
                return Node::list({s(std::string(meta_text(r.o, "name")) + (a && a->text() == "true" ? " (default)" : "")), s(r.text({"provisioner"})), s(r.text({"reclaimPolicy"}, "Delete")),
                s(r.text({"volumeBindingMode"}, "Immediate")), s(r.text({"allowVolumeExpansion"}, "false")), s(r.age())}); }}},
        {"rbac.authorization.k8s.io/rolebindings", {{col("Name"), col("Role"), col("Age")}, [](const Row& r) { return Node::list({name_of(r), s(role_ref(r)), s(r.age())}); }}},
        {"rbac.authorization.k8s.io/clusterrolebindings", {{col("Name"), col("Role"), col("Age")}, [](const Row& r) { return Node::list({name_of(r), s(role_ref(r)), s(r.age())}); }}},
        {"scheduling.k8s.io/priorityclasses", {{col("Name"), col("Value", "integer"), col("Global-Default", "boolean"), col("Age"), col("PreemptionPolicy")},
            [](const Row& r) { const Node* g = r.o.find("globalDefault"); return Node::list({name_of(r), i(r.number({"value"})), Node::boolean(g && g->as_bool()), s(r.age()), s(r.text({"preemptionPolicy"}, "PreemptLowerPriority"))}); }}},
        {"coordination.k8s.io/leases", {{col("Name"), col("Holder"), col("Age")}, [](const Row& r) { return Node::list({name_of(r), s(r.text({"spec", "holderIdentity"})), s(r.age())}); }}},
        {"node.k8s.io/runtimeclasses", {{col("Name"), col("Handler"), col("Age")}, [](const Row& r) { return Node::list({name_of(r), s(r.text({"handler"})), s(r.age())}); }}},
        {"admissionregistration.k8s.io/validatingwebhookconfigurations", {{col("Name"), col("Webhooks", "integer"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), i(static_cast<std::int64_t>(r.size({"webhooks"}))), s(r.age())}); }}},
        {"admissionregistration.k8s.io/mutatingwebhookconfigurations", {{col("Name"), col("Webhooks", "integer"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), i(static_cast<std::int64_t>(r.size({"webhooks"}))), s(r.age())}); }}},
        {"storage.k8s.io/csidrivers", {{col("Name"), col("AttachRequired", "boolean"), col("PodInfoOnMount", "boolean"), col("Age")},
            [](const Row& r) { return Node::list({name_of(r), s(r.text({"spec", "attachRequired"}, "true")), s(r.text({"spec", "podInfoOnMount"}, "false")), s(r.age())}); }}},
    };
    return *table;
}

// A custom column's cell: dates as ages, other values as they are; several values joined by commas.
Node custom_cell(const PrinterColumn& column, const Row& r) {
    const auto found = json_path(r.o, column.json_path);
    if (found.empty()) return Node();
    if (column.type == "date") return s(r.since(found[0].text(), "<invalid>"));
    if (found.size() == 1 && found[0].is_scalar()) {
        if (column.type == "integer") return found[0].as_int() ? i(*found[0].as_int()) : Node();
        return column.type == "string" ? s(found[0].text()) : found[0];
    }
    std::vector<std::string> all;
    for (const auto& n : found) all.emplace_back(n.text());
    return s(join(all, ","));
}

} // namespace

std::string human_duration(std::chrono::seconds d) {
    const long sec = d.count();
    const auto two = [](long a, const char* x, long b, const char* y) {
        return std::to_string(a) + x + (b ? std::to_string(b) + y : "");
    };
    if (sec < -1) return "<invalid>";
    if (sec < 0) return "0s";
    if (sec < 120) return std::to_string(sec) + "s";
    const long min = sec / 60;
    if (min < 10) return two(min, "m", sec % 60, "s");
    if (min < 180) return std::to_string(min) + "m";
    const long hours = min / 60;
    if (hours < 8) return two(hours, "h", min % 60, "m");
    if (hours < 48) return std::to_string(hours) + "h";
    if (hours < 192) return two(hours / 24, "d", hours % 24, "h");
    if (hours < 24 * 365 * 2) return std::to_string(hours / 24) + "d";
    if (hours < 24 * 365 * 8) return two(hours / 24 / 365, "y", hours / 24 % 365, "d");
    return std::to_string(hours / 24 / 365) + "y";
}

namespace {

std::string_view description(std::string_view resource, std::string_view column) {
    const auto all = column_texts();
    const auto it = std::find_if(all.begin(), all.end(), [&](const ColumnText& t) { return resource == t.resource && column == t.column; });
    return it == all.end() ? "" : it->description;
}

// Names and ages are described alike everywhere; the rest by the definition, or by the path that they show.
std::vector<PrinterColumn> custom_columns(const VersionInfo& version) {
    std::vector<PrinterColumn> columns{col("Name")};
    columns[0].description = description("/configmaps", "Name");
    if (version.columns.empty()) {
        PrinterColumn age = col("Age", "date");
        age.json_path = ".metadata.creationTimestamp";
        age.description = description("/configmaps", "Age");
        columns.push_back(age);
    }
    for (const PrinterColumn& own : version.columns) {
        columns.push_back(own);
        if (own.description.empty()) columns.back().description = "Custom resource definition column (in JSONPath format): " + own.json_path;
    }
    return columns;
}

} // namespace

std::vector<PrinterColumn> table_columns(const ResourceInfo& resource, const VersionInfo& version) {
    if (resource.custom) return custom_columns(version);
    const auto it = printers().find(resource.id());
    std::vector<PrinterColumn> columns = it != printers().end() ? it->second.columns : std::vector<PrinterColumn>{col("Name"), col("Created At", "date")};
    for (PrinterColumn& c : columns) c.description = description(resource.id(), c.name);
    return columns;
}

bool has_printer(const ResourceInfo& resource) { return resource.custom || printers().contains(resource.id()); }

Node table_cells(const ResourceInfo& resource, const VersionInfo& version, const Node& obj, SystemTime now) {
    const Row row{obj, now};
    if (resource.custom) {
        Node cells = Node::list({name_of(row)});
        for (const auto& c : table_columns(resource, version))
            if (!c.json_path.empty()) cells.push_back(custom_cell(c, row));
        return cells;
    }
    const auto it = printers().find(resource.id());
    if (it != printers().end()) return it->second.cells(row);
    return Node::list({name_of(row), s(meta_text(obj, "creationTimestamp"))});
}

} // namespace weber::kube::server
