#include "agent/flux/installation.h"

#include <algorithm>

#include "kube/kstatus.h"
#include "kube/watch.h"

namespace weber::agent {

namespace {

Result<std::vector<Object>> labelled(const Session& s, const kube::GroupVersionKind& gvk, const std::string& ns) {
    kube::ListOptions options;
    options.label_selector = kPartOfFlux;
    options.ns = ns;
    TRY(kube::ObjectList found, s.client().list(gvk, options, s.call()));
    return std::move(found.items);
}

Result<std::optional<Object>> git_definition(const Session& s) {
    auto found = s.client().find({.gvk = {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, .name = "gitrepositories.source.toolkit.fluxcd.io"}, {}, s.call());
    if (!found) found.error().object.clear(); // the API's text names it
    return found;
}

} // namespace

Result<std::vector<Object>> find_definitions(const Session& s) { return labelled(s, {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, ""); }

Result<std::vector<Object>> find_deployments(const Session& s) { return labelled(s, {"apps", "v1", "Deployment"}, s.ns); }

Result<std::string> other_manager(const Session& s) {
    auto git = git_definition(s);
    if (!git) return fail(std::move(git.error()).with_prefix("cluster info unavailable: "));
    const std::string manager(*git ? (*git)->label("app.kubernetes.io/managed-by") : "");
    return manager == "flux" ? "" : manager;
}

Result<Installation> find_installation(const Session& s) {
    Installation out;
    const auto git = git_definition(s);
    if (!git) return fail(git.error());
    out.defined = git->has_value();
    if (out.defined) {
        const std::string_view part_of = (*git)->label("app.kubernetes.io/part-of"), version = (*git)->label("app.kubernetes.io/version");
        out.version = std::string(version);
        if (!version.empty()) out.distribution = (part_of.empty() ? "" : std::string(part_of) + "-") + std::string(version);
        out.bootstrapped = !(*git)->label("kustomize.toolkit.fluxcd.io/name").empty() && !(*git)->label("kustomize.toolkit.fluxcd.io/namespace").empty();
    }
    return out;
}

Result<bool> wait_for_deployments(const Invocation& in, const Session& s, std::vector<Object> deployments, bool images) {
    std::ranges::sort(deployments, {}, [](const Object& d) { return std::string(d.name()); });
    std::vector<kube::ObjectRef> refs;
    for (const Object& d : deployments) refs.push_back(kube::ref_of(d));
    std::vector<bool> ready(refs.size());
    const auto look = [&](std::size_t i, const kube::Observation& seen) {
        ready[i] = false;
        if (seen.state == kube::Observation::State::present) {
            const auto status = kube::compute_status(seen.object);
            ready[i] = status && status->code == kube::StatusCode::current;
        }
        return std::ranges::find(ready, false) == ready.end();
    };
    kube::WaitOptions options;
    options.timeout = s.left();
    TRY_VOID(kube::wait_for(s.client(), refs, look, options));
    for (std::size_t i = 0; i < refs.size(); ++i) {
        if (ready[i]) in.io.success(refs[i].name + ": deployment ready");
        else in.io.failure(refs[i].name + ": deployment not ready");
        if (!images) continue;
        for (const std::string& image : images_of(deployments[i])) in.io.action(image);
    }
    return std::ranges::find(ready, false) == ready.end();
}

std::vector<std::string> images_of(const Object& deployment) {
    std::vector<std::string> out;
    if (const Node* containers = deployment.at({"spec", "template", "spec", "containers"}))
        for (const Node& c : containers->items()) out.emplace_back(c.text_at("image"));
    return out;
}

} // namespace weber::agent
