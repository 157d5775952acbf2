// Rows of volumes, storage drivers and devices.
#include "kube/base/join.h"
#include "kube/server/object_meta.h"
#include "kube/server/table_rows.h"

namespace weber::kube::server {
namespace {

std::string access_modes(std::span<const Node> modes) {
    constexpr std::pair<std::string_view, std::string_view> kShort[] = {
        {"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
    std::vector<std::string> out;
    for (const auto& [mode, word] : kShort)
        for (const Node& m : modes)
            if (m.text() == mode) {
                out.emplace_back(word);
                break;
            }
    return join(out, ",");
}

std::string phase(const Row& r) { return is_deleting(r.o) ? "Terminating" : r.text({"status", "phase"}); }

// An annotation of old decides before the field.
std::string storage_class(const Row& r) {
    const Node* old = r.o.find_path({"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"});
    return old ? std::string(old->text()) : r.text({"spec", "storageClassName"});
}

Node volume(const Row& r) {
    const bool claimed = r.o.find_path({"spec", "claimRef"}) != nullptr;
    return Node::list({name_cell(r), cell(r.text({"spec", "capacity", "storage"}, "0")), cell(access_modes(r.items({"spec", "accessModes"}))),
                       cell(r.text({"spec", "persistentVolumeReclaimPolicy"})), cell(phase(r)),
                       cell(claimed ? r.text({"spec", "claimRef", "namespace"}) + "/" + r.text({"spec", "claimRef", "name"}) : ""), cell(storage_class(r)),
                       cell(r.text({"spec", "volumeAttributesClassName"}, "<unset>")), cell(r.text({"status", "reason"})), age_cell(r),
                       cell(r.text({"spec", "volumeMode"}, "<unset>"))});
}

Node claim(const Row& r) {
    const std::string volume = r.text({"spec", "volumeName"});
    return Node::list({name_cell(r), cell(phase(r)), cell(volume), cell(volume.empty() ? "" : r.text({"status", "capacity", "storage"}, "0")),
                       cell(volume.empty() ? "" : access_modes(r.items({"status", "accessModes"}))), cell(storage_class(r)),
                       cell(r.text({"spec", "volumeAttributesClassName"}, "<unset>")), age_cell(r), cell(r.text({"spec", "volumeMode"}, "<unset>"))});
}

Node class_of_storage(const Row& r) {
    bool by_default = false;
    for (const auto key : {"storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"})
        by_default = by_default || r.text({"metadata", "annotations", key}) == "true";
    return Node::list({cell(r.text({"metadata", "name"}) + (by_default ? " (default)" : "")), cell(r.text({"provisioner"})), cell(r.text({"reclaimPolicy"}, "Delete")),
                       cell(r.text({"volumeBindingMode"}, "Immediate")), Node::boolean(r.flag({"allowVolumeExpansion"})), age_cell(r)});
}

Node csi_driver(const Row& r) {
    const Node* requests = r.o.find_path({"spec", "tokenRequests"});
    const std::string modes = join(r.texts(".spec.volumeLifecycleModes[*]"), ",");
    return Node::list({name_cell(r), Node::boolean(r.flag({"spec", "attachRequired"}, true)), Node::boolean(r.flag({"spec", "podInfoOnMount"})),
                       Node::boolean(r.flag({"spec", "storageCapacity"})), cell(requests ? join(r.texts(".spec.tokenRequests[*].audience"), ",") : "<unset>"),
                       Node::boolean(r.flag({"spec", "requiresRepublish"})), cell(modes.empty() ? "<none>" : modes), age_cell(r)});
}

Node csi_node(const Row& r) { return Node::list({name_cell(r), cell(r.size({"spec", "drivers"})), age_cell(r)}); }

Node attachment(const Row& r) {
    return Node::list({name_cell(r), cell(r.text({"spec", "attacher"})), cell(r.text({"spec", "source", "persistentVolumeName"})), cell(r.text({"spec", "nodeName"})),
                       Node::boolean(r.flag({"status", "attached"})), age_cell(r)});
}

Node attributes_class(const Row& r) { return Node::list({name_cell(r), cell(r.text({"driverName"})), age_cell(r)}); }

Node name_and_age(const Row& r) { return Node::list({name_cell(r), age_cell(r)}); }

Node resource_claim(const Row& r) {
    std::string state = is_deleting(r.o) ? "deleted" : "pending";
    if (r.o.find_path({"status", "allocation"})) {
        state = is_deleting(r.o) ? "deleted,allocated" : "allocated";
        if (r.size({"status", "reservedFor"})) state += ",reserved";
    }
    return Node::list({name_cell(r), cell(state), age_cell(r)});
}

Node resource_slice(const Row& r) {
    return Node::list({name_cell(r), cell(r.text({"spec", "nodeName"})), cell(r.text({"spec", "driver"})), cell(r.text({"spec", "pool", "name"})), age_cell(r)});
}

} // namespace

std::span<const Printer> storage_printers() {
    static constexpr Printer kPrinters[] = {
        {"/persistentvolumeclaims", claim},
        {"/persistentvolumes", volume},
        {"resource.k8s.io/deviceclasses", name_and_age},
        {"resource.k8s.io/resourceclaims", resource_claim},
        {"resource.k8s.io/resourceclaimtemplates", name_and_age},
        {"resource.k8s.io/resourceslices", resource_slice},
        {"storage.k8s.io/csidrivers", csi_driver},
        {"storage.k8s.io/csinodes", csi_node},
        {"storage.k8s.io/storageclasses", class_of_storage},
        {"storage.k8s.io/volumeattachments", attachment},
        {"storage.k8s.io/volumeattributesclasses", attributes_class},
    };
    return kPrinters;
}

} // namespace weber::kube::server
