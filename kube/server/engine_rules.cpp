#include "kube/server/engine.h"
#include "kube/server/object_meta.h"

namespace weber::kube::server {

void set_defaults(const Call& call, Node& obj) {
    if (call.resource->id() == "/namespaces")
        meta_mut(obj).get_or_insert("labels").set("kubernetes.io/metadata.name", Node::string(meta_text(obj, "name")));
}

std::vector<ErrorDetail> validate_new(const Call&, const Node&) { return {}; }
std::vector<ErrorDetail> validate_change(const Call&, const Node&, const Node&) { return {}; }

} // namespace weber::kube::server
