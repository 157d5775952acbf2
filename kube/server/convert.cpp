#include "kube/server/convert.h"

#include "kube/server/typed_decode.h"

#include "kube/base/json.h"
#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kHpaConditions = "autoscaling.alpha.kubernetes.io/conditions";
constexpr std::string_view kHpaMetrics = "autoscaling.alpha.kubernetes.io/metrics";
constexpr std::string_view kHpaBehavior = "autoscaling.alpha.kubernetes.io/behavior";

bool is_cpu_utilization(const Node& metric) {
    const Node* r = metric.find("resource");
    return metric.text_at("type") == "Resource" && r && r->text_at("name") == "cpu" &&
           r->find_path({"target", "averageUtilization"});
}

void move_to_annotation(Node& obj, Node& from, std::string_view field, std::string_view annotation) {
    if (const Node* value = from.find(field)) {
        meta_mut(obj).get_or_insert("annotations").set(annotation, Node::string(write_json(*value)));
        from.erase(field);
    }
}

void move_from_annotation(Node& obj, std::string_view annotation, Node& to, std::string_view field) {
    const Node* annotations = obj.find_path({"metadata", "annotations"});
    const Node* text = annotations ? annotations->find(annotation) : nullptr;
    if (!text) return;
    if (auto value = read_json(text->text())) to.set(field, std::move(*value));
    Node& a = meta_mut(obj).get_or_insert("annotations");
    a.erase(annotation);
    if (a.empty()) erase_meta(obj, "annotations");
}

// v2 keeps all metrics in a list; v1 has the CPU target as a field and the rest in annotations.
Node hpa_to_v1(Node obj) {
    Node spec = obj.find("spec") ? *obj.find("spec") : Node::map();
    Node status = obj.find("status") ? *obj.find("status") : Node();
    if (const Node* metrics = spec.find("metrics")) {
        Node rest = Node::list();
        for (const auto& m : metrics->items()) {
            if (is_cpu_utilization(m) && !spec.contains("targetCPUUtilizationPercentage"))
                spec.set("targetCPUUtilizationPercentage", *m.find_path({"resource", "target", "averageUtilization"}));
            else
                rest.push_back(m);
        }
        spec.erase("metrics");
        if (!rest.empty()) meta_mut(obj).get_or_insert("annotations").set(kHpaMetrics, Node::string(write_json(rest)));
    }
    move_to_annotation(obj, spec, "behavior", kHpaBehavior);
    if (status.is_map()) {
        move_to_annotation(obj, status, "conditions", kHpaConditions);
        status.erase("currentMetrics");
        obj.set("status", std::move(status));
    }
    obj.set("spec", std::move(spec));
    return obj;
}

Node hpa_to_v2(Node obj) {
    Node spec = obj.find("spec") ? *obj.find("spec") : Node::map();
    move_from_annotation(obj, kHpaMetrics, spec, "metrics");
    move_from_annotation(obj, kHpaBehavior, spec, "behavior");
    if (const Node* cpu = spec.find("targetCPUUtilizationPercentage")) {
        Node target = Node::map({{"type", Node::string("Utilization")}, {"averageUtilization", *cpu}});
        Node metric = Node::map({{"type", Node::string("Resource")},
                                 {"resource", Node::map({{"name", Node::string("cpu")}, {"target", std::move(target)}})}});
        Node& list = spec.get_or_insert("metrics");
        list.insert_item(0, std::move(metric));
        spec.erase("targetCPUUtilizationPercentage");
    }
    if (obj.contains("status")) {
        Node status = *obj.find("status");
        move_from_annotation(obj, kHpaConditions, status, "conditions");
        status.erase("currentCPUUtilizationPercentage");
        obj.set("status", std::move(status));
    }
    obj.set("spec", std::move(spec));
    return obj;
}

// Names of the same fields in core/v1 and events.k8s.io/v1.
constexpr std::pair<std::string_view, std::string_view> kEventFields[] = {
    {"involvedObject", "regarding"},         {"message", "note"},
    {"firstTimestamp", "deprecatedFirstTimestamp"}, {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},            {"source", "deprecatedSource"},
    {"reportingComponent", "reportingController"},
};

} // namespace

Node convert_version(const ResourceInfo& resource, Node obj, const VersionInfo& to) {
    const std::string& target = to.api_version;
    const std::string from(obj.text_at("apiVersion"));
    if (!obj.is_map() || from == target) return obj;
    if (resource.kind == "HorizontalPodAutoscaler") {
        if (from == "autoscaling/v1" && target == "autoscaling/v2") obj = hpa_to_v2(std::move(obj));
        if (from == "autoscaling/v2" && target == "autoscaling/v1") obj = hpa_to_v1(std::move(obj));
    } else if (resource.kind == "Event") {
        const bool to_core = target == "v1";
        for (const auto& [core, named] : kEventFields) obj.rename_key(to_core ? named : core, to_core ? core : named);
    }
    obj.set("apiVersion", Node::string(target));
    if (!resource.custom && to.schema) {
        Node managed;
        if (const Node* m = obj.find_path({"metadata", "managedFields"})) managed = *m;
        (void)decode_typed(obj, *to.schema, false); // what the other version leaves out when empty
        complete_typed(obj, *to.schema);
        if (!managed.is_null()) obj.get_or_insert("metadata").set("managedFields", std::move(managed));
    }
    return obj;
}

} // namespace weber::kube::server
