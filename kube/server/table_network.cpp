// Rows of services, endpoints, ingresses and addresses.
#include <set>

#include "kube/base/ascii.h"
#include "kube/base/join.h"
#include "kube/server/table_rows.h"

namespace weber::kube::server {
namespace {

std::string service_ports(const Row& r) {
    std::vector<std::string> out;
    for (const Node& p : r.items({"spec", "ports"})) {
        const auto node_port = p.text_at("nodePort");
        out.push_back(std::string(p.text_at("port")) + (node_port.empty() || node_port == "0" ? "" : ":" + std::string(node_port)) + "/" +
                      std::string(p.text_at("protocol")));
    }
    return out.empty() ? "<none>" : join(out, ",");
}

// Addresses, or else names, of the load balancer: sorted, each once.
std::vector<std::string> balancer_addresses(const Row& r) {
    std::set<std::string> found;
    for (const Node& ingress : r.items({"status", "loadBalancer", "ingress"})) {
        const auto ip = ingress.text_at("ip"), host = ingress.text_at("hostname");
        if (!ip.empty() || !host.empty()) found.emplace(ip.empty() ? host : ip);
    }
    return {found.begin(), found.end()};
}

std::string external_ip(const Row& r) {
    const std::string type = r.text({"spec", "type"});
    if (type == "ExternalName") return r.text({"spec", "externalName"});
    std::vector<std::string> ips = type == "LoadBalancer" ? balancer_addresses(r) : std::vector<std::string>();
    for (const Node& ip : r.items({"spec", "externalIPs"})) ips.emplace_back(ip.text());
    if (!ips.empty()) return join(ips, ",");
    return type == "LoadBalancer" ? "<pending>" : "<none>";
}

Node service(const Row& r) {
    const auto ips = r.items({"spec", "clusterIPs"});
    return Node::list({name_cell(r), cell(r.text({"spec", "type"})), cell(ips.empty() ? "<none>" : ips[0].text()), cell(external_ip(r)), cell(service_ports(r)), age_cell(r),
                       cell(format_labels(r.o.find_path({"spec", "selector"})))});
}

std::string host_port(std::string_view ip, std::string_view port) {
    return (ip.find(':') == std::string_view::npos ? std::string(ip) : "[" + std::string(ip) + "]") + ":" + std::string(port);
}

Node endpoints(const Row& r) {
    if (r.items({"subsets"}).empty()) return Node::list({name_cell(r), cell("<none>"), age_cell(r)});
    std::vector<std::string> all;
    for (const Node& subset : r.items({"subsets"})) {
        const Node* addresses = subset.find("addresses");
        const Node* ports = subset.find("ports");
        if (!addresses) continue;
        if (!ports || ports->empty())
            for (const Node& a : addresses->items()) all.emplace_back(a.text_at("ip"));
        else
            for (const Node& port : ports->items())
                for (const Node& a : addresses->items()) all.push_back(host_port(a.text_at("ip"), port.text_at("port")));
    }
    return Node::list({name_cell(r), cell(with_more(all, 3, "")), age_cell(r)});
}

Node endpoint_slice(const Row& r) {
    std::vector<std::string> ports, addresses;
    for (const Node& p : r.items({"ports"})) {
        const Node* name = p.find("name");
        ports.emplace_back(p.contains("port") ? p.text_at("port") : name ? name->text() : "*");
    }
    for (const Node& e : r.items({"endpoints"}))
        if (const Node* list = e.find("addresses"))
            for (const Node& a : list->items()) addresses.emplace_back(a.text());
    const auto shown = [](const std::vector<std::string>& all) {
        const std::string text = with_more(all, 3, "<unset>");
        return text.empty() ? std::string("<unset>") : text;
    };
    return Node::list({name_cell(r), cell(r.text({"addressType"})), cell(shown(ports)), cell(shown(addresses)), age_cell(r)});
}

// The first three rules' hosts; a fourth rule, with a host or without, makes it "more".
std::string ingress_hosts(const Row& r) {
    const auto rules = r.items({"spec", "rules"});
    std::vector<std::string> hosts;
    bool more = false;
    for (const Node& rule : rules) {
        if (hosts.size() == 3) more = true;
        if (!more && !rule.text_at("host").empty()) hosts.emplace_back(rule.text_at("host"));
    }
    if (hosts.empty()) return "*";
    return join(hosts, ",") + (more ? " + " + std::to_string(rules.size() - 3) + " more..." : "");
}

Node ingress(const Row& r) {
    return Node::list({name_cell(r), cell(r.text({"spec", "ingressClassName"}, "<none>")), cell(ingress_hosts(r)), cell(join(balancer_addresses(r), ",")),
                       cell(r.items({"spec", "tls"}).empty() ? "80" : "80, 443"), age_cell(r)});
}

Node ingress_class(const Row& r) {
    const bool by_default = r.text({"metadata", "annotations", "ingressclass.kubernetes.io/is-default-class"}) == "true";
    std::string parameters = "<none>";
    if (r.o.find_path({"spec", "parameters"})) {
        const Node* group = r.o.find_path({"spec", "parameters", "apiGroup"});
        parameters = r.text({"spec", "parameters", "kind"}) + (group ? "." + std::string(group->text()) : "") + "/" + r.text({"spec", "parameters", "name"});
    }
    return Node::list({cell(r.text({"metadata", "name"}) + (by_default ? " (default)" : "")), cell(r.text({"spec", "controller"})), cell(parameters), age_cell(r)});
}

Node network_policy(const Row& r) { return Node::list({name_cell(r), cell(format_label_selector(r.o.find_path({"spec", "podSelector"}))), age_cell(r)}); }

// The real one prints an age without a column for it.
Node ip_address(const Row& r) {
    std::string parent = "<none>";
    if (r.o.find_path({"spec", "parentRef"})) {
        const std::string group = r.text({"spec", "parentRef", "group"}), space = r.text({"spec", "parentRef", "namespace"});
        parent = ascii_lower(r.text({"spec", "parentRef", "resource"}) + (group.empty() ? "" : "." + group));
        parent += (space.empty() ? "" : "/" + space) + "/" + r.text({"spec", "parentRef", "name"});
    }
    return Node::list({name_cell(r), cell(parent), age_cell(r)});
}

Node service_cidr(const Row& r) { return Node::list({name_cell(r), cell(join(r.texts(".spec.cidrs[*]"), ",")), age_cell(r)}); }

} // namespace

std::span<const Printer> network_printers() {
    static constexpr Printer kPrinters[] = {
        {"/endpoints", endpoints},
        {"/services", service},
        {"discovery.k8s.io/endpointslices", endpoint_slice},
        {"networking.k8s.io/ingressclasses", ingress_class},
        {"networking.k8s.io/ingresses", ingress},
        {"networking.k8s.io/ipaddresses", ip_address},
        {"networking.k8s.io/networkpolicies", network_policy},
        {"networking.k8s.io/servicecidrs", service_cidr},
    };
    return kPrinters;
}

} // namespace weber::kube::server
