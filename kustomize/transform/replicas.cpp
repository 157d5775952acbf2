#include "kustomize/transform/replicas.h"

#include <algorithm>
#include <string>

#include "kustomize/transform/field_walker.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {

Result<void> apply_replica(ResourceSet& resources, const Replica& replica, const FieldSpecs& specs) {
    const std::uint32_t file = replica.where.file.empty() ? 0 : kube::intern_file(replica.where.file);
    const FieldWalker::Visit set = [&](Node& node) -> Result<void> {
        if (node.is_list() || node.is_map()) return wrong_node_kind(NodeKind::string, node);
        node = restyled(Node::integer(replica.count), node.is_null() || node.text().empty() ? NodeStyle::plain : node.style());
        node.set_position(file, replica.where.line);
        return {};
    };
    const std::vector<Resource*> named = resources.with_name(replica.name);
    bool found = false;
    for (const FieldSpec& spec : specs) {
        const FieldWalker walker(FieldSpecs{spec}, FieldWalker::Creates::scalar);
        for (Resource* r : named) {
            if (r->empty()) continue;
            const auto matches = [&](const ResId& id) { return id.name == replica.name && spec.gvk.selects(id.gvk); };
            if (!matches(r->cur_id()) && !std::ranges::any_of(r->prev_ids(), matches)) continue;
            found = true;
            TRY_VOID(walker.walk(*r, set));
        }
    }
    if (found) return {};
    std::string gvks;
    for (const FieldSpec& spec : specs) gvks += (gvks.empty() ? "" : " ") + spec.gvk.to_string();
    return fail(ErrorCode::not_found, "resource with name " + replica.name + " does not match a config with the following GVK [" + gvks + "]", replica.where);
}

} // namespace weber::kustomize
