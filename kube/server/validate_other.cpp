#include <map>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include <set>

#include "kube/server/quantity.h"
#include "kube/server/quantity.h"
#include "kube/server/validate_rules.h"

namespace weber::kube::server {

void check_claim_spec(Problems& p, const std::string& path, const Node& spec) {
    const Node& modes = child(spec, "accessModes");
    if (modes.empty()) p.required(path + ".accessModes", "at least 1 access mode is required");
    check_label_selector(p, path + ".selector", spec.find("selector"));
    for (const Node& m : modes.items())
        p.one_of(path + ".accessModes", m.text(), {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"});
    const Node* storage = spec.find_path({"resources", "requests", "storage"});
    const std::string here = path + ".resources[storage]";
    const auto size = storage ? parse_quantity(storage->text()) : std::nullopt;
    if (!storage)
        p.required(here);
    else if (size && size->nanos <= 0)
        p.invalid(here, *storage, "must be greater than zero");
    if (const auto name = spec.text_at("storageClassName"); !name.empty()) p.invalid_all(path + ".storageClassName", name, dns_subdomain(name));
    if (const auto mode = spec.text_at("volumeMode"); !mode.empty()) p.one_of(path + ".volumeMode", mode, {"Block", "Filesystem"});
}

namespace {

constexpr std::size_t kMaxData = 1024 * 1024;
constexpr const char* kImmutable = "field is immutable when `immutable` is set";

// `fields` hold the content; an immutable object keeps it.
void check_immutable(Problems& p, const Node& obj, const Node& live, std::initializer_list<std::string_view> fields) {
    if (live.is_null() || !child(live, "immutable").as_bool()) return;
    if (!child(obj, "immutable").as_bool()) p.forbidden("immutable", kImmutable);
    for (const auto f : fields)
        if (!same_meaning(obj.find(f), live.find(f))) p.forbidden(std::string(f), kImmutable);
}

void config_map(Problems& p, const Node& obj, const Node& live) {
    check_immutable(p, obj, live, {"data", "binaryData"});
    std::size_t bytes = 0;
    const Node &data = child(obj, "data"), &binary = child(obj, "binaryData");
    for (const auto& e : data.entries()) {
        p.invalid_all(key_of("data", e.key.view()), e.key.view(), config_key(e.key.view()));
        if (binary.contains(e.key.view())) p.invalid(key_of("data", e.key.view()), e.key.view(), "duplicate of key present in binaryData");
        bytes += e.value.text().size();
    }
    for (const auto& e : binary.entries()) {
        p.invalid_all(key_of("binaryData", e.key.view()), e.key.view(), config_key(e.key.view()));
        bytes += e.value.text().size() / 4 * 3;
    }
    if (bytes > kMaxData) p.too_long("[]", kMaxData);
}

void secret(Problems& p, const Node& obj, const Node& live) {
    if (!live.is_null()) p.immutable("type", obj.find("type"), live.find("type"));
    check_immutable(p, obj, live, {"data"});
    std::size_t bytes = 0;
    const Node& data = child(obj, "data");
    for (const auto& e : data.entries()) {
        p.invalid_all(key_of("data", e.key.view()), e.key.view(), config_key(e.key.view()));
        bytes += e.value.text().size() / 4 * 3;
    }
    if (bytes > kMaxData) p.too_long("data", kMaxData);
    const auto type = obj.text_at("type");
    const auto need = [&](std::string_view key) {
        if (!data.contains(key)) p.required(key_of("data", key));
        return data.contains(key);
    };
    const auto need_json = [&](std::string_view key) {
        if (!need(key)) return;
        const auto text = base64_decode(data.text_at(key));
        const auto json = text ? read_json(*text) : Result<Node>(fail(ErrorCode::invalid, ""));
        if (json && (json->is_map() || json->is_null())) return;
        std::string why = "invalid character in the value: it is no JSON object"; // Go's words would quote a character of it
        if (text && text->empty()) why = "unexpected end of JSON input";
        if (json) why = "json: cannot unmarshal " + std::string(json->is_number() ? "number" : json->is_list() ? "array" : json->kind_word()) + " into Go value of type map[string]interface {}";
        p.invalid(key_of("data", key), "<secret contents redacted>", why);
    };
    if (type == "kubernetes.io/service-account-token" &&
        child(child(obj, "metadata"), "annotations").text_at("kubernetes.io/service-account.name").empty())
        p.required("metadata.annotations[kubernetes.io/service-account.name]");
    if (type == "kubernetes.io/dockercfg") need_json(".dockercfg");
    if (type == "kubernetes.io/dockerconfigjson") need_json(".dockerconfigjson");
    if (type == "kubernetes.io/basic-auth" && !data.contains("username") && !data.contains("password")) {
        need("username");
        need("password");
    }
    if (type == "kubernetes.io/ssh-auth" && data.text_at("ssh-privatekey").empty()) p.required("data[ssh-privatekey]");
    if (type == "kubernetes.io/tls") {
        need("tls.crt");
        need("tls.key");
    }
}

void claim(Problems& p, const Node& obj, const Node& live) {
    check_claim_spec(p, "spec", child(obj, "spec"));
    if (live.is_null()) return;
    Node now = child(obj, "spec"), before = child(live, "spec");
    if (before.text_at("volumeName").empty()) now.erase("volumeName");
    if (!before.contains("storageClassName")) now.erase("storageClassName"); // a class may come later, by default
    const bool bound = child(live, "status").text_at("phase") == "Bound";
    if (bound)
        for (Node* n : {&now, &before}) {
            if (Node* r = n->find_mut("resources"); r && r->is_map())
                if (Node* requests = r->find_mut("requests"); requests && requests->is_map()) requests->erase("storage");
            n->erase("volumeAttributesClassName");
        }
    if (!(now == before))
        p.forbidden("spec", "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");
    const auto size = [](const Node& n, std::string_view part, std::string_view list) {
        const auto q = parse_quantity(child(child(child(n, part), list), "storage").text());
        return q ? q->nanos : 0;
    };
    const auto wanted = [](const Node& n) { // spec.resources.requests.storage
        const auto q = parse_quantity(child(child(child(child(n, "spec"), "resources"), "requests"), "storage").text());
        return q ? q->nanos : 0;
    };
    if (wanted(obj) < wanted(live) && wanted(obj) <= size(live, "status", "capacity"))
        p.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity");
    p.immutable("volumeMode", child(obj, "spec").find("volumeMode"), child(live, "spec").find("volumeMode"));
}

// ---- RBAC -------------------------------------------------------------------------------------------------------------------

void check_rules(Problems& p, const Node& obj, bool namespaced) {
    std::size_t i = 0;
    for (const Node& rule : child(obj, "rules").items()) {
        const std::string here = at("rules", i++);
        if (child(rule, "verbs").empty()) p.required(here + ".verbs", "verbs must contain at least one value");
        const Node& urls = child(rule, "nonResourceURLs");
        const bool groups = !child(rule, "apiGroups").empty(), resources = !child(rule, "resources").empty();
        if (!urls.empty()) {
            if (namespaced) p.invalid(here + ".nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs");
            if (groups || resources || !child(rule, "resourceNames").empty())
                p.invalid(here + ".nonResourceURLs", urls, "rules cannot apply to both regular resources and non-resource URLs");
            continue;
        }
        if (!groups) p.required(here + ".apiGroups", "resource rules must supply at least one api group");
        if (!resources) p.required(here + ".resources", "resource rules must supply at least one resource");
    }
}

void role(Problems& p, const Node& obj, const Node&) { check_rules(p, obj, true); }
void cluster_role(Problems& p, const Node& obj, const Node&) {
    check_rules(p, obj, false);
    const Node* aggregation = obj.find("aggregationRule");
    if (!aggregation) return;
    const Node& selectors = child(*aggregation, "clusterRoleSelectors");
    if (selectors.empty()) p.required("aggregationRule.clusterRoleSelectors", "at least one clusterRoleSelector required if aggregationRule is non-nil");
    std::size_t i = 0;
    for (const Node& s : selectors.items()) check_label_selector(p, at("aggregationRule.clusterRoleSelectors", i++), &s);
}

void check_subjects(Problems& p, const Node& obj, bool namespaced) {
    constexpr std::string_view kGroup = "rbac.authorization.k8s.io";
    std::size_t i = 0;
    for (const Node& s : child(obj, "subjects").items()) {
        const std::string here = at("subjects", i++);
        const auto name = s.text_at("name"), kind = s.text_at("kind"), group = s.text_at("apiGroup");
        if (name.empty()) p.required(here + ".name");
        if (kind == "ServiceAccount") {
            if (!name.empty()) p.invalid_all(here + ".name", name, dns_subdomain(name));
            if (!group.empty()) p.not_supported(here + ".apiGroup", Node::string(group), {""});
            if (!namespaced && s.text_at("namespace").empty()) p.required(here + ".namespace");
        } else if (kind == "User" || kind == "Group") {
            if (group != kGroup) p.not_supported(here + ".apiGroup", Node::string(group), {kGroup});
        } else {
            p.not_supported(here + ".kind", Node::string(kind), {"ServiceAccount", "User", "Group"});
        }
    }
}

void binding(Problems& p, const Node& obj, const Node& live, bool namespaced) {
    constexpr std::string_view kGroup = "rbac.authorization.k8s.io";
    const Node& ref = child(obj, "roleRef");
    if (ref.text_at("apiGroup") != kGroup) p.not_supported("roleRef.apiGroup", child(ref, "apiGroup"), {kGroup});
    const auto kind = ref.text_at("kind");
    if (kind != "ClusterRole" && !(namespaced && kind == "Role")) {
        if (namespaced)
            p.not_supported("roleRef.kind", Node::string(kind), {"Role", "ClusterRole"});
        else
            p.not_supported("roleRef.kind", Node::string(kind), {"ClusterRole"});
    }
    if (ref.text_at("name").empty())
        p.required("roleRef.name");
    else
        p.invalid_all("roleRef.name", ref.text_at("name"), path_segment(ref.text_at("name")));
    check_subjects(p, obj, namespaced);
    if (!live.is_null() && !(ref == child(live, "roleRef"))) {
        const Node shown = Node::map({{"APIGroup", child(ref, "apiGroup")}, {"Kind", child(ref, "kind")}, {"Name", child(ref, "name")}});
        p.invalid("roleRef", shown, "cannot change roleRef");
    }
}
void role_binding(Problems& p, const Node& obj, const Node& live) { binding(p, obj, live, true); }
void cluster_role_binding(Problems& p, const Node& obj, const Node& live) { binding(p, obj, live, false); }

// ---- policy, autoscaling, classes ---------------------------------------------------------------------------------------------

void disruption_budget(Problems& p, const Node& obj, const Node&) {
    const Node& spec = child(obj, "spec");
    const Node *least = spec.find("minAvailable"), *most = spec.find("maxUnavailable");
    if (least && most)
        p.invalid("spec",
                  Node::map({{"MinAvailable", *least}, {"Selector", child(spec, "selector")}, {"MaxUnavailable", *most},
                             {"UnhealthyPodEvictionPolicy", child(spec, "unhealthyPodEvictionPolicy")}}),
                  "minAvailable and maxUnavailable cannot be both set");
    for (const auto& [name, n] : {std::pair{"spec.minAvailable", least}, std::pair{"spec.maxUnavailable", most}}) {
        check_int_or_percent(p, name, n);
        check_at_most_100_percent(p, name, n);
    }
    check_label_selector(p, "spec.selector", spec.find("selector"));
    if (const auto policy = spec.text_at("unhealthyPodEvictionPolicy"); !policy.empty())
        p.one_of("spec.unhealthyPodEvictionPolicy", policy, {"AlwaysAllow", "IfHealthyBudget"});
}

void check_metrics(Problems& p, const Node& metrics) {
    static const std::map<std::string_view, const char*> kSources{{"Object", "object"}, {"Pods", "pods"}, {"Resource", "resource"},
                                                                  {"External", "external"}, {"ContainerResource", "containerResource"}};
    std::size_t i = 0;
    for (const Node& m : metrics.items()) {
        const std::string here = at("spec.metrics", i++);
        const auto type = m.text_at("type");
        if (type.empty()) p.required(here + ".type", "must specify a metric source type");
        const auto source = kSources.find(type);
        if (source == kSources.end()) {
            for (int twice = 0; twice < 2; ++twice) // once as a type, once as the type of a source
                p.not_supported(here + ".type", Node::string(type), {"ContainerResource", "External", "Object", "Pods", "Resource"});
            continue;
        }
        if (!m.contains(source->second)) p.required(here + "." + source->second, "must populate information for the given metric source");
        const Node* r = m.find("resource");
        if (!r || type != "Resource") continue;
        if (r->text_at("name").empty()) p.required(here + ".resource.name", "must specify a resource name");
        const Node& target = child(*r, "target");
        const auto kind = target.text_at("type");
        if (kind.empty()) p.required(here + ".resource.target.type", "must specify a metric target type");
        if (kind != "Utilization" && kind != "Value" && kind != "AverageValue")
            p.invalid(here + ".resource.target.type", kind, "must be either Utilization, Value, or AverageValue");
        const Node *use = target.find("averageUtilization"), *value = target.find("averageValue");
        if (use && use->as_int().value_or(1) < 1) p.invalid(here + ".resource.target.averageUtilization", *use, "must be greater than 0");
        if (!use && !value)
            p.required(here + ".resource.target.averageUtilization", "must set either a target raw value or a target utilization");
        if (use && value)
            p.forbidden(here + ".resource.target.averageValue", "may not set both a target raw value and a target utilization");
    }
}

void autoscaler(Problems& p, const Node& obj, const Node&) {
    const Node& spec = child(obj, "spec");
    const Node* least = spec.find("minReplicas");
    const auto most = child(spec, "maxReplicas").as_int().value_or(0);
    if (least && least->as_int().value_or(1) < 1) p.invalid("spec.minReplicas", *least, "must be greater than or equal to 1");
    if (most == 0)
        p.required("spec.maxReplicas", "must be set and greater than 0");
    else if (most < 0)
        p.invalid("spec.maxReplicas", Node::integer(most), "must be greater than or equal to 1");
    if (least && most < least->as_int().value_or(0))
        p.invalid("spec.maxReplicas", Node::integer(most), "must be greater than or equal to `minReplicas`");
    const Node& ref = child(spec, "scaleTargetRef");
    for (const auto field : {"kind", "name"}) {
        if (ref.text_at(field).empty())
            p.required(std::string("spec.scaleTargetRef.") + field);
        else
            p.invalid_all(std::string("spec.scaleTargetRef.") + field, ref.text_at(field), path_segment(ref.text_at(field)));
    }
    if (ref.text_at("apiVersion").empty()) p.invalid("spec.scaleTargetRef.apiVersion", "", "apiVersion must specify API group");
    check_metrics(p, child(spec, "metrics"));
}

// ---- definitions ------------------------------------------------------------------------------------------------------------

void storage_class(Problems& p, const Node& obj, const Node& live) {
    if (obj.text_at("provisioner").empty()) p.required("provisioner");
    if (const auto policy = obj.text_at("reclaimPolicy"); !policy.empty()) p.one_of("reclaimPolicy", policy, {"Delete", "Retain"});
    if (const auto mode = obj.text_at("volumeBindingMode"); !mode.empty())
        p.one_of("volumeBindingMode", mode, {"Immediate", "WaitForFirstConsumer"});
    if (live.is_null()) return;
    for (const auto field : {"parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"}) p.immutable(field, obj.find(field), live.find(field));
}

void priority_class(Problems& p, const Node& obj, const Node& live) {
    const auto value = child(obj, "value").as_int().value_or(0);
    if (const auto name = child(obj, "metadata").text_at("name"); live.is_null() && name.starts_with("system-") &&
                                                                  name != "system-cluster-critical" && name != "system-node-critical")
        p.forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only. error: " + std::string(name) +
                                         " is not a known system priority class");
    else if (!name.starts_with("system-") && value > 1'000'000'000)
        p.forbidden("value", "maximum allowed value of a user defined priority is 1000000000");
    if (const auto policy = obj.text_at("preemptionPolicy"); !policy.empty())
        p.one_of("preemptionPolicy", policy, {"PreemptLowerPriority", "Never"});
    if (live.is_null()) return;
    if (!(child(obj, "value") == child(live, "value"))) p.forbidden("value", "may not be changed in an update.");
    p.immutable("preemptionPolicy", obj.find("preemptionPolicy"), live.find("preemptionPolicy"));
}

void lease(Problems& p, const Node& obj, const Node&) {
    const Node& spec = child(obj, "spec");
    if (const auto n = child(spec, "leaseDurationSeconds").as_int(); n && *n <= 0) p.invalid("spec.leaseDurationSeconds", Node::integer(*n), "must be greater than 0");
    if (const auto n = child(spec, "leaseTransitions").as_int(); n && *n < 0) p.invalid("spec.leaseTransitions", Node::integer(*n), "must be greater than or equal to 0");
}

// What one of two quantities must not be: above the other.
void check_order(Problems& p, const std::string& path, const Node* low, const Node* high, const Node* shown, std::string_view low_name, std::string_view high_name) {
    const auto a = low ? parse_quantity(low->text()) : std::nullopt, b = high ? parse_quantity(high->text()) : std::nullopt;
    if (!a || !b || a->nanos <= b->nanos) return;
    p.invalid(path, *shown, std::string(low_name) + " value " + std::string(low->text()) + " is greater than " + std::string(high_name) + " value " + std::string(high->text()));
}

void limit_range(Problems& p, const Node& obj, const Node&) {
    static const std::set<std::string_view> kTypes{"Pod", "Container", "PersistentVolumeClaim"};
    std::set<std::string_view> seen;
    const Node& limits = child(child(obj, "spec"), "limits");
    for (std::size_t i = 0; i < limits.size(); ++i) {
        const Node& limit = limits.items()[i];
        const std::string here = at("spec.limits", i);
        const auto type = limit.text_at("type");
        if (const auto why = qualified_name(type); !why.empty())
            p.invalid_all(here + ".type", type, why);
        else if (type.find('/') == std::string_view::npos && !kTypes.contains(type))
            p.invalid(here + ".type", type, "must be a standard limit type or fully qualified");
        if (!seen.insert(type).second) p.duplicate(here + ".type", Node::string(type));
        const Node &most = child(limit, "max"), &least = child(limit, "min"), &usual = child(limit, "default"), &asked = child(limit, "defaultRequest");
        for (const auto field : {"default", "defaultRequest"})
            if (type == "Pod" && !child(limit, field).empty()) p.forbidden(here + "." + field, "may not be specified when `type` is 'Pod'");
        if (type == "PersistentVolumeClaim" && !least.contains("storage") && !most.contains("storage"))
            p.required(here + ".limits", "either minimum or maximum storage value is required, but neither was provided");
        std::set<std::string> names;
        for (const Node* list : {&most, &least, &usual, &asked, &child(limit, "maxLimitRequestRatio")})
            for (const auto& e : list->entries()) names.insert(e.key.str());
        for (const auto& name : names) {
            const Node *high = most.find(name), *low = least.find(name), *normal = type == "Pod" ? nullptr : usual.find(name), *request = type == "Pod" ? nullptr : asked.find(name);
            check_order(p, key_of(here + ".min", name), low, high, low, "min", "max");
            check_order(p, key_of(here + ".defaultRequest", name), low, request, request, "min", "default request");
            check_order(p, key_of(here + ".defaultRequest", name), request, high, request, "default request", "max");
            check_order(p, key_of(here + ".defaultRequest", name), request, normal, request, "default request", "default limit");
            check_order(p, key_of(here + ".default", name), low, normal, low, "min", "default");
            check_order(p, key_of(here + ".default", name), normal, high, high, "default", "max");
        }
    }
}

void check_api_service(Problems& p, const Node& obj, const Node&) {
    const Node &spec = child(obj, "spec"), &service = child(spec, "service");
    const auto name = child(obj, "metadata").text_at("name"), group = spec.text_at("group"), version = spec.text_at("version");
    const std::string wanted = std::string(version) + "." + std::string(group);
    if (path_segment(name).empty() && name != wanted) p.invalid("metadata.name", name, "must be `spec.version+\".\"+spec.group`: " + quoted(wanted));
    if (group.empty() && version != "v1") p.required("spec.group", "only v1 may have an empty group and it better be legacy kube");
    if (!group.empty()) p.invalid_all("spec.group", group, dns_subdomain(group));
    p.invalid_all("spec.version", version, dns_1035_label(version));
    for (const auto& [field, most] : {std::pair{"groupPriorityMinimum", 20000}, std::pair{"versionPriority", 1000}})
        if (const auto n = child(spec, field).as_int().value_or(0); n <= 0 || n > most)
            p.invalid(std::string("spec.") + field, Node::integer(n), "must be positive and less than " + std::to_string(most));
    const bool trusting = child(spec, "insecureSkipTLSVerify").as_bool(), bundle = !spec.text_at("caBundle").empty();
    if (!service.is_map()) {
        if (trusting) p.invalid("spec.insecureSkipTLSVerify", Node::boolean(true), "local APIServices may not have insecureSkipTLSVerify");
        return;
    }
    for (const auto field : {"namespace", "name"})
        if (service.text_at(field).empty()) p.required(std::string("spec.service.") + field);
    if (const auto port = child(service, "port").as_int().value_or(443); port < 1 || port > 65535)
        p.invalid("spec.service.port", Node::integer(port), "port is not valid: must be between 1 and 65535, inclusive");
    if (trusting && bundle) p.invalid("spec.insecureSkipTLSVerify", Node::boolean(true), "may not be true if caBundle is present");
}

} // namespace

KindRule other_rule(std::string_view id) {
    static const std::map<std::string_view, KindRule> kRules{
        {"apiextensions.k8s.io/customresourcedefinitions", check_definition},
        {"apiregistration.k8s.io/apiservices", check_api_service},
        {"admissionregistration.k8s.io/validatingwebhookconfigurations", check_webhooks},
        {"admissionregistration.k8s.io/mutatingwebhookconfigurations", check_webhooks},
        {"coordination.k8s.io/leases", lease},
        {"/limitranges", limit_range},
        {"/configmaps", config_map},
        {"/secrets", secret},
        {"/persistentvolumeclaims", claim},
        {"rbac.authorization.k8s.io/roles", role},
        {"rbac.authorization.k8s.io/clusterroles", cluster_role},
        {"rbac.authorization.k8s.io/rolebindings", role_binding},
        {"rbac.authorization.k8s.io/clusterrolebindings", cluster_role_binding},
        {"policy/poddisruptionbudgets", disruption_budget},
        {"autoscaling/horizontalpodautoscalers", autoscaler},
        {"storage.k8s.io/storageclasses", storage_class},
        {"scheduling.k8s.io/priorityclasses", priority_class},
    };
    const auto it = kRules.find(id);
    return it == kRules.end() ? nullptr : it->second;
}

} // namespace weber::kube::server
