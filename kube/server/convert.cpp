#include "kube/server/convert.h"

#include "kube/server/convert_autoscaler.h"
#include "kube/server/object_meta.h"
#include "kube/server/typed_decode.h"

namespace weber::kube::server {
namespace {

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
        if (from == "autoscaling/v1" && target == "autoscaling/v2") obj = autoscaler_to_v2(std::move(obj));
        if (from == "autoscaling/v2" && target == "autoscaling/v1") obj = autoscaler_to_v1(std::move(obj));
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
