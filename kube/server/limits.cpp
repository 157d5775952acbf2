#include "kube/server/limits.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kAnnotation = "kubernetes.io/limit-ranger";

void add(Resources& sum, const Resources& more) {
    for (const auto& [name, q] : more)
        if (const auto [it, fresh] = sum.emplace(name, q); !fresh) it->second.nanos += q.nanos;
}

void raise_to(Resources& most, const Resources& other) {
    for (const auto& [name, q] : other)
        if (const auto [it, fresh] = most.emplace(name, q); !fresh && it->second < q) it->second = q;
}

std::vector<Node> limits_of(const Core& core, std::string_view ns) {
    std::vector<Node> out;
    for (const auto& o : core.store.list("/limitranges", ns).objects) {
        const Node range = parse_stored(*o);
        if (const Node* list = range.find_path({"spec", "limits"}))
            for (const Node& limit : list->items()) out.push_back(limit);
    }
    return out;
}

// Sets what `defaults` has and `container` lacks; the names of what was set, in order.
std::string set_missing(Node& container, std::string_view which, const Node* defaults) {
    std::vector<std::string> names;
    for (const auto& e : defaults && defaults->is_map() ? defaults->entries() : std::span<const Node::Entry>()) {
        Node& list = container.get_or_insert("resources").get_or_insert(which);
        if (list.contains(e.key)) continue;
        list.set(e.key, e.value);
        names.push_back(e.key.str());
    }
    std::ranges::sort(names);
    std::string out;
    for (const auto& n : names) out += (out.empty() ? "" : ", ") + n;
    return out;
}

// One bound on one set of resources. Words are the plugin's.
class Check {
public:
    Check(std::string type, Resources requests, Resources limits) : type_(std::move(type)), requests_(std::move(requests)), limits_(std::move(limits)) {}

    void at_least(const std::string& name, const Quantity& bound, std::vector<std::string>& out) const {
        const auto request = find(requests_, name), limit = find(limits_, name);
        const std::string start = "minimum " + name + " usage per " + type_ + " is " + to_string(bound);
        if (!request)
            out.push_back(start + ".  No request is specified");
        else if (*request < bound)
            out.push_back(start + ", but request is " + to_string(*request));
        else if (limit && *limit < bound)
            out.push_back(start + ", but limit is " + to_string(*limit));
    }
    void at_most(const std::string& name, const Quantity& bound, bool requests_only, std::vector<std::string>& out) const {
        const auto request = find(requests_, name), limit = find(limits_, name);
        const std::string start = "maximum " + name + " usage per " + type_ + " is " + to_string(bound);
        if (requests_only ? !request : !limit)
            out.push_back(start + (requests_only ? ".  No request is specified" : ".  No limit is specified"));
        else if (!requests_only && *limit > bound)
            out.push_back(start + ", but limit is " + to_string(*limit));
        else if (request && *request > bound)
            out.push_back(start + ", but request is " + to_string(*request));
    }
    void ratio(const std::string& name, const Quantity& bound, std::vector<std::string>& out) const {
        const auto request = find(requests_, name), limit = find(limits_, name);
        const std::string start = name + " max limit to request ratio per " + type_ + " is " + to_string(bound);
        if (!request || request->nanos == 0) {
            out.push_back(start + ", but no request is specified or request is 0");
        } else if (!limit || limit->nanos == 0) {
            out.push_back(start + ", but no limit is specified or limit is 0");
        } else if (const double got = static_cast<double>(limit->nanos) / static_cast<double>(request->nanos); got * 1e9 > static_cast<double>(bound.nanos)) {
            char text[64];
            (void)std::snprintf(text, sizeof text, "%f", got);
            out.push_back(start + ", but provided ratio is " + text);
        }
    }

private:
    static std::optional<Quantity> find(const Resources& list, const std::string& name) {
        const auto it = list.find(name);
        return it == list.end() ? std::nullopt : std::optional(it->second);
    }
    std::string type_;
    Resources requests_, limits_;
};

void check_bounds(const Node& limit, const Check& check, bool claim, std::vector<std::string>& out) {
    for (const auto& [name, q] : resources_of(limit.find("min"))) check.at_least(name, q, out);
    for (const auto& [name, q] : resources_of(limit.find("max"))) check.at_most(name, q, claim, out);
    if (claim) return;
    for (const auto& [name, q] : resources_of(limit.find("maxLimitRequestRatio"))) check.ratio(name, q, out);
}

void check_limit(const Node& limit, const Node& obj, bool pod, std::vector<std::string>& out) {
    const std::string type(limit.text_at("type"));
    if (!pod) {
        if (type == "PersistentVolumeClaim") check_bounds(limit, Check(type, resources_of(obj.find_path({"spec", "resources", "requests"})), {}), true, out);
        return;
    }
    if (type == "Pod") check_bounds(limit, Check(type, pod_resources(obj, "requests"), pod_resources(obj, "limits")), false, out);
    if (type != "Container") return;
    for (const auto list : {"containers", "initContainers"})
        if (const Node* containers = obj.find_path({"spec", list}))
            for (const Node& c : containers->items())
                check_bounds(limit, Check(type, resources_of(c.find_path({"resources", "requests"})), resources_of(c.find_path({"resources", "limits"}))), false, out);
}

} // namespace

Resources resources_of(const Node* list) {
    Resources out;
    if (!list || !list->is_map()) return out;
    for (const auto& e : list->entries())
        if (const auto q = parse_quantity(e.value.text())) out.emplace(e.key.str(), *q);
    return out;
}

Resources pod_resources(const Node& pod, std::string_view which) {
    Resources sum, sidecars, starting;
    const Node* spec = pod.find("spec");
    if (!spec) return sum;
    if (const Node* list = spec->find("containers"))
        for (const Node& c : list->items()) add(sum, resources_of(c.find_path({"resources", which})));
    if (const Node* list = spec->find("initContainers"))
        for (const Node& c : list->items()) {
            Resources own = resources_of(c.find_path({"resources", which}));
            if (c.text_at("restartPolicy") == "Always") {
                add(sum, own);
                add(sidecars, own);
                own = sidecars;
            } else {
                add(own, sidecars);
            }
            raise_to(starting, own);
        }
    raise_to(sum, starting);
    for (const auto& [name, q] : resources_of(spec->find_path({"resources", which})))
        if (name == "cpu" || name == "memory") sum[name] = q;
    return sum;
}

void default_resources(const Core& core, Node& pod) {
    for (const auto& o : core.store.list("/limitranges", meta_text(pod, "namespace")).objects) {
        Node given = Node::map(), asked = Node::map(); // of all its limits, later ones win
        const Node range = parse_stored(*o);
        if (const Node* list = range.find_path({"spec", "limits"}))
            for (const Node& limit : list->items()) {
                if (limit.text_at("type") != "Container") continue;
                if (const Node* l = limit.find("default"))
                    for (const auto& e : l->entries()) given.set(e.key, e.value);
                if (const Node* l = limit.find("defaultRequest"))
                    for (const auto& e : l->entries()) asked.set(e.key, e.value);
            }
        std::string done;
        for (const auto& [list, word] : {std::pair{"containers", "container"}, std::pair{"initContainers", "init container"}}) {
            Node* containers = pod.get_or_insert("spec").find_mut(list);
            if (!containers || !containers->is_list()) continue;
            for (Node& c : containers->items_mut()) {
                const std::string limits = set_missing(c, "limits", &given), requests = set_missing(c, "requests", &asked);
                for (const auto& [names, what] : {std::pair{&requests, " request for "}, std::pair{&limits, " limit for "}})
                    if (!names->empty()) done += (done.empty() ? "" : "; ") + *names + what + word + " " + std::string(c.text_at("name"));
            }
        }
        if (!done.empty()) meta_mut(pod).get_or_insert("annotations").set(kAnnotation, Node::string("LimitRanger plugin set: " + done));
    }
}

Api<void> check_limits(const Core& core, const Call& call, const Node& obj, bool is_new) {
    const bool pod = call.id() == "/pods";
    if ((pod ? !is_new : call.id() != "/persistentvolumeclaims") || !call.path.subresource.empty()) return {};
    if (obj.find_path({"metadata", "deletionTimestamp"})) return {};
    std::vector<std::string> problems;
    for (const Node& limit : limits_of(core, call.path.ns)) check_limit(limit, obj, pod, problems);
    if (problems.empty()) return {};
    std::string all;
    for (auto it = problems.begin(); it != problems.end(); ++it)
        if (std::find(problems.begin(), it, *it) == it) all += (all.empty() ? "" : ", ") + *it;
    if (std::ranges::any_of(problems, [&](const std::string& p) { return p != problems.front(); })) all = "[" + all + "]";
    return refuse(forbidden(call.plural(), call.group(), meta_text(obj, "name"), all));
}

} // namespace weber::kube::server
