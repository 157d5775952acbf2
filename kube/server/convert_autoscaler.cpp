#include "kube/server/convert_autoscaler.h"

#include "kube/base/ascii.h"
#include "kube/base/json.h"
#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kConditions = "autoscaling.alpha.kubernetes.io/conditions";
constexpr std::string_view kMetrics = "autoscaling.alpha.kubernetes.io/metrics";
constexpr std::string_view kCurrentMetrics = "autoscaling.alpha.kubernetes.io/current-metrics";
constexpr std::string_view kBehavior = "autoscaling.alpha.kubernetes.io/behavior";
constexpr std::string_view kAnnotations[] = {kConditions, kMetrics, kCurrentMetrics, kBehavior};

// A field's value, null when it is not there.
Node value_of(const Node& n, std::string_view name) { return n.find(name) ? *n.find(name) : Node(); }

void copy(const Node& from, std::string_view name, Node& to, std::string_view as) {
    if (const Node* value = from.find(name)) to.set(as, *value);
}

bool is_cpu_utilization(const Node& metric) {
    const Node* r = metric.find("resource");
    return metric.text_at("type") == "Resource" && r && r->text_at("name") == "cpu" && r->find_path({"target", "averageUtilization"});
}

// How one kind of metric is written in v1 and v2. A target is `value`, `average` or `utilization` of v2's target (or current) map.
struct Form {
    std::string_view type, field;
    std::string_view name;     // v1's field for the metric's name; "" = a resource, which has its name itself
    std::string_view selector; // v1's field for the metric's selector
};
constexpr Form kForms[] = {
    {"Object", "object", "metricName", "selector"},     {"Pods", "pods", "metricName", "selector"},
    {"Resource", "resource", "", ""},                   {"ContainerResource", "containerResource", "", ""},
    {"External", "external", "metricName", "metricSelector"},
};

// v1's names of value, averageValue and averageUtilization; `current`: in a status.
struct TargetNames {
    std::string_view value, average, utilization;
};
TargetNames target_names(const Form& form, bool current) {
    if (form.type == "Object") return {current ? "currentValue" : "targetValue", "averageValue", ""};
    if (form.type == "Pods") return {"", current ? "currentAverageValue" : "targetAverageValue", ""};
    if (form.type == "External") return {current ? "currentValue" : "targetValue", current ? "currentAverageValue" : "targetAverageValue", ""};
    return {"", current ? "currentAverageValue" : "targetAverageValue", current ? "currentAverageUtilization" : "targetAverageUtilization"};
}

// Go's order of fields, which the annotations' text shows.
constexpr std::string_view kReferenceOrder[] = {"kind", "name", "apiVersion"};
constexpr std::string_view kMetricOrder[] = {"target", "name", "metricName", "metricSelector", "targetAverageUtilization", "currentAverageUtilization", "targetValue",
                                             "currentValue", "targetAverageValue", "currentAverageValue", "selector", "averageValue", "container"};
Node in_order(const Node& map, std::span<const std::string_view> order) {
    Node out = Node::map();
    for (const auto field : order) copy(map, field, out, field);
    return out;
}

// v1's fields that are no pointers: always written.
bool always(const Form& form, std::string_view field, bool current) {
    if (form.type == "Object") return field == "value";
    if (form.type == "Pods") return field == "average";
    if (form.type == "External") return current && field == "value";
    return current && field == "average";
}

Node metric_to_v1(const Node& metric, bool current) {
    Node out = Node::map({{"type", Node::string(metric.text_at("type"))}});
    for (const Form& form : kForms) {
        const Node* in = metric.find(form.field);
        if (!in) continue;
        Node to = Node::map();
        if (const Node* object = in->find("describedObject")) to.set("target", in_order(*object, kReferenceOrder));
        if (form.name.empty()) {
            copy(*in, "name", to, "name");
        } else if (const Node* m = in->find("metric")) {
            copy(*m, "name", to, form.name);
        }
        const Node* target = in->find(current ? "current" : "target");
        const TargetNames names = target_names(form, current);
        const auto put = [&](std::string_view v2, std::string_view v1, std::string_view role) {
            if (v1.empty()) return;
            if (target && target->contains(v2))
                to.set(v1, *target->find(v2));
            else if (always(form, role, current))
                to.set(v1, Node::string("0"));
        };
        put("averageUtilization", names.utilization, "utilization");
        put("value", names.value, "value");
        if (const Node* m = in->find("metric")) copy(*m, "selector", to, form.selector);
        put("averageValue", names.average, "average");
        copy(*in, "container", to, "container");
        out.set(form.field, in_order(to, kMetricOrder));
    }
    return out;
}

Node metric_to_v2(const Node& metric, bool current) {
    Node out = Node::map({{"type", Node::string(metric.text_at("type"))}});
    for (const Form& form : kForms) {
        const Node* in = metric.find(form.field);
        if (!in) continue;
        Node to = Node::map();
        copy(*in, "target", to, "describedObject");
        copy(*in, "container", to, "container");
        if (form.name.empty()) {
            copy(*in, "name", to, "name");
        } else {
            Node m = Node::map({{"name", Node::string(in->text_at(form.name))}});
            copy(*in, form.selector, m, "selector");
            to.set("metric", std::move(m));
        }
        const TargetNames names = target_names(form, current);
        Node target = Node::map();
        const bool average = in->contains(names.average), utilization = !names.utilization.empty() && in->contains(names.utilization);
        const bool value = !names.value.empty() && in->contains(names.value) && !(form.type == "Object" && average && in->text_at(names.value) == "0");
        if (!current) target.set("type", Node::string(utilization ? "Utilization" : form.type == "Object" ? (average ? "AverageValue" : "Value") : value ? "Value" : "AverageValue"));
        if (value) copy(*in, names.value, target, "value");
        if (average) copy(*in, names.average, target, "averageValue");
        if (utilization) copy(*in, names.utilization, target, "averageUtilization");
        to.set(current ? "current" : "target", std::move(target));
        out.set(form.field, std::move(to));
    }
    return out;
}

// The annotation of the behaviour holds Go's internal form: its field names, in its order, with null for what is not set.
Node go_rules(const Node* rules) {
    if (!rules) return {};
    Node policies;
    if (const Node* list = rules->find("policies")) {
        policies = Node::list();
        for (const Node& p : list->items())
            policies.push_back(Node::map({{"Type", value_of(p, "type")}, {"Value", value_of(p, "value")}, {"PeriodSeconds", value_of(p, "periodSeconds")}}));
    }
    return Node::map({{"StabilizationWindowSeconds", value_of(*rules, "stabilizationWindowSeconds")},
                      {"SelectPolicy", value_of(*rules, "selectPolicy")},
                      {"Policies", std::move(policies)},
                      {"Tolerance", value_of(*rules, "tolerance")}});
}
Node go_behavior(const Node& behavior) { return Node::map({{"ScaleUp", go_rules(behavior.find("scaleUp"))}, {"ScaleDown", go_rules(behavior.find("scaleDown"))}}); }

// Back; Go reads names without regard to case.
Node from_go(const Node& n) {
    if (n.is_list()) {
        Node out = Node::list();
        for (const Node& item : n.items()) out.push_back(from_go(item));
        return out;
    }
    if (!n.is_map()) return n;
    Node out = Node::map();
    for (const auto& [key, value] : n.entries()) {
        std::string name = key.str();
        if (!name.empty()) name[0] = ascii_lower(name[0]);
        if (!value.is_null()) out.set(name, from_go(value));
    }
    return out;
}

void annotate(Node& obj, std::string_view annotation, const Node& value) { meta_mut(obj).get_or_insert("annotations").set(annotation, Node::string(write_json(value))); }

// What an annotation holds; nullopt: nothing that can be read.
std::optional<Node> annotated(const Node& obj, std::string_view annotation) {
    const Node* text = obj.find_path({"metadata", "annotations", annotation});
    if (!text) return std::nullopt;
    auto value = read_json(text->text());
    return value ? std::optional(std::move(*value)) : std::nullopt;
}

void drop_annotations(Node& obj) {
    if (!obj.find_path({"metadata", "annotations"})) return;
    Node& all = meta_mut(obj).get_or_insert("annotations");
    for (const auto a : kAnnotations) all.erase(a);
    if (all.empty()) erase_meta(obj, "annotations");
}

Node metrics_of(const Node* list, bool current, Node (*convert)(const Node&, bool)) {
    Node out = Node::list();
    for (const Node& m : list ? list->items() : std::span<const Node>()) out.push_back(convert(m, current));
    return out;
}

} // namespace

Node autoscaler_to_v1(Node obj) {
    drop_annotations(obj);
    Node spec = value_of(obj, "spec"), status = value_of(obj, "status");
    if (spec.is_null()) spec = Node::map();
    if (const Node* metrics = spec.find("metrics")) {
        Node rest = Node::list();
        for (const Node& m : metrics->items()) {
            if (is_cpu_utilization(m))
                spec.set("targetCPUUtilizationPercentage", *m.find_path({"resource", "target", "averageUtilization"}));
            else
                rest.push_back(metric_to_v1(m, false));
        }
        spec.erase("metrics");
        if (!rest.empty()) annotate(obj, kMetrics, rest);
    }
    if (status.is_map()) {
        if (const Node* current = status.find("currentMetrics"); current && !current->empty()) {
            annotate(obj, kCurrentMetrics, metrics_of(current, true, metric_to_v1));
            for (const Node& m : current->items())
                if (m.text_at("type") == "Resource" && m.find_path({"resource", "name"}) && m.find("resource")->text_at("name") == "cpu")
                    if (const Node* percent = m.find_path({"resource", "current", "averageUtilization"})) status.set("currentCPUUtilizationPercentage", *percent);
        }
        status.erase("currentMetrics");
    }
    if (const Node* behavior = spec.find("behavior")) {
        annotate(obj, kBehavior, go_behavior(*behavior));
        spec.erase("behavior");
    }
    if (status.is_map()) {
        if (const Node* conditions = status.find("conditions"); conditions && !conditions->empty()) annotate(obj, kConditions, *conditions);
        status.erase("conditions");
        obj.set("status", std::move(status));
    }
    obj.set("spec", std::move(spec));
    return obj;
}

Node autoscaler_to_v2(Node obj) {
    Node spec = value_of(obj, "spec");
    if (spec.is_null()) spec = Node::map();
    Node metrics = Node::list();
    if (const auto others = annotated(obj, kMetrics)) metrics = metrics_of(&*others, false, metric_to_v2);
    if (const Node* cpu = spec.find("targetCPUUtilizationPercentage"); cpu && !cpu->is_null()) {
        Node target = Node::map({{"type", Node::string("Utilization")}, {"averageUtilization", *cpu}});
        metrics.push_back(Node::map({{"type", Node::string("Resource")}, {"resource", Node::map({{"name", Node::string("cpu")}, {"target", std::move(target)}})}}));
    }
    spec.erase("targetCPUUtilizationPercentage");
    if (metrics.empty()) // v1's default, which needs to know the annotation
        metrics.push_back(*read_json(R"({"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}})"));
    spec.set("metrics", std::move(metrics));
    if (const auto behavior = annotated(obj, kBehavior)) spec.set("behavior", from_go(*behavior));
    if (obj.contains("status")) {
        Node status = *obj.find("status");
        if (const auto current = annotated(obj, kCurrentMetrics)) {
            status.set("currentMetrics", metrics_of(&*current, true, metric_to_v2));
        } else if (const Node* percent = status.find("currentCPUUtilizationPercentage"); percent && !percent->is_null()) {
            Node current_value = Node::map({{"averageUtilization", *percent}});
            status.set("currentMetrics", Node::list({Node::map({{"type", Node::string("Resource")},
                                                                {"resource", Node::map({{"name", Node::string("cpu")}, {"current", std::move(current_value)}})}})}));
        }
        status.erase("currentCPUUtilizationPercentage");
        if (const auto conditions = annotated(obj, kConditions)) status.set("conditions", *conditions);
        obj.set("status", std::move(status));
    }
    drop_annotations(obj);
    obj.set("spec", std::move(spec));
    return obj;
}

} // namespace weber::kube::server
