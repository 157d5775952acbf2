#include "kube/server/quota.h"

#include <algorithm>
#include <array>
#include <set>

#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kQuotas = "/resourcequotas";
constexpr std::string_view kOfStorageClass = ".storageclass.storage.k8s.io/";
using Usage = Resources;
using Names = std::set<std::string>;

Quantity number(std::int64_t n) { return {static_cast<__int128>(n) * 1'000'000'000, Quantity::Format::decimal}; }

// What requests and limits count as: "cpu" and "requests.cpu", "limits.cpu" …
Usage compute_usage(const Usage& requests, const Usage& limits) {
    Usage out{{"pods", number(1)}};
    for (const auto& [name, q] : requests) {
        const bool native = name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-");
        if (native) out[name] = q;
        if (native || name.find('/') != std::string::npos) out["requests." + name] = q;
    }
    for (const auto name : {"cpu", "memory", "ephemeral-storage"})
        if (const auto it = limits.find(name); it != limits.end()) out[std::string("limits.") + name] = it->second;
    return out;
}

Usage pod_usage(const Node& pod) {
    const Node* phase = pod.find_path({"status", "phase"});
    if (phase && (phase->text() == "Failed" || phase->text() == "Succeeded")) return {};
    Usage requests = pod_resources(pod, "requests"), limits = pod_resources(pod, "limits");
    for (const auto& [name, q] : resources_of(pod.find_path({"spec", "overhead"}))) {
        if (const auto [it, fresh] = requests.emplace(name, q); !fresh) it->second.nanos += q.nanos;
        if (const auto it = limits.find(name); it != limits.end()) it->second.nanos += q.nanos;
    }
    return compute_usage(requests, limits);
}

Usage service_usage(const Node& service) {
    const Node* spec = service.find("spec");
    const auto type = spec ? spec->text_at("type") : std::string_view();
    const Node *ports = spec ? spec->find("ports") : nullptr, *allocate = spec ? spec->find("allocateLoadBalancerNodePorts") : nullptr;
    std::int64_t node_ports = 0;
    if (ports && (type == "NodePort" || type == "LoadBalancer"))
        for (const Node& p : ports->items())
            if (type == "NodePort" || !allocate || allocate->as_bool() || (p.find("nodePort") && p.find("nodePort")->as_int().value_or(0) != 0)) ++node_ports;
    return {{"services", number(1)}, {"services.nodeports", number(node_ports)}, {"services.loadbalancers", number(type == "LoadBalancer" ? 1 : 0)}};
}

Usage claim_usage(const Node& claim) {
    Usage out{{"persistentvolumeclaims", number(1)}};
    const Node *old = claim.find_path({"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"}), *named = claim.find_path({"spec", "storageClassName"});
    const std::string of_class = std::string(old ? old->text() : named ? named->text() : std::string_view());
    if (!of_class.empty()) out[of_class + std::string(kOfStorageClass) + "persistentvolumeclaims"] = number(1);
    const Node* size = claim.find_path({"spec", "resources", "requests", "storage"});
    if (const auto q = size ? parse_quantity(size->text()) : std::nullopt) {
        out["requests.storage"] = *q;
        if (!of_class.empty()) out[of_class + std::string(kOfStorageClass) + "requests.storage"] = *q;
    }
    return out;
}

std::string count_name(const ResourceInfo& resource) { return "count/" + qualified(resource.plural, resource.group); }

bool counted_by_name(std::string_view id) { return id == "/configmaps" || id == "/secrets" || id == "/replicationcontrollers" || id == kQuotas; }

Usage usage_of(const ResourceInfo& resource, const Node& obj) {
    const std::string id = resource.id();
    Usage out = id == "/pods" ? pod_usage(obj) : id == "/services" ? service_usage(obj) : id == "/persistentvolumeclaims" ? claim_usage(obj) : Usage();
    if (counted_by_name(id)) out[resource.plural] = number(1);
    out[count_name(resource)] = number(1);
    return out;
}

bool tracked_of_pods(std::string_view name) {
    constexpr std::array<std::string_view, 10> kNames{"cpu",          "memory",        "ephemeral-storage",         "requests.cpu", "requests.memory", "requests.ephemeral-storage",
                                                      "limits.cpu",   "limits.memory", "limits.ephemeral-storage", "pods"};
    if (std::ranges::find(kNames, name) != kNames.end()) return true;
    return name.starts_with("hugepages-") || name.starts_with("requests.hugepages-") || (name.starts_with("requests.") && name.find('/') != std::string_view::npos);
}

// Does a quota for `name` have to do with objects of this kind?
bool tracked(const ResourceInfo& resource, const std::string& name) {
    const std::string id = resource.id();
    if (name == count_name(resource) || (counted_by_name(id) && name == resource.plural)) return true;
    if (id == "/services") return name == "services" || name == "services.nodeports" || name == "services.loadbalancers";
    const auto plain = name.find(kOfStorageClass) == std::string::npos ? name : name.substr(name.find(kOfStorageClass) + kOfStorageClass.size());
    if (id == "/persistentvolumeclaims") return plain == "persistentvolumeclaims" || plain == "requests.storage";
    return id == "/pods" && tracked_of_pods(name);
}

bool across_namespaces(const Node* terms) {
    return terms && std::ranges::any_of(terms->items(), [](const Node& t) {
               const Node& term = t.find("podAffinityTerm") ? *t.find("podAffinityTerm") : t;
               const Node* names = term.find("namespaces");
               return (names && !names->empty()) || term.contains("namespaceSelector");
           });
}

bool pod_in_scope(const Node& pod, std::string_view scope, std::string_view op, const Node* values) {
    const Node* spec = pod.find("spec");
    if (!spec) return false;
    const Node *deadline = spec->find("activeDeadlineSeconds"), *qos = pod.find_path({"status", "qosClass"});
    const bool ends = deadline && deadline->as_int().value_or(-1) >= 0, best_effort = qos && qos->text() == "BestEffort";
    if (scope == "Terminating" || scope == "NotTerminating") return ends == (scope == "Terminating");
    if (scope == "BestEffort" || scope == "NotBestEffort") return best_effort == (scope == "BestEffort");
    if (scope == "CrossNamespacePodAffinity") {
        for (const auto kind : {"podAffinity", "podAntiAffinity"})
            for (const auto when : {"requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"})
                if (across_namespaces(spec->find_path({"affinity", kind, when}))) return true;
        return false;
    }
    if (scope != "PriorityClass") return false;
    const auto name = spec->text_at("priorityClassName");
    const bool in = !name.empty() && values && std::ranges::any_of(values->items(), [&](const Node& v) { return v.text() == name; });
    return op == "In" ? in : op == "NotIn" ? !in : (op == "DoesNotExist") == name.empty();
}

bool in_scopes(const Node& quota, const ResourceInfo& resource, const Node& obj) {
    const bool pod = resource.id() == "/pods";
    if (const Node* scopes = quota.find_path({"spec", "scopes"}))
        for (const Node& s : scopes->items())
            if (!pod || !pod_in_scope(obj, s.text(), "Exists", nullptr)) return false;
    if (const Node* list = quota.find_path({"spec", "scopeSelector", "matchExpressions"}))
        for (const Node& e : list->items())
            if (!pod || !pod_in_scope(obj, e.text_at("scopeName"), e.text_at("operator"), e.find("values"))) return false;
    return true;
}

std::string joined(const Names& names) {
    std::string out;
    for (const auto& n : names) out += (out.empty() ? "" : ",") + n;
    return out;
}

std::string shown(const Usage& usage, const Names& names) {
    std::string out;
    for (const auto& n : names)
        if (const auto it = usage.find(n); it != usage.end()) out += (out.empty() ? "" : ",") + n + "=" + to_string(it->second);
    return out;
}

// Who limits cpu or memory wants every container to name them: "must specify limits.cpu for: a,b".
std::string missing_resources(const Node& pod, const Names& names) {
    const Node* own = pod.find_path({"spec", "resources"});
    if (own && (own->contains("requests") || own->contains("limits"))) return {};
    std::string out;
    for (const auto& name : names) {
        if (name.find("cpu") == std::string::npos && name.find("memory") == std::string::npos) continue;
        Names lacking;
        for (const auto list : {"containers", "initContainers"})
            if (const Node* containers = pod.find_path({"spec", list}))
                for (const Node& c : containers->items())
                    if (!compute_usage(resources_of(c.find_path({"resources", "requests"})), resources_of(c.find_path({"resources", "limits"}))).contains(name)) lacking.emplace(c.text_at("name"));
        if (!lacking.empty()) out += (out.empty() ? "must specify " : "; ") + name + " for: " + joined(lacking);
    }
    return out;
}

Usage difference(const Usage& now, const Usage& before) {
    Usage out;
    for (const auto& [name, q] : now) {
        const auto it = before.find(name);
        out[name] = {std::max<__int128>(0, q.nanos - (it == before.end() ? 0 : it->second.nanos)), q.format};
    }
    return out;
}

Usage without_zeros(Usage usage) {
    std::erase_if(usage, [](const auto& e) { return e.second.nanos == 0; });
    return usage;
}

} // namespace

QuotaGate::QuotaGate(Core& core, const Call& call, bool is_new) : core_(core), call_(call) {
    const std::string id = call.id();
    if (!is_new && id != "/services" && id != "/persistentvolumeclaims") return; // what others use cannot change
    if (call.path.ns.empty() || !call.path.subresource.empty() || id == "/events" || id == "events.k8s.io/events") return;
    if (core.store.list(kQuotas, call.path.ns, 1).objects.empty()) return;
    lock_ = std::unique_lock(core.quota_mutex);
    quotas_ = core.store.list(kQuotas, call.path.ns).objects;
}

Api<void> QuotaGate::check(const Node& obj, const Node& live) {
    charges_.clear();
    const ResourceInfo& resource = *call_.resource;
    const std::string id = resource.id();
    const auto refused = [&](const std::string& why) { return refuse(forbidden(resource.plural, resource.group, meta_text(obj, "name"), why)); };
    for (const auto& stored : quotas_) {
        const Node quota = parse_stored(*stored);
        const Usage hard = resources_of(quota.find_path({"status", "hard"})), used = resources_of(quota.find_path({"status", "used"}));
        Names names;
        for (const auto& [name, q] : hard)
            if (tracked(resource, name)) names.insert(name);
        if (names.empty() || !in_scopes(quota, resource, obj)) continue;
        if (const std::string why = id == "/pods" ? missing_resources(obj, names) : std::string(); !why.empty()) return refused("failed quota: " + stored->name + ": " + why);
        if (std::ranges::any_of(names, [&](const std::string& n) { return !used.contains(n); }))
            return refused("status unknown for quota: " + stored->name + ", resources: " + joined(names));
        Usage more = usage_of(resource, obj);
        if (!live.is_null() && in_scopes(quota, resource, live)) more = difference(more, usage_of(resource, live));
        std::erase_if(more, [&](const auto& e) { return !hard.contains(e.first); });
        more = without_zeros(std::move(more));
        Names exceeded;
        for (const auto& [name, q] : more)
            if (used.at(name).nanos + q.nanos > hard.at(name).nanos) exceeded.insert(name);
        if (!exceeded.empty())
            return refused("exceeded quota: " + stored->name + ", requested: " + shown(more, exceeded) + ", used: " + shown(used, exceeded) + ", limited: " + shown(hard, exceeded));
        if (!more.empty()) charges_.push_back({stored->name, std::move(more)});
    }
    return {};
}

void QuotaGate::charge() {
    const ResourcePtr quotas = charges_.empty() ? nullptr : core_.registry()->find_id(kQuotas);
    if (!quotas) return;
    for (const auto& c : charges_)
        (void)core_.edit(
            *quotas, call_.path.ns, c.name,
            [&](Node& quota) {
                Node& used = quota.get_or_insert("status").get_or_insert("used");
                for (const auto& [name, q] : c.more) {
                    auto sum = parse_quantity(used.text_at(name)).value_or(Quantity{0, q.format});
                    if (sum.nanos == 0) sum.format = q.format; // as adding to Go's zero
                    sum.nanos += q.nanos;
                    used.set(name, Node::string(to_string(sum)));
                }
                return true;
            },
            "kube-apiserver", "status");
    charges_.clear();
}

void count_quota(Core& core, std::string_view ns, std::string_view name) {
    const RegistryPtr registry = core.registry();
    const ResourcePtr quotas = registry->find_id(kQuotas);
    const std::lock_guard lock(core.quota_mutex);
    const ObjectPtr stored = core.store.get(kQuotas, ns, name);
    if (!stored || !quotas) return;
    const Node quota = parse_stored(*stored);
    const Node* hard = quota.find_path({"spec", "hard"});
    Usage used;
    for (const auto& g : registry->groups())
        for (const auto& r : g.resources) {
            Names names;
            for (const auto& [key, value] : resources_of(hard))
                if (r->namespaced && tracked(*r, key)) names.insert(key);
            if (names.empty()) continue;
            for (const auto& n : names) used.emplace(n, number(0));
            for (const auto& o : core.store.list(r->id(), ns).objects) {
                const Node obj = parse_stored(*o);
                if (!in_scopes(quota, *r, obj)) continue;
                for (const auto& [key, q] : usage_of(*r, obj))
                    if (names.contains(key)) used[key] = {used[key].nanos + q.nanos, used[key].nanos == 0 ? q.format : used[key].format};
            }
        }
    Node status = Node::map();
    if (hard && !hard->empty()) status.set("hard", *hard);
    if (!used.empty()) {
        Node list = Node::map();
        for (const auto& [key, q] : used) list.set(key, Node::string(to_string(q)));
        status.set("used", std::move(list));
    }
    (void)core.edit(
        *quotas, ns, name,
        [&](Node& q) {
            q.set("status", status);
            return true;
        },
        "kube-controller-manager", "status");
}

} // namespace weber::kube::server
