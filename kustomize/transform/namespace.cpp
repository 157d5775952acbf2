#include "kustomize/transform/namespace.h"

#include <string>

#include "kustomize/transform/field_walker.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

constexpr std::string_view kNamespacePath = "metadata/namespace";

bool is_role_binding(std::string_view kind) { return kind == "RoleBinding" || kind == "ClusterRoleBinding"; }

class NamespaceTransform {
public:
    explicit NamespaceTransform(const NamespaceOptions& options)
        : options_(options), metadata_(FieldWalker::for_path(kNamespacePath, true, FieldWalker::Creates::scalar)),
          // metadata.namespace is set by rule, metadata.name only on the core Namespace, subjects by their own rule.
          core_(select(options.field_specs, true, true), FieldWalker::Creates::scalar),
          others_(select(options.field_specs, false, true), FieldWalker::Creates::scalar),
          core_bindings_(select(options.field_specs, true, false), FieldWalker::Creates::scalar),
          other_bindings_(select(options.field_specs, false, false), FieldWalker::Creates::scalar),
          set_([this](Node& node) { return set(node); }) {}

    Result<void> apply(Resource& r) const {
        if (!r.gvk().cluster_scoped()) TRY_VOID(metadata_.walk(r, set_));
        const bool binding = is_role_binding(r.kind());
        if (binding) TRY_VOID(set_subjects(r));
        const bool core = r.gvk().api_version() == "v1";
        const FieldWalker& walker = binding ? (core ? core_bindings_ : other_bindings_) : (core ? core_ : others_);
        if (auto done = walker.walk(r, set_); !done)
            return fail(std::move(done).error().with_prefix("namespace transformation failed: "));
        r.sync_id();
        return {};
    }

private:
    static FieldSpecs select(const FieldSpecs& specs, bool core, bool subjects) {
        FieldSpecs selected;
        for (const FieldSpec& s : specs) {
            if (s.path == kNamespacePath || (!core && s.path == "metadata/name")) continue;
            if (!subjects && is_role_binding(s.gvk.kind) && s.path == "subjects/namespace") continue;
            selected.push_back(s);
        }
        return selected;
    }

    Result<void> set(Node& node) const {
        if (options_.unset_only && node.is_scalar() && !node.text().empty()) return {};
        if (node.is_list() || node.is_map()) {
            return fail(wrong_node_kind(NodeKind::string, node).error().with_prefix("namespace field specs must target scalar nodes: "));
        }
        const NodeStyle style = node.is_null() ? NodeStyle::plain : node.style();
        const std::uint32_t file = node.file(), line = node.line();
        node = Node::string(options_.ns, style);
        node.set_position(file, line);
        return {};
    }

    // Whether the rule of setRoleBindingSubjects picks this subject.
    [[nodiscard]] bool picks(const Node& subject) const {
        if (options_.subjects == RoleBindingSubjects::default_only) return subject.text_at("name") == "default";
        return subject.text_at("kind") == "ServiceAccount";
    }

    Result<void> set_subjects(Resource& r) const {
        if (options_.subjects == RoleBindingSubjects::none) return {};
        const Node* subjects = r.node().find("subjects");
        if (subjects == nullptr || subjects->is_null()) return {};
        constexpr std::string_view context = "setting namespace on (cluster)role binding subjects: ";
        if (!subjects->is_list()) return fail(wrong_node_kind(NodeKind::list, *subjects).error().with_prefix(context));
        for (std::size_t i = 0; i < r.node().find("subjects")->size(); ++i) {
            const Node& subject = r.node().find("subjects")->items()[i];
            if (subject.is_null()) continue;
            if (!subject.is_map()) return fail(wrong_node_kind(NodeKind::map, subject).error().with_prefix(context));
            if (!picks(subject)) continue;
            Node& mine = r.edit().find_mut("subjects")->items_mut()[i];
            Node* ns = mine.find_mut("namespace");
            TRY_VOID(set(ns != nullptr ? *ns : mine.set("namespace", Node::string(""))));
        }
        return {};
    }

    const NamespaceOptions& options_;
    FieldWalker metadata_, core_, others_, core_bindings_, other_bindings_;
    FieldWalker::Visit set_;
};

} // namespace

Result<void> set_object_namespace(Resource& resource, const NamespaceOptions& options) {
    return NamespaceTransform(options).apply(resource);
}

Result<void> apply_namespace(ResourceSet& resources, const NamespaceOptions& options) {
    if (options.ns.empty()) return {};
    const NamespaceTransform transform(options);
    for (const auto& resource : resources.all()) {
        Resource& r = *resource;
        if (r.empty() || r.helm_generated) continue;
        r.store_previous_id();
        TRY_VOID(transform.apply(r));
        const std::vector<Resource*> same = resources.matching_current(r.cur_id());
        if (same.size() == 1) continue;
        std::string ids;
        for (const Resource* other : same) ids += (ids.empty() ? "" : " ") + other->org_id().to_string();
        return fail(Error{.code = ErrorCode::already_exists,
                          .message = "namespace transformation produces ID conflict: [" + ids + "]",
                          .where = r.where(),
                          .hint = "two objects would both become " + r.cur_id().to_string() + "; rename one or keep it out of this namespace"});
    }
    return {};
}

} // namespace weber::kustomize
