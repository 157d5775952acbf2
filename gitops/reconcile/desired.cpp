#include "gitops/api/names.h"
#include "gitops/reconcile/normalize.h"
#include "gitops/reconcile/pipeline.h"
#include "kube/base/ascii.h"

namespace weber::gitops {

namespace {

// Labels and annotations must be maps before anything is added to them.
Result<void> check_metadata(const Object& o) {
    for (std::string_view field : {"labels", "annotations"}) {
        const Node* map = o.at({"metadata", field});
        if (map != nullptr && !map->is_map() && !map->is_null())
            return fail(Error{.code = ErrorCode::invalid,
                              .message = "metadata." + std::string(field) + ": expected a map of strings, found " + std::string(map->kind_word()),
                              .where = map->where(),
                              .object = o.subject()});
    }
    return {};
}

// Before normalization, unlike upstream, whose typed round trip drops the `sops` key of a Secret with stringData and applies its
// ciphertext (kustomization.md 2, step 19c).
Result<void> check_encryption(const Object& o) {
    if (o.kind() != "Secret" || !o.group().empty() || !o.root().contains("sops")) return {};
    if (kube::same_but_case(o.annotation(kDecryptKey), "disabled")) return {};
    return fail(Error{.code = ErrorCode::invalid,
                      .message = o.subject() + " is SOPS encrypted, configuring decryption is required for this secret to be reconciled",
                      .where = o.where(),
                      .hint = "add spec.decryption to the Kustomization"});
}

} // namespace

Result<std::vector<Object>> desired_objects(std::vector<Object> objects, const Kustomization& k, bool normalize) {
    for (Object& o : objects) {
        TRY_VOID(check_metadata(o));
        TRY_VOID(check_encryption(o));
        o.set_label(kOwnerName, k.name.name);
        o.set_label(kOwnerNamespace, k.name.ns);
        if (normalize) o = normalized(o);
        for (const auto& [key, value] : k.spec.common_labels) o.set_label(key, value);
        for (const auto& [key, value] : k.spec.common_annotations) o.set_annotation(key, value);
    }
    return objects;
}

} // namespace weber::gitops
