#include <algorithm>

#include "kube/server/quantity.h"
#include "kube/server/addresses.h"
#include "kube/server/validate_rules.h"

namespace weber::kube::server {
namespace {

void number_or_name(Problems& p, const std::string& path, const Node& port) {
    if (port.is_string())
        p.invalid_all(path, port.text(), port_name(port.text()));
    else
        p.port(path, &port);
}

void check_key_ref(Problems& p, const std::string& path, const Node& ref) {
    if (ref.text_at("key").empty())
        p.required(path + ".key");
    else
        p.invalid_all(path + ".key", ref.text_at("key"), config_key(ref.text_at("key")));
}

void check_value_from(Problems& p, const std::string& path, const Node& from, const Node& env) {
    int sources = 0;
    for (const auto kind : {"fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"}) {
        const Node* ref = from.find(kind);
        if (!ref) continue;
        ++sources;
        const std::string_view name = kind;
        if (name == "configMapKeyRef" || name == "secretKeyRef") check_key_ref(p, path + "." + kind, *ref);
        if (name == "fieldRef" && ref->text_at("fieldPath").empty()) p.required(path + ".fieldRef.fieldPath");
    }
    if (sources == 0)
        p.invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
    else if (!env.text_at("value").empty())
        p.invalid(path, "", "may not be specified when `value` is not empty");
    else if (sources > 1)
        p.invalid(path, "", "may not have more than one field specified at a time");
}

void check_env(Problems& p, const std::string& path, const Node& list) {
    std::size_t i = 0;
    for (const Node& e : list.items()) {
        const std::string here = at(path, i++);
        const auto name = e.text_at("name");
        if (name.empty())
            p.required(here + ".name");
        else
            p.invalid_all(here + ".name", name, env_name(name));
        if (const Node* from = e.find("valueFrom"); from && from->is_map()) check_value_from(p, here + ".valueFrom", *from, e);
    }
}

void check_ports(Problems& p, const std::string& path, const Node& list) {
    std::set<std::string, std::less<>> names;
    std::size_t i = 0;
    for (const Node& port : list.items()) {
        const std::string here = at(path, i++);
        if (const auto name = port.text_at("name"); !name.empty()) {
            if (const auto why = port_name(name); !why.empty())
                p.invalid_all(here + ".name", name, why);
            else if (!names.emplace(name).second)
                p.duplicate(here + ".name", Node::string(name));
        }
        const auto number = child(port, "containerPort").as_int().value_or(0);
        if (number == 0)
            p.required(here + ".containerPort");
        else
            p.port(here + ".containerPort", port.find("containerPort"));
        if (const Node* host = port.find("hostPort"); host && host->as_int().value_or(0) != 0) p.port(here + ".hostPort", host);
        const auto protocol = port.text_at("protocol");
        if (protocol.empty())
            p.required(here + ".protocol");
        else
            p.one_of(here + ".protocol", protocol, {"SCTP", "TCP", "UDP"});
    }
}

void check_mounts(Problems& p, const std::string& path, const Node& list, const std::set<std::string, std::less<>>& volumes) {
    std::set<std::string, std::less<>> paths;
    std::size_t i = 0;
    for (const Node& m : list.items()) {
        const std::string here = at(path, i++);
        const auto name = m.text_at("name"), mount = m.text_at("mountPath");
        if (name.empty()) p.required(here + ".name");
        if (!volumes.contains(name)) p.not_found(here + ".name", name);
        if (mount.empty()) p.required(here + ".mountPath");
        if (!paths.emplace(mount).second) p.invalid(here + ".mountPath", mount, "must be unique");
    }
}

bool native_resource(std::string_view name) { return name.find('/') == std::string_view::npos; }

void check_resource(Problems& p, const std::string& path, std::string_view name, const Node& value) {
    if (native_resource(name)) {
        const bool known = name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-");
        if (!known) {
            p.invalid(path, name, "must be a standard resource type or fully qualified");
            p.invalid(path, name, "must be a standard resource for containers");
        }
    } else {
        p.invalid_all(path, name, qualified_name(name));
    }
    const auto q = parse_quantity(value.text());
    if (q && q->nanos < 0) p.invalid(path, value, "must be greater than or equal to 0");
    if (q && !native_resource(name) && q->nanos % 1'000'000'000 != 0) p.invalid(path, value, "must be an integer");
}

void check_resources(Problems& p, const std::string& path, const Node& r) {
    const Node& limits = child(r, "limits");
    for (const auto& e : limits.entries()) check_resource(p, key_of(path + ".limits", e.key.view()), e.key.view(), e.value);
    for (const auto& e : child(r, "requests").entries()) {
        check_resource(p, key_of(path + ".requests", e.key.view()), e.key.view(), e.value);
        const Node* limit = limits.find(e.key.view());
        if (!limit) continue;
        const auto want = parse_quantity(e.value.text()), most = parse_quantity(limit->text());
        const bool whole = !native_resource(e.key.view()) || e.key.view().starts_with("hugepages-");
        if (want && most && whole && *want != *most)
            p.invalid(path + ".requests", e.value, "must be equal to " + e.key.str() + " limit of " + std::string(limit->text()));
        else if (want && most && *want > *most)
            p.invalid(path + ".requests", e.value, "must be less than or equal to " + e.key.str() + " limit of " + std::string(limit->text()));
    }
}

void check_handler(Problems& p, const std::string& path, const Node& h) {
    int count = 0;
    if (const Node* exec = h.find("exec")) {
        if (count++ > 0) p.forbidden(path + ".exec", "may not specify more than 1 handler type");
        if (child(*exec, "command").empty()) p.required(path + ".exec.command");
    }
    if (const Node* get = h.find("httpGet")) {
        if (count++ > 0)
            p.forbidden(path + ".httpGet", "may not specify more than 1 handler type");
        else {
            if (get->text_at("path").empty()) p.required(path + ".httpGet.path");
            number_or_name(p, path + ".httpGet.port", child(*get, "port"));
            p.one_of(path + ".httpGet.scheme", get->text_at("scheme"), {"HTTP", "HTTPS"});
        }
    }
    if (const Node* tcp = h.find("tcpSocket")) {
        if (count++ > 0)
            p.forbidden(path + ".tcpSocket", "may not specify more than 1 handler type");
        else
            number_or_name(p, path + ".tcpSocket.port", child(*tcp, "port"));
    }
    if (const Node* grpc = h.find("grpc")) {
        if (count++ > 0)
            p.forbidden(path + ".grpc", "may not specify more than 1 handler type");
        else
            p.port(path + ".grpc.port", grpc->find("port"));
    }
    if (count == 0) p.required(path, "must specify a handler type");
}

void check_probe(Problems& p, const std::string& path, const Node* probe, bool once) {
    if (!probe || !probe->is_map()) return;
    check_handler(p, path, *probe);
    for (const auto field : {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"})
        p.nonnegative(path + "." + field, probe->find(field));
    const Node* success = probe->find("successThreshold");
    if (once && success && success->as_int().value_or(1) != 1) p.invalid(path + ".successThreshold", *success, "must be 1");
}

void check_container(Problems& p, const std::string& path, const Node& c, const std::set<std::string, std::less<>>& volumes) {
    if (c.text_at("name").empty())
        p.required(path + ".name");
    else
        p.invalid_all(path + ".name", c.text_at("name"), dns_label(c.text_at("name")));
    if (c.text_at("image").empty()) p.required(path + ".image");
    p.one_of(path + ".terminationMessagePolicy", c.text_at("terminationMessagePolicy"), {"File", "FallbackToLogsOnError"});
    check_ports(p, path + ".ports", child(c, "ports"));
    check_env(p, path + ".env", child(c, "env"));
    check_mounts(p, path + ".volumeMounts", child(c, "volumeMounts"), volumes);
    p.one_of(path + ".imagePullPolicy", c.text_at("imagePullPolicy"), {"Always", "IfNotPresent", "Never"});
    check_resources(p, path + ".resources", child(c, "resources"));
}

// The order in which kube-apiserver looks for sources: the second one found is the one too many.
constexpr std::string_view kSources[] = {"emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs",
                                         "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "configMap", "azureFile", "flocker",
                                         "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "scaleIO", "projected", "csi", "ephemeral", "image"};

void check_volume_source(Problems& p, const std::string& path, const Node& v) {
    int sources = 0;
    for (const auto kind : kSources) {
        const Node* source = v.find(kind);
        if (source == nullptr || source->is_null()) continue;
        if (sources++ > 0) {
            p.forbidden(path + "." + std::string(kind), "may not specify more than 1 volume type");
            continue;
        }
        if (kind == "hostPath" && source->text_at("path").empty()) p.required(path + ".hostPath.path");
        if (kind == "secret" && source->text_at("secretName").empty()) p.required(path + ".secret.secretName");
        if (kind == "configMap" && source->text_at("name").empty()) p.required(path + ".configMap.name");
        if (kind == "persistentVolumeClaim" && source->text_at("claimName").empty()) p.required(path + ".persistentVolumeClaim.claimName");
        if (kind == "nfs") {
            if (source->text_at("server").empty()) p.required(path + ".nfs.server");
            if (source->text_at("path").empty()) p.required(path + ".nfs.path");
        }
        if (kind == "csi" && source->text_at("driver").empty()) p.required(path + ".csi.driver");
    }
    if (sources == 0) p.required(path, "must specify a volume type");
}

std::set<std::string, std::less<>> check_volumes(Problems& p, const std::string& path, const Node& list) {
    std::set<std::string, std::less<>> names;
    std::size_t i = 0;
    for (const Node& v : list.items()) {
        const std::string here = at(path, i++);
        const std::size_t before = p.list.size();
        check_volume_source(p, here, v);
        const auto name = v.text_at("name");
        if (name.empty())
            p.required(here + ".name");
        else
            p.invalid_all(here + ".name", name, dns_label(name));
        if (names.contains(name)) p.duplicate(here + ".name", Node::string(name));
        if (p.list.size() == before) names.emplace(name);
    }
    return names;
}

void check_tolerations(Problems& p, const std::string& path, const Node& list) {
    std::size_t i = 0;
    for (const Node& t : list.items()) {
        const std::string here = at(path, i++);
        const auto key = t.text_at("key"), op = t.text_at("operator"), value = t.text_at("value"), effect = t.text_at("effect");
        if (!key.empty()) p.invalid_all(here + ".key", key, qualified_name(key));
        if (key.empty() && op != "Exists") p.invalid(here + ".operator", op, "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
        if (t.contains("tolerationSeconds") && effect != "NoExecute")
            p.invalid(here + ".effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
        if (op.empty() || op == "Equal")
            p.invalid_all(here + ".operator", value, label_value(value));
        else if (op == "Exists" && !value.empty())
            p.invalid(here + ".operator", value, "value must be empty when `operator` is 'Exists'");
        else if (op != "Exists")
            p.not_supported(here + ".operator", Node::string(op), {"Equal", "Exists"});
        if (!effect.empty()) p.one_of(here + ".effect", effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
    }
}

} // namespace

void check_pod_spec(Problems& p, const std::string& path, const Node& spec, const std::vector<std::string>& extra_volumes) {
    auto volumes = check_volumes(p, path + ".volumes", child(spec, "volumes"));
    volumes.insert(extra_volumes.begin(), extra_volumes.end());
    std::set<std::string, std::less<>> names;
    const Node& containers = child(spec, "containers");
    if (containers.empty()) p.required(path + ".containers");
    std::size_t i = 0;
    for (const Node& c : containers.items()) {
        const std::string here = at(path + ".containers", i++);
        check_container(p, here, c, volumes);
        if (!names.emplace(c.text_at("name")).second) p.duplicate(here + ".name", Node::string(c.text_at("name")));
        check_probe(p, here + ".livenessProbe", c.find("livenessProbe"), true);
        check_probe(p, here + ".readinessProbe", c.find("readinessProbe"), false);
        check_probe(p, here + ".startupProbe", c.find("startupProbe"), true);
    }
    i = 0;
    for (const Node& c : child(spec, "initContainers").items()) {
        const std::string here = at(path + ".initContainers", i++);
        check_container(p, here, c, volumes);
        if (!names.emplace(c.text_at("name")).second) p.duplicate(here + ".name", Node::string(c.text_at("name")));
    }
    p.one_of(path + ".restartPolicy", spec.text_at("restartPolicy"), {"Always", "OnFailure", "Never"});
    p.one_of(path + ".dnsPolicy", spec.text_at("dnsPolicy"), {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"});
    check_labels(p, path + ".nodeSelector", spec.find("nodeSelector"));
    i = 0;
    for (const Node& server : child(child(spec, "dnsConfig"), "nameservers").items()) {
        const std::string here = at(path + ".dnsConfig.nameservers", i++);
        if (const auto why = wrong_ip(server.text()); !why.empty()) p.invalid(here, server.text(), why);
    }
    if (const auto name = spec.text_at("serviceAccountName"); !name.empty()) p.invalid_all(path + ".serviceAccountName", name, dns_subdomain(name));
    if (const Node* n = spec.find("activeDeadlineSeconds"); n && n->as_int().value_or(1) < 1)
        p.invalid(path + ".activeDeadlineSeconds", *n, "must be between 1 and 2147483647, inclusive");
    if (const auto name = spec.text_at("hostname"); !name.empty()) p.invalid_all(path + ".hostname", name, dns_label(name));
    check_tolerations(p, path + ".tolerations", child(spec, "tolerations"));
    i = 0;
    for (const Node& alias : child(spec, "hostAliases").items()) {
        const std::string here = at(path + ".hostAliases", i++);
        if (const auto why = wrong_ip(alias.text_at("ip")); !why.empty()) p.invalid(here + ".ip", alias.text_at("ip"), why);
        std::size_t n = 0;
        for (const Node& host : child(alias, "hostnames").items()) p.invalid_all(at(here + ".hostnames", n++), host.text(), dns_subdomain(host.text()));
    }
}

void check_pod_template(Problems& p, const std::string& path, const Node& tpl, const std::vector<std::string>& extra_volumes) {
    check_labels(p, path + ".labels", child(tpl, "metadata").find("labels"));
    if (const Node* annotations = child(tpl, "metadata").find("annotations"))
        for (const auto& e : annotations->entries()) p.invalid_all(path + ".annotations", e.key.view(), qualified_name(e.key.view()));
    check_pod_spec(p, path + ".spec", child(tpl, "spec"), extra_volumes);
}

} // namespace weber::kube::server
