#include "agent/flux/installation.h"

namespace weber::agent {

Result<Installation> find_installation(const Session& s) {
    Installation out;
    kube::ListOptions options;
    options.label_selector = kPartOfFlux;
    TRY(kube::ObjectList definitions, s.client().list({"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, options, s.call()));
    out.definitions = std::move(definitions.items);
    options.ns = s.ns;
    TRY(kube::ObjectList deployments, s.client().list({"apps", "v1", "Deployment"}, options, s.call()));
    out.deployments = std::move(deployments.items);
    const auto git = s.client().find({.gvk = {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, .name = "gitrepositories.source.toolkit.fluxcd.io"},
                                     {}, s.call());
    if (git && *git) {
        const std::string_view part_of = (*git)->label("app.kubernetes.io/part-of"), version = (*git)->label("app.kubernetes.io/version");
        if (!part_of.empty() && !version.empty()) out.distribution = std::string(part_of) + "-" + std::string(version);
        out.bootstrapped = !(*git)->label("kustomize.toolkit.fluxcd.io/name").empty() && !(*git)->label("kustomize.toolkit.fluxcd.io/namespace").empty();
    }
    return out;
}

std::vector<std::string> images_of(const Object& deployment) {
    std::vector<std::string> out;
    if (const Node* containers = deployment.at({"spec", "template", "spec", "containers"}))
        for (const Node& c : containers->items()) out.emplace_back(c.text_at("image"));
    return out;
}

} // namespace weber::agent
