#include "kube/server/claim_admission.h"

#include "kube/server/object_meta.h"
#include "kube/server/quantity.h"

namespace weber::kube::server {
namespace {

__int128 wanted(const Node& claim) {
    const Node* size = claim.find_path({"spec", "resources", "requests", "storage"});
    const auto q = size ? parse_quantity(size->text()) : std::nullopt;
    return q ? q->nanos : 0;
}

// The annotation of old wins over the field.
std::string_view class_name(const Node& claim) {
    if (const Node* old = claim.find_path({"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"})) return old->text();
    const Node* name = claim.find_path({"spec", "storageClassName"});
    return name ? name->text() : std::string_view();
}

bool expands(const Core& core, std::string_view name) {
    const ObjectPtr o = name.empty() ? nullptr : core.store.get("storage.k8s.io/storageclasses", "", name);
    const Node found = o ? parse_stored(*o) : Node();
    const Node* allowed = found.find("allowVolumeExpansion");
    return allowed && allowed->as_bool();
}

} // namespace

Api<void> admit_growth(const Core& core, const Call& call, const Node& next, const Node& live) {
    if (call.id() != "/persistentvolumeclaims" || !call.path.subresource.empty() || wanted(next) <= wanted(live)) return {};
    const Node* phase = live.find_path({"status", "phase"});
    const auto refused = [&](std::string_view why) { return refuse(forbidden(call.plural(), call.group(), call.path.name, why)); };
    if (!phase || phase->text() != "Bound") return refused("Only bound persistent volume claims can be expanded");
    if (class_name(next) != class_name(live) || !expands(core, class_name(next)))
        return refused("only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize");
    return {};
}

} // namespace weber::kube::server
