// Rows of nodes, namespaces, configuration, events, access, admission and the API server's own objects.
#include <algorithm>
#include <set>

#include "kube/base/ascii.h"
#include "kube/base/join.h"
#include "kube/base/trim.h"
#include "kube/server/table.h"
#include "kube/server/table_rows.h"

namespace weber::kube::server {
namespace {

Node name_and_age(const Row& r) { return Node::list({name_cell(r), age_cell(r)}); }

Node component_status(const Row& r) {
    for (const Node& c : r.items({"conditions"}))
        if (c.text_at("type") == "Healthy")
            return Node::list({name_cell(r), cell(c.text_at("status") == "True" ? "Healthy" : "Unhealthy"), cell(c.text_at("message")), cell(c.text_at("error"))});
    return Node::list({name_cell(r), cell("Unknown"), cell(""), cell("")});
}

Node space(const Row& r) { return Node::list({name_cell(r), cell(r.text({"status", "phase"})), age_cell(r)}); }
Node secret(const Row& r) { return Node::list({name_cell(r), cell(r.text({"type"})), cell(r.size({"data"})), age_cell(r)}); }
Node config_map(const Row& r) { return Node::list({name_cell(r), cell(r.size({"data"}) + r.size({"binaryData"})), age_cell(r)}); }

std::string node_roles(const Row& r) {
    constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
    std::set<std::string> roles;
    if (const Node* labels = r.o.find_path({"metadata", "labels"}))
        for (const auto& [key, value] : labels->entries()) {
            if (key.view().starts_with(kPrefix)) {
                if (key.view().size() > kPrefix.size()) roles.emplace(key.view().substr(kPrefix.size()));
            } else if (key.view() == "kubernetes.io/role" && !value.text().empty()) {
                roles.emplace(value.text());
            }
        }
    return roles.empty() ? "<none>" : join(std::vector<std::string>(roles.begin(), roles.end()), ",");
}

std::string node_address(const Row& r, std::string_view type) {
    for (const Node& a : r.items({"status", "addresses"}))
        if (a.text_at("type") == type) return std::string(a.text_at("address"));
    return "<none>";
}

Node node(const Row& r) {
    std::string status = "Unknown";
    for (const Node& c : r.items({"status", "conditions"})) // the last one of its type counts
        if (c.text_at("type") == "Ready") status = c.text_at("status") == "True" ? "Ready" : "NotReady";
    if (r.flag({"spec", "unschedulable"})) status += ",SchedulingDisabled";
    const auto info = [&](std::string_view field, std::string_view none) { return r.text({"status", "nodeInfo", field}, none); };
    const std::string architecture = info("architecture", "");
    return Node::list({name_cell(r), cell(status), cell(node_roles(r)), age_cell(r), cell(info("kubeletVersion", "")), cell(node_address(r, "InternalIP")),
                       cell(node_address(r, "ExternalIP")), cell(info("osImage", "<unknown>")),
                       cell(info("kernelVersion", "<unknown>") + (architecture.empty() ? "" : " (" + architecture + ")")),
                       cell(info("containerRuntimeVersion", "<unknown>"))});
}

Node event(const Row& r) {
    const std::string first = r.since(r.text({"firstTimestamp"}, r.text({"eventTime"})));
    std::string last = r.text({"lastTimestamp"}).empty() ? first : r.since(r.text({"lastTimestamp"}));
    std::int64_t count = r.number({"count"});
    if (r.o.find("series")) {
        last = r.since(r.text({"series", "lastObservedTime"}));
        count = r.number({"series", "count"});
    } else if (count == 0) {
        count = 1; // events of the new API do not count
    }
    const std::string kind = ascii_lower(r.text({"involvedObject", "kind"})), name = r.text({"involvedObject", "name"});
    const std::string message = r.text({"message"});
    std::string source = r.text({"source", "component"}, r.text({"reportingComponent"}));
    if (const std::string instance = r.text({"source", "host"}, r.text({"reportingInstance"})); !instance.empty()) source += ", " + instance;
    return Node::list({cell(last), cell(r.text({"type"})), cell(r.text({"reason"})), cell(name.empty() ? kind : kind + "/" + name),
                       cell(r.text({"involvedObject", "fieldPath"})), cell(source), cell(trimmed(message)), cell(first), cell(count), name_cell(r)});
}

Node resource_quota(const Row& r) {
    std::vector<std::string> names, requests, limits;
    if (const Node* hard = r.o.find_path({"status", "hard"}))
        for (const auto& [name, value] : hard->entries()) names.push_back(name.str());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names)
        (name.starts_with("limits.") ? limits : requests).push_back(name + ": " + r.text({"status", "used", name}, "0") + "/" + r.text({"status", "hard", name}, "0"));
    return Node::list({name_cell(r), cell(join(requests, ", ")), cell(join(limits, ", ")), age_cell(r)});
}

Node binding(const Row& r) {
    std::vector<std::string> users, groups, accounts;
    for (const Node& s : r.items({"subjects"})) {
        const std::string name(s.text_at("name"));
        if (s.text_at("kind") == "User") users.push_back(name);
        if (s.text_at("kind") == "Group") groups.push_back(name);
        if (s.text_at("kind") == "ServiceAccount") accounts.push_back(std::string(s.text_at("namespace")) + "/" + name);
    }
    return Node::list({name_cell(r), cell(r.text({"roleRef", "kind"}) + "/" + r.text({"roleRef", "name"})), age_cell(r), cell(join(users, ", ")), cell(join(groups, ", ")),
                       cell(join(accounts, ", "))});
}

std::string signing_status(const Row& r) {
    std::string status = r.condition("Denied") ? "Denied" : r.condition("Approved") ? "Approved" : "Pending";
    if (r.condition("Failed")) status += ",Failed";
    if (!r.text({"status", "certificate"}).empty()) status += ",Issued";
    return status;
}

Node signing_request(const Row& r) {
    const Node* seconds = r.o.find_path({"spec", "expirationSeconds"});
    return Node::list({name_cell(r), age_cell(r), cell(r.text({"spec", "signerName"}, "<none>")), cell(r.text({"spec", "username"})),
                       cell(seconds ? human_duration(std::chrono::seconds(seconds->as_int().value_or(0))) : "<none>"), cell(signing_status(r))});
}

Node webhooks(const Row& r) { return Node::list({name_cell(r), cell(r.size({"webhooks"})), age_cell(r)}); }

Node policy(const Row& r, std::string_view rules) {
    const bool parameters = r.o.find_path({"spec", "paramKind"}) != nullptr;
    return Node::list({name_cell(r), cell(r.size({"spec", rules})),
                       cell(parameters ? r.text({"spec", "paramKind", "apiVersion"}) + "/" + r.text({"spec", "paramKind", "kind"}) : "<unset>"), age_cell(r)});
}
Node validating_policy(const Row& r) { return policy(r, "validations"); }
Node mutating_policy(const Row& r) { return policy(r, "mutations"); }

// A LabelSelector as Go prints the struct.
std::string go_selector(const Node& selector) {
    std::string out = "&LabelSelector{MatchLabels:map[string]string{";
    std::vector<std::string> labels;
    if (const Node* map = selector.find("matchLabels"))
        for (const auto& [key, value] : map->entries()) labels.push_back(key.str() + ": " + std::string(value.text()) + ",");
    std::sort(labels.begin(), labels.end());
    out += join(labels, "") + "},MatchExpressions:[]LabelSelectorRequirement{";
    if (const Node* list = selector.find("matchExpressions"))
        for (const Node& e : list->items()) {
            std::vector<std::string> values;
            if (const Node* v = e.find("values"))
                for (const Node& text : v->items()) values.emplace_back(text.text());
            out += "LabelSelectorRequirement{Key:" + std::string(e.text_at("key")) + ",Operator:" + std::string(e.text_at("operator")) + ",Values:[" + join(values, " ") + "],},";
        }
    return out + "},}";
}

Node policy_binding(const Row& r) {
    std::string parameter = "<unset>";
    const std::string name = r.text({"spec", "paramRef", "name"});
    if (!name.empty())
        parameter = r.text({"spec", "paramRef", "namespace"}, "*") + "/" + name;
    else if (const Node* selector = r.o.find_path({"spec", "paramRef", "selector"}))
        parameter = go_selector(*selector);
    return Node::list({name_cell(r), cell(r.text({"spec", "policyName"})), cell(parameter), age_cell(r)});
}

Node lease(const Row& r) { return Node::list({name_cell(r), cell(r.text({"spec", "holderIdentity"})), age_cell(r)}); }
Node runtime_class(const Row& r) { return Node::list({name_cell(r), cell(r.text({"handler"})), age_cell(r)}); }

Node flow_schema(const Row& r) {
    const Node* dangling = r.condition("Dangling");
    return Node::list({name_cell(r), cell(r.text({"spec", "priorityLevelConfiguration", "name"})), cell(r.number({"spec", "matchingPrecedence"})),
                       cell(r.text({"spec", "distinguisherMethod", "type"}, "<none>")), age_cell(r), cell(dangling ? dangling->text_at("status") : "?")});
}

Node priority_level(const Row& r) {
    const auto number = [&](std::initializer_list<std::string_view> path) { return r.o.find_path(path) ? cell(r.number(path)) : cell("<none>"); };
    return Node::list({name_cell(r), cell(r.text({"spec", "type"})), number({"spec", "limited", "nominalConcurrencyShares"}),
                       number({"spec", "limited", "limitResponse", "queuing", "queues"}), number({"spec", "limited", "limitResponse", "queuing", "handSize"}),
                       number({"spec", "limited", "limitResponse", "queuing", "queueLengthLimit"}), age_cell(r)});
}

Node api_service(const Row& r) {
    std::string available = "Unknown";
    if (const Node* c = r.condition("Available")) {
        available = c->text_at("status");
        if (available != "True" && !c->text_at("reason").empty()) available += " (" + std::string(c->text_at("reason")) + ")";
    }
    const bool remote = r.o.find_path({"spec", "service"}) != nullptr;
    return Node::list({name_cell(r), cell(remote ? r.text({"spec", "service", "namespace"}) + "/" + r.text({"spec", "service", "name"}) : "Local"), cell(available), age_cell(r)});
}

} // namespace

std::span<const Printer> cluster_printers() {
    static constexpr Printer kPrinters[] = {
        {"/componentstatuses", component_status},
        {"/configmaps", config_map},
        {"/events", event},
        {"/namespaces", space},
        {"/nodes", node},
        {"/resourcequotas", resource_quota},
        {"/secrets", secret},
        {"/serviceaccounts", name_and_age},
        {"admissionregistration.k8s.io/mutatingadmissionpolicies", mutating_policy},
        {"admissionregistration.k8s.io/mutatingadmissionpolicybindings", policy_binding},
        {"admissionregistration.k8s.io/mutatingwebhookconfigurations", webhooks},
        {"admissionregistration.k8s.io/validatingadmissionpolicies", validating_policy},
        {"admissionregistration.k8s.io/validatingadmissionpolicybindings", policy_binding},
        {"admissionregistration.k8s.io/validatingwebhookconfigurations", webhooks},
        {"apiregistration.k8s.io/apiservices", api_service},
        {"certificates.k8s.io/certificatesigningrequests", signing_request},
        {"coordination.k8s.io/leases", lease},
        {"flowcontrol.apiserver.k8s.io/flowschemas", flow_schema},
        {"flowcontrol.apiserver.k8s.io/prioritylevelconfigurations", priority_level},
        {"node.k8s.io/runtimeclasses", runtime_class},
        {"rbac.authorization.k8s.io/clusterrolebindings", binding},
        {"rbac.authorization.k8s.io/rolebindings", binding},
    };
    return kPrinters;
}

} // namespace weber::kube::server
