#include "kube/server/crd_values.h"
#include "kube/server/defaults.h"
#include "kube/server/engine.h"
#include "kube/server/object_meta.h"
#include "kube/server/typed_decode.h"
#include "kube/server/validate.h"

namespace weber::kube::server {

void set_defaults(const Call& call, Node& obj) {
    if (call.resource->custom) return default_custom(obj, call.version->open_api);
    set_typed_defaults(obj, *call.version->schema);
    if (call.resource->id() == "/namespaces" && !meta_text(obj, "name").empty())
        meta_mut(obj).get_or_insert("labels").set("kubernetes.io/metadata.name", Node::string(meta_text(obj, "name")));
    complete_object(call, obj, false);
}

void complete_object(const Call& call, Node& obj, bool stored) {
    if (call.resource->custom) return;
    Node managed;
    if (const Node* m = obj.find_path({"metadata", "managedFields"})) managed = *m;
    complete_typed(obj, *call.version->schema, stored);
    if (!managed.is_null()) meta_mut(obj).set("managedFields", std::move(managed));
}

std::vector<ErrorDetail> validate_new(const Call& call, const Node& obj) { return validate_change(call, obj, Node()); }

std::vector<ErrorDetail> validate_change(const Call& call, const Node& obj, const Node& live) {
    if (call.resource->custom) {
        auto causes = validate_custom_metadata(obj, live);
        for (auto& c : validate_custom(obj, call.version->open_api)) causes.push_back(std::move(c));
        for (auto& c : validate_custom_scale(obj, call.version->scale_spec, call.version->scale_status)) causes.push_back(std::move(c));
        return causes;
    }
    return validate_built_in(call.resource->id(), call.resource->namespaced, obj, live);
}

} // namespace weber::kube::server
