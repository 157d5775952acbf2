#include <algorithm>
#include <map>

#include "kube/base/trim.h"
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

// Values that were there before are taken as they are.
bool had(const Node& before, std::string_view value) {
    return std::any_of(before.items().begin(), before.items().end(), [&](const Node& n) { return trimmed(n.text()) == value; });
}

void check_cidr(Problems& p, const std::string& path, std::string_view value, const Node& before) {
    if (const auto why = had(before, value) ? "" : wrong_cidr(value); !why.empty()) p.invalid(path, value, why);
}

// ---- Service ----------------------------------------------------------------------------------------------------------------

void check_service_ports(Problems& p, const Node& ports) {
    std::set<std::string, std::less<>> names;
    std::size_t i = 0;
    for (const Node& port : ports.items()) {
        const std::string here = at("spec.ports", i++);
        const auto name = port.text_at("name");
        if (name.empty()) {
            if (ports.size() > 1) p.required(here + ".name");
        } else {
            p.invalid_all(here + ".name", name, dns_label(name));
            if (!names.emplace(name).second) p.duplicate(here + ".name", Node::string(name));
        }
        p.port(here + ".port", port.find("port"));
        if (port.text_at("protocol").empty())
            p.required(here + ".protocol");
        else
            p.one_of(here + ".protocol", port.text_at("protocol"), {"SCTP", "TCP", "UDP"});
        number_or_name(p, here + ".targetPort", child(port, "targetPort"));
        if (const Node* app = port.find("appProtocol")) p.invalid_all(here + ".appProtocol", app->text(), qualified_name(app->text()));
    }
}

void check_service_duplicates(Problems& p, const Node& spec) {
    const Node& ports = child(spec, "ports");
    std::size_t i = 0;
    if (spec.text_at("type") == "ClusterIP")
        for (const Node& port : ports.items()) {
            const std::string here = at("spec.ports", i++);
            if (child(port, "nodePort").as_int().value_or(0) != 0) p.forbidden(here + ".nodePort", "may not be used when `type` is 'ClusterIP'");
        }
    std::set<std::string> node_ports, seen;
    i = 0;
    for (const Node& port : ports.items()) {
        const std::string here = at("spec.ports", i++);
        const std::string protocol(port.text_at("protocol"));
        const Node& node_port = child(port, "nodePort");
        if (node_port.as_int().value_or(0) != 0 && !node_ports.insert(protocol + std::string(node_port.text())).second)
            p.duplicate(here + ".nodePort", node_port);
    }
    i = 0;
    for (const Node& port : ports.items()) {
        const std::string here = at("spec.ports", i++);
        const std::string protocol(port.text_at("protocol"));
        if (!seen.insert(protocol + std::string(port.text_at("port"))).second)
            p.duplicate(here, Node::map({{"Name", Node::string("")}, {"Protocol", Node::string(protocol)}, {"AppProtocol", Node()},
                                         {"Port", child(port, "port")}, {"TargetPort", Node::integer(0)}, {"NodePort", Node::integer(0)}}));
    }
}

bool externally_accessible(const Node& spec) {
    const auto type = spec.text_at("type");
    return type == "LoadBalancer" || type == "NodePort" || (type == "ClusterIP" && !child(spec, "externalIPs").empty());
}

void service(Problems& p, const Node& obj, const Node& live) {
    const Node& spec = child(obj, "spec");
    const auto type = spec.text_at("type");
    const auto ips = child(spec, "clusterIPs").items();
    const bool headless = !ips.empty() && ips[0].text() == "None";
    if (!live.is_null()) {
        const Node& before = child(live, "spec");
        const auto old_type = before.text_at("type");
        if (type != "ExternalName" && old_type != "ExternalName" && !before.text_at("clusterIP").empty() &&
            spec.text_at("clusterIP") != before.text_at("clusterIP"))
            p.invalid("spec.clusterIPs[0]", Node::list({Node::string(spec.text_at("clusterIP"))}), "may not change once set");
    }
    if (child(spec, "ports").empty() && !headless && type != "ExternalName") p.required("spec.ports");
    if (headless && (type == "LoadBalancer" || type == "NodePort"))
        p.invalid("spec.clusterIPs[0]", ips[0].text(), "may not be set to 'None' for " + std::string(type) + " services");
    if (type == "ExternalName") {
        if (!ips.empty()) p.forbidden("spec.clusterIPs", "may not be set for ExternalName services");
        if (!child(spec, "ipFamilies").empty()) p.forbidden("spec.ipFamilies", "may not be set for ExternalName services");
        if (spec.contains("ipFamilyPolicy")) p.forbidden("spec.ipFamilyPolicy", "may not be set for ExternalName services");
        std::string_view name = spec.text_at("externalName");
        if (name.ends_with('.')) name.remove_suffix(1);
        if (name.empty())
            p.required("spec.externalName");
        else
            p.invalid_all("spec.externalName", name, dns_subdomain(name));
    }
    check_service_ports(p, child(spec, "ports"));
    check_labels(p, "spec.selector", spec.find("selector"));
    p.one_of("spec.sessionAffinity", spec.text_at("sessionAffinity"), {"ClientIP", "None"});
    if (spec.text_at("sessionAffinity") == "ClientIP") {
        const Node* seconds = spec.find_path({"sessionAffinityConfig", "clientIP", "timeoutSeconds"});
        const auto n = seconds ? seconds->as_int().value_or(0) : 0;
        if (n <= 0 || n > 86400)
            p.invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", Node::integer(n), "must be greater than 0 and less than 86400");
    }
    std::size_t i = 0;
    for (const Node& ip : child(spec, "externalIPs").items()) {
        const std::string here = at("spec.externalIPs", i++);
        const std::string why = had(child(child(live, "spec"), "externalIPs"), ip.text()) ? "" : wrong_ip(ip.text());
        if (!why.empty())
            p.invalid(here, ip.text(), why);
        else if (const auto unfit = unfit_for_endpoint(ip.text()); !unfit.empty())
            p.invalid(here, ip.text(), unfit);
    }
    p.one_of("spec.type", type, {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"});
    check_service_duplicates(p, spec);
    if (!child(spec, "loadBalancerSourceRanges").empty() && type != "LoadBalancer")
        p.forbidden("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'");
    i = 0;
    for (const Node& range : child(spec, "loadBalancerSourceRanges").items())
        check_cidr(p, at("spec.LoadBalancerSourceRanges", i++), std::string(trimmed(range.text())), child(child(live, "spec"), "loadBalancerSourceRanges"));
    if (spec.contains("allocateLoadBalancerNodePorts") && type != "LoadBalancer")
        p.forbidden("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'");
    if (spec.contains("loadBalancerClass") && type != "LoadBalancer")
        p.forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'");
    const auto policy = spec.text_at("externalTrafficPolicy");
    if (!externally_accessible(spec)) {
        if (!policy.empty()) p.invalid("spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services");
    } else {
        p.one_of("spec.externalTrafficPolicy", policy, {"Cluster", "Local"});
    }
    if (const auto internal = spec.text_at("internalTrafficPolicy"); !internal.empty())
        p.one_of("spec.internalTrafficPolicy", internal, {"Cluster", "Local"});
}

// ---- Ingress ----------------------------------------------------------------------------------------------------------------

void check_backend(Problems& p, const std::string& path, const Node& backend) {
    const Node *resource = backend.find("resource"), *service = backend.find("service");
    if (resource && service) return p.invalid(path, "", "cannot set both resource and service backends");
    if (resource) {
        for (const auto field : {"kind", "name"})
            if (resource->text_at(field).empty()) p.required(path + ".resource." + field);
        return;
    }
    if (!service) return p.invalid(path, "", "resource or service backend is required");
    const auto name = service->text_at("name");
    if (name.empty())
        p.required(path + ".service.name");
    else
        p.invalid_all(path + ".service.name", name, dns_label(name));
    const Node& port = child(*service, "port");
    const bool named = !port.text_at("name").empty(), numbered = child(port, "number").as_int().value_or(0) != 0;
    if (named && numbered)
        p.invalid(path, "", "cannot set both port name & port number");
    else if (named)
        p.invalid_all(path + ".service.port.name", port.text_at("name"), port_name(port.text_at("name")));
    else if (numbered)
        p.port(path + ".service.port.number", port.find("number"));
    else
        p.required(path, "port name or number is required");
}

void check_http_path(Problems& p, const std::string& here, const Node& http) {
    const auto type = http.text_at("pathType");
    if (!http.contains("pathType")) return p.required(here + ".pathType", "pathType must be specified");
    const auto text = http.text_at("path");
    if (type == "Exact" || type == "Prefix") {
        if (!text.starts_with('/')) p.invalid(here + ".path", text, "must be an absolute path");
        for (const auto bad : {"//", "/./", "/../", "%2f", "%2F"})
            if (text.find(bad) != std::string_view::npos) p.invalid(here + ".path", text, std::string("must not contain '") + bad + "'");
        for (const auto bad : {"/..", "/."})
            if (text.ends_with(bad)) p.invalid(here + ".path", text, std::string("cannot end with '") + bad + "'");
    } else if (type == "ImplementationSpecific") {
        if (!text.empty() && !text.starts_with('/')) p.invalid(here + ".path", text, "must be an absolute path");
    } else {
        p.not_supported(here + ".pathType", Node::string(type), {"Exact", "ImplementationSpecific", "Prefix"});
    }
    check_backend(p, here + ".backend", child(http, "backend"));
}

void ingress(Problems& p, const Node& obj, const Node&) {
    const Node& spec = child(obj, "spec");
    const Node* backend = spec.find("defaultBackend");
    const Node& rules = child(spec, "rules");
    if (rules.empty() && !backend) p.invalid("spec", Node(), "either `defaultBackend` or `rules` must be specified");
    if (backend) check_backend(p, "spec.defaultBackend", *backend);
    std::size_t i = 0;
    for (const Node& rule : rules.items()) {
        const std::string here = at("spec.rules", i++);
        const auto host = rule.text_at("host");
        if (!host.empty()) {
            if (wrong_ip(host).empty()) p.invalid(here + ".host", host, "must be a DNS name, not an IP address");
            if (host.find('*') == std::string_view::npos)
                p.invalid_all(here + ".host", host, dns_subdomain(host));
            else if (!host.starts_with("*.") || !dns_subdomain(host.substr(2)).empty())
                p.invalid(here + ".host", host,
                          "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case "
                          "alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for "
                          "validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
        }
        const Node* http = rule.find("http");
        if (!http) continue;
        const Node& paths = child(*http, "paths");
        if (paths.empty()) p.required(here + ".http.paths");
        std::size_t n = 0;
        for (const Node& path : paths.items()) check_http_path(p, at(here + ".http.paths", n++), path);
    }
}

// ---- NetworkPolicy ------------------------------------------------------------------------------------------------------------

void check_policy_ports(Problems& p, const std::string& path, const Node& ports) {
    std::size_t i = 0;
    for (const Node& port : ports.items()) {
        const std::string here = at(path, i++);
        if (const auto protocol = port.text_at("protocol"); !protocol.empty()) p.one_of(here + ".protocol", protocol, {"TCP", "UDP", "SCTP"});
        if (const Node* n = port.find("port")) number_or_name(p, here + ".port", *n);
    }
}

void check_block(Problems& p, const std::string& path, const Node& block, const Node& before) {
    const std::string cidr(block.text_at("cidr"));
    if (cidr.empty()) return p.required(path + ".cidr");
    check_cidr(p, path + ".cidr", cidr, before);
    std::size_t i = 0;
    for (const Node& except : child(block, "except").items()) {
        const std::string here = at(path + ".except", i++);
        check_cidr(p, here, except.text(), before);
        if (is_cidr(cidr) && is_cidr(except.text()) && !strictly_within(except.text(), cidr)) p.invalid(here, except.text(), "must be a strict subset of `cidr`");
    }
}

void check_peers(Problems& p, const std::string& path, const Node& peers, const Node& ranges_before) {
    std::size_t i = 0;
    for (const Node& peer : peers.items()) {
        const std::string here = at(path, i++);
        const bool selects = peer.contains("podSelector") || peer.contains("namespaceSelector"), block = peer.contains("ipBlock");
        check_label_selector(p, here + ".podSelector", peer.find("podSelector"));
        check_label_selector(p, here + ".namespaceSelector", peer.find("namespaceSelector"));
        if (!selects && !block) p.required(here, "must specify a peer");
        if (selects && block)
            p.forbidden(here, "may not specify both ipBlock and another peer");
        else if (block)
            check_block(p, here + ".ipBlock", child(peer, "ipBlock"), ranges_before);
    }
}

// All ranges of a policy.
Node ranges_of(const Node& policy) {
    Node out = Node::list();
    for (const auto& [direction, side] : {std::pair{"ingress", "from"}, std::pair{"egress", "to"}})
        for (const Node& rule : child(child(policy, "spec"), direction).items())
            for (const Node& peer : child(rule, side).items()) {
                const Node& block = child(peer, "ipBlock");
                if (block.contains("cidr")) out.push_back(child(block, "cidr"));
                for (const Node& except : child(block, "except").items()) out.push_back(except);
            }
    return out;
}

void network_policy(Problems& p, const Node& obj, const Node& live) {
    const Node& spec = child(obj, "spec");
    const Node before = ranges_of(live);
    check_label_selector(p, "spec.podSelector", spec.find("podSelector"));
    for (const auto& [direction, side] : {std::pair{"ingress", "from"}, std::pair{"egress", "to"}}) {
        std::size_t i = 0;
        for (const Node& rule : child(spec, direction).items()) {
            const std::string here = at(std::string("spec.") + direction, i++);
            check_policy_ports(p, here + ".ports", child(rule, "ports"));
            check_peers(p, here + "." + side, child(rule, side), before);
        }
    }
    std::size_t i = 0;
    for (const Node& type : child(spec, "policyTypes").items()) p.one_of(at("spec.policyTypes", i++), type.text(), {"Ingress", "Egress"});
}

// ---- addresses of endpoints ---------------------------------------------------------------------------------------------------

void endpoint_slice(Problems& p, const Node& obj, const Node&) {
    const auto type = obj.text_at("addressType");
    std::size_t i = 0;
    for (const Node& endpoint : child(obj, "endpoints").items()) {
        const std::string list = at("endpoints", i++) + ".addresses";
        std::size_t n = 0;
        for (const Node& address : child(endpoint, "addresses").items()) {
            const std::string here = at(list, n++), ip(address.text());
            if (type != "IPv4" && type != "IPv6") continue;
            std::string why = wrong_ip(ip);
            const auto right = canonical_ip(ip);
            if (why.empty() && type == "IPv6" && right && *right != ip) why = "must be in canonical form (\"" + *right + "\")";
            if (!why.empty()) {
                p.invalid(here, ip, why);
                continue;
            }
            if (is_ipv6(ip) != (type == "IPv6")) p.invalid(list, ip, "must be an " + std::string(type) + " address");
            if (const auto unfit = unfit_for_endpoint(ip); !unfit.empty()) p.invalid(here, ip, unfit);
        }
    }
}

void endpoints(Problems& p, const Node& obj, const Node&) {
    std::size_t i = 0;
    for (const Node& subset : child(obj, "subsets").items()) {
        const std::string here = at("subsets", i++);
        for (const std::string list : {"addresses", "notReadyAddresses"}) {
            std::size_t n = 0;
            for (const Node& address : child(subset, list).items()) {
                const std::string place = at(here + "." + list, n++) + ".ip", ip(address.text_at("ip"));
                if (const auto why = wrong_ip(ip); !why.empty()) p.invalid(place, ip, why);
                if (const auto unfit = unfit_for_endpoint(ip); !unfit.empty()) p.invalid(place, ip, unfit);
            }
        }
    }
}

void ip_address(Problems& p, const Node& obj, const Node& live) {
    const Node* parent = obj.find_path({"spec", "parentRef"});
    if (!live.is_null()) return p.immutable("spec.parentRef", parent, live.find_path({"spec", "parentRef"}));
    if (!parent) return p.required("spec.parentRef");
    if (const auto group = parent->text_at("group"); !group.empty()) p.invalid_all("spec.parentRef.group", group, dns_subdomain(group));
    for (const std::string field : {"resource", "name", "namespace"}) {
        const auto value = parent->text_at(field);
        if (!value.empty())
            p.invalid_all("spec.parentRef." + field, value, path_segment(value));
        else if (field != "namespace")
            p.required("spec.parentRef." + field);
    }
}

} // namespace

KindRule network_rule(std::string_view id) {
    static const std::map<std::string_view, KindRule> kRules{{"/services", service},
                                                             {"networking.k8s.io/ingresses", ingress},
                                                             {"networking.k8s.io/networkpolicies", network_policy},
                                                             {"/endpoints", endpoints},
                                                             {"discovery.k8s.io/endpointslices", endpoint_slice},
                                                             {"networking.k8s.io/ipaddresses", ip_address}};
    const auto it = kRules.find(id);
    return it == kRules.end() ? nullptr : it->second;
}

} // namespace weber::kube::server
