#include "kube/server/service_alloc.h"

#include <set>

#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

std::string_view spec_text(const Node& service, std::string_view field) {
    const Node* spec = service.find("spec");
    return spec ? spec->text_at(field) : std::string_view();
}

bool needs_cluster_ip(const Node& service) { return spec_text(service, "type") != "ExternalName"; }

bool needs_node_port(const Node& service) {
    const auto type = spec_text(service, "type");
    if (type == "NodePort") return true;
    if (type != "LoadBalancer") return false;
    const Node* allocate = service.find_path({"spec", "allocateLoadBalancerNodePorts"});
    return !allocate || allocate->as_bool(true);
}

std::set<int> node_ports(const Node& service) {
    std::set<int> out;
    if (const Node* ports = service.find_path({"spec", "ports"}))
        for (const auto& p : ports->items())
            if (const Node* n = p.find("nodePort"); n && n->as_int().value_or(0) > 0) out.insert(static_cast<int>(*n->as_int()));
    if (const Node* n = service.find_path({"spec", "healthCheckNodePort"}); n && n->as_int().value_or(0) > 0)
        out.insert(static_cast<int>(*n->as_int()));
    return out;
}

ApiError refused(const Node& service, std::string field, std::string value, std::string why) {
    return invalid("Service", "", meta_text(service, "name"),
                   {{"FieldValueInvalid", "Invalid value: " + std::move(value) + ": " + std::move(why), std::move(field)}});
}

bool externally_accessible(const Node& service) {
    const auto type = spec_text(service, "type");
    const Node* ips = service.find_path({"spec", "externalIPs"});
    return type == "LoadBalancer" || type == "NodePort" || (type == "ClusterIP" && ips && !ips->empty());
}

bool needs_health_check(const Node& service) {
    return spec_text(service, "type") == "LoadBalancer" && spec_text(service, "externalTrafficPolicy") == "Local";
}

// What only another type of Service has goes when the type changes and nobody set it anew.
void drop_left_over(Node& service, const Node& live) {
    Node& spec = service.get_or_insert("spec");
    const auto drop = [&](std::string_view field, bool needed) {
        const Node *now = spec.find(field), *before = live.find_path({"spec", field});
        if (!needed && now && before && *now == *before) spec.erase(field);
    };
    drop("externalTrafficPolicy", externally_accessible(service));
    drop("healthCheckNodePort", needs_health_check(service));
    const bool balanced = spec_text(service, "type") == "LoadBalancer";
    drop("allocateLoadBalancerNodePorts", balanced);
    drop("loadBalancerClass", balanced);
}

// Values of the live Service that the new one left open.
void carry_over(Node& service, const Node& live) {
    drop_left_over(service, live);
    Node& spec = service.get_or_insert("spec");
    if (needs_cluster_ip(live) && needs_cluster_ip(service)) {
        for (const auto field : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
            const Node* now = spec.find(field);
            const Node* old = live.find_path({"spec", field});
            if (old && (!now || now->is_null() || (now->is_string() ? now->text().empty() : now->empty()))) spec.set(field, *old);
        }
    }
    if (!needs_node_port(live) || !needs_node_port(service) || !spec.contains("ports")) return;
    std::set<int> used;
    const auto before = node_ports(live);
    for (const int p : node_ports(service))
        if (before.contains(p)) used.insert(p);
    Node* ports = spec.find_mut("ports");
    for (Node& port : ports->items_mut()) {
        if (const Node* n = port.find("nodePort"); n && n->as_int().value_or(0) != 0) continue;
        for (const auto& old : live.find_path({"spec", "ports"})->items()) {
            const Node* n = old.find("nodePort");
            if (old.text_at("name") == port.text_at("name") && n && !used.contains(static_cast<int>(n->as_int().value_or(0))))
                port.set("nodePort", *n);
        }
    }
}

Api<void> allocate_ip(Allocator& allocator, Node& service, const Node& live) {
    Node& spec = service.get_or_insert("spec");
    if (!needs_cluster_ip(service)) {
        if (!live.is_null()) {
            allocator.free_ip(spec_text(live, "clusterIP"));
            for (const auto field : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"})
                if (const Node* old = live.find_path({"spec", field}); old && spec.find(field) && *spec.find(field) == *old)
                    spec.erase(field);
        }
        return {};
    }
    std::string ip(spec.text_at("clusterIP"));
    if (ip.empty())
        if (const Node* list = spec.find("clusterIPs"); list && !list->empty()) ip = list->items()[0].text();
    const bool headless = ip == "None";
    if (!headless && !ip.empty() && ip != spec_text(live, "clusterIP")) {
        if (!Allocator::in_range(ip))
            return refuse(refused(service, "spec.clusterIPs", "[\"" + ip + "\"]",
                                  "failed to allocate IP " + ip + ": the provided network does not match the current range"));
        if (!allocator.take_ip(ip))
            return refuse(refused(service, "spec.clusterIPs", "[\"" + ip + "\"]",
                                  "failed to allocate IP " + ip + ": provided IP is already allocated"));
    }
    if (ip.empty()) ip = allocator.take_ip();
    if (ip.empty()) return refuse(internal_error("failed to allocate a serviceIP: range is full"));
    spec.set("clusterIP", Node::string(ip));
    if (!spec.contains("clusterIPs") || spec.find("clusterIPs")->empty()) spec.set("clusterIPs", Node::list({Node::string(ip)}));
    const Node* selector = spec.find("selector");
    const bool dual = headless && (!selector || selector->empty());
    if (spec.text_at("ipFamilyPolicy").empty()) spec.set("ipFamilyPolicy", Node::string(dual ? "RequireDualStack" : "SingleStack"));
    if (!spec.contains("ipFamilies") || spec.find("ipFamilies")->empty()) {
        spec.set("ipFamilies", Node::list({Node::string("IPv4")}));
        if (dual && spec.text_at("ipFamilyPolicy") != "SingleStack")
            spec.find_mut("ipFamilies")->push_back(Node::string("IPv6"));
    }
    return {};
}

Api<void> allocate_ports(Allocator& allocator, Node& service, const Node& live) {
    const auto before = live.is_null() ? std::set<int>() : node_ports(live);
    Node& spec = service.get_or_insert("spec");
    if (needs_node_port(service) && spec.contains("ports")) {
        std::size_t index = 0;
        for (Node& port : spec.find_mut("ports")->items_mut()) {
            const Node* given = port.find("nodePort");
            const int n = given ? static_cast<int>(given->as_int().value_or(0)) : 0;
            const std::string field = "spec.ports[" + std::to_string(index++) + "].nodePort";
            if (n == 0) {
                port.set("nodePort", Node::integer(allocator.take_port()));
            } else if (!before.contains(n) && !allocator.take_port(n)) {
                return refuse(refused(service, field, std::to_string(n),
                                      Allocator::port_in_range(n)
                                          ? "provided port is already allocated"
                                          : "provided port is not in the valid range. The range of valid ports is 30000-32767"));
            }
        }
    } else if (!live.is_null() && spec.contains("ports") && spec_text(service, "type") == "ClusterIP") {
        for (Node& port : spec.find_mut("ports")->items_mut()) // a type that needs none gives kept ones back
            if (const Node* n = port.find("nodePort"); n && before.contains(static_cast<int>(n->as_int().value_or(0))))
                port.erase("nodePort");
    }
    if (needs_health_check(service)) {
        const Node* given = spec.find("healthCheckNodePort");
        const Node* old = live.find_path({"spec", "healthCheckNodePort"});
        if (!given || given->as_int().value_or(0) == 0) spec.set("healthCheckNodePort", old ? *old : Node::integer(allocator.take_port()));
    }
    const auto now = node_ports(service);
    for (const int p : before)
        if (!now.contains(p)) allocator.free_port(p);
    return {};
}

} // namespace

Api<void> allocate_service(Allocator& allocator, Node& service, const Node& live) {
    if (!live.is_null()) carry_over(service, live);
    API_TRY_VOID(allocate_ip(allocator, service, live));
    return allocate_ports(allocator, service, live);
}

void release_service(Allocator& allocator, const Node& service) {
    allocator.free_ip(spec_text(service, "clusterIP"));
    for (const int p : node_ports(service)) allocator.free_port(p);
}

void claim_service(Allocator& allocator, const Node& service) {
    allocator.take_ip(spec_text(service, "clusterIP"));
    for (const int p : node_ports(service)) allocator.take_port(p);
}

} // namespace weber::kube::server
