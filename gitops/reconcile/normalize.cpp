#include "gitops/reconcile/normalize.h"

#include "kube/base/digest.h"
#include "kube/base/schema.h"

namespace weber::gitops {

namespace {

using kube::TypeKind;
using kube::TypeSchema;

// Drops what an encoder with omitempty would not write. Atomic and unknown parts are left alone.
void drop_empty(Node& node, const TypeSchema& schema) {
    if (node.is_map() && schema.kind == TypeKind::object && !schema.preserve_unknown) {
        std::vector<std::string> gone;
        for (auto& [key, value] : node.entries_mut()) {
            const kube::FieldSchema* field = schema.field(key);
            if (field == nullptr) continue;
            drop_empty(value, *field->type);
            const bool collection = field->type->kind == TypeKind::map || field->type->kind == TypeKind::list;
            if (value.is_null() || (collection && value.empty() && (value.is_map() || value.is_list()) && !field->required)) gone.push_back(key.str());
        }
        for (const std::string& key : gone) node.erase(key);
    } else if (node.is_map() && schema.kind == TypeKind::map && schema.element != nullptr) {
        for (auto& [key, value] : node.entries_mut()) {
            if (value.is_null() && schema.element->kind == TypeKind::string) value = Node::string("");
            else drop_empty(value, *schema.element);
        }
    } else if (node.is_list() && schema.element != nullptr) {
        for (Node& item : node.items_mut()) drop_empty(item, *schema.element);
    }
}

void default_protocol(Node* ports) {
    if (ports == nullptr) return;
    for (Node& port : ports->items_mut())
        if (port.is_map() && port.text_at("protocol").empty()) port.set("protocol", Node::string("TCP"));
}

Node* walk(Node& root, std::initializer_list<std::string_view> path) {
    Node* at = &root;
    for (std::string_view key : path)
        if (at = at->find_mut(key); at == nullptr) return nullptr;
    return at;
}

Node* pod_spec(Node& root, std::string_view kind) {
    if (kind == "Pod") return walk(root, {"spec"});
    if (kind == "CronJob") return walk(root, {"spec", "jobTemplate", "spec", "template", "spec"});
    for (std::string_view k : {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})
        if (kind == k) return walk(root, {"spec", "template", "spec"});
    return nullptr;
}

void default_ports(Node& root, std::string_view kind) {
    if (kind == "Service") return default_protocol(walk(root, {"spec", "ports"}));
    Node* spec = pod_spec(root, kind);
    Node* containers = spec != nullptr ? spec->find_mut("containers") : nullptr;
    if (containers == nullptr) return;
    for (Node& container : containers->items_mut()) default_protocol(container.find_mut("ports"));
}

void move_string_data(Node& root) {
    const Node* plain = root.find("stringData");
    if (plain == nullptr) return;
    const Node values = *plain;
    for (const auto& [key, value] : values.entries())
        if (!value.is_string()) return; // the server reports it
    for (const auto& [key, value] : values.entries()) root.get_or_insert("data").set(key, Node::string(kube::base64_encode(value.text())));
    root.erase("stringData");
}

} // namespace

Object normalized(const Object& object) {
    const std::string group(object.group()), kind(object.kind());
    if (group == "rbac.authorization.k8s.io" && (kind == "Role" || kind == "ClusterRole")) return object;
    Object out = object;
    if (const TypeSchema* schema = kube::find_builtin_type(group, object.version(), kind)) {
        drop_empty(out.root(), *schema);
        default_ports(out.root(), kind);
        if (group.empty() && kind == "Secret") move_string_data(out.root());
    }
    if (Node* metadata = out.root().find_mut("metadata")) metadata->erase("creationTimestamp");
    if (!(group == "apiextensions.k8s.io" && kind == "CustomResourceDefinition")) out.root().erase("status");
    return out;
}

} // namespace weber::gitops
