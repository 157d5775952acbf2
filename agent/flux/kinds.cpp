#include "agent/flux/kinds.h"

#include "kube/base/ascii.h"

namespace weber::agent {

std::span<const FluxKind> flux_kinds() {
    static const std::vector<FluxKind> table = {
        {"source.toolkit.fluxcd.io", "OCIRepository", "sources", {"oci"}, "source oci"},
        {"source.toolkit.fluxcd.io", "Bucket", "sources", {"bucket"}, "source bucket"},
        {"source.toolkit.fluxcd.io", "GitRepository", "sources", {"git"}, "source git"},
        {"source.toolkit.fluxcd.io", "HelmRepository", "sources", {"helm"}, "source helm"},
        {"source.toolkit.fluxcd.io", "HelmChart", "sources", {"chart"}, "source chart"},
        {"source.toolkit.fluxcd.io", "ExternalArtifact", "sources", {"external"}, "source external", Columns::external},
        {"image.toolkit.fluxcd.io", "ImageRepository", "images", {"repository"}, "image repository", Columns::image_repository},
        {"image.toolkit.fluxcd.io", "ImagePolicy", "images", {"policy"}, "image policy", Columns::image_policy},
        {"image.toolkit.fluxcd.io", "ImageUpdateAutomation", "images", {"update"}, "image update automation", Columns::image_update},
        {"helm.toolkit.fluxcd.io", "HelmRelease", "", {"helmreleases", "helmrelease", "hr"}, "helmrelease"},
        {"kustomize.toolkit.fluxcd.io", "Kustomization", "", {"kustomizations", "kustomization", "ks"}, "kustomization"},
        {"notification.toolkit.fluxcd.io", "Receiver", "", {"receivers", "receiver"}, "receiver", Columns::plain},
        {"notification.toolkit.fluxcd.io", "Provider", "", {"alert-providers", "alert-provider"}, "alert provider", Columns::no_suspend},
        {"notification.toolkit.fluxcd.io", "Alert", "", {"alerts", "alert"}, "alert", Columns::plain},
    };
    return table;
}

const FluxKind* flux_kind(std::string_view kind) {
    for (const FluxKind& k : flux_kinds())
        if (kube::same_but_case(k.kind, kind)) return &k;
    return nullptr;
}

} // namespace weber::agent
