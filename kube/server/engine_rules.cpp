#include "kube/server/defaults.h"
#include "kube/server/engine.h"
#include "kube/server/object_meta.h"
#include "kube/server/typed_decode.h"

namespace weber::kube::server {

void set_defaults(const Call& call, Node& obj) {
    if (call.resource->custom) return;
    set_typed_defaults(obj, *call.version->schema);
    if (call.resource->id() == "/namespaces" && !meta_text(obj, "name").empty())
        meta_mut(obj).get_or_insert("labels").set("kubernetes.io/metadata.name", Node::string(meta_text(obj, "name")));
    complete_object(call, obj);
}

void complete_object(const Call& call, Node& obj) {
    if (call.resource->custom) return;
    Node managed;
    if (const Node* m = obj.find_path({"metadata", "managedFields"})) managed = *m;
    complete_typed(obj, *call.version->schema);
    if (!managed.is_null()) meta_mut(obj).set("managedFields", std::move(managed));
}

std::vector<ErrorDetail> validate_new(const Call&, const Node&) { return {}; }
std::vector<ErrorDetail> validate_change(const Call&, const Node&, const Node&) { return {}; }

} // namespace weber::kube::server
