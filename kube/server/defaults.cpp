#include "kube/server/defaults.h"

#include "kube/server/default_rules.h"
#include "kube/server/go_forms.h"

namespace weber::kube::server {
namespace {

DefaultRule rule_of(const TypeSchema& type) {
    static const DefaultRules rules = [] {
        DefaultRules r;
        add_pod_defaults(r);
        add_workload_defaults(r);
        add_other_defaults(r);
        return r;
    }();
    const auto it = rules.find(definition_name(type));
    return it == rules.end() ? nullptr : it->second;
}

bool has_children(const TypeSchema& type) {
    return type.kind == TypeKind::object || type.kind == TypeKind::map || type.kind == TypeKind::list;
}

} // namespace

void set_typed_defaults(Node& value, const TypeSchema& type) {
    switch (type.kind) {
    case TypeKind::object: {
        if (!value.is_map() || type.fields.empty()) return;
        if (const DefaultRule rule = rule_of(type)) rule(value);
        for (const FieldSchema& f : type.fields) {
            if (!has_children(*f.type) || &*f.type == &object_meta_schema()) continue;
            Node* child = value.find_mut(f.name);
            // A struct that is not given is there all the same, and so are its defaults.
            if (!child && f.type->kind == TypeKind::object && go_form(f) == GoForm::always_map && f.name != "status" && f.name != "metadata") {
                Node made = Node::map();
                set_typed_defaults(made, *f.type);
                if (!made.empty()) value.set(f.name, std::move(made));
            } else if (child) {
                set_typed_defaults(*child, *f.type);
            }
        }
        return;
    }
    case TypeKind::map:
        if (!value.is_map() || !type.element || !has_children(*type.element)) return;
        for (auto& e : value.entries_mut()) set_typed_defaults(e.value, *type.element);
        return;
    case TypeKind::list:
        if (!value.is_list() || !type.element || !has_children(*type.element)) return;
        for (Node& item : value.items_mut()) set_typed_defaults(item, *type.element);
        return;
    default: return;
    }
}

} // namespace weber::kube::server
