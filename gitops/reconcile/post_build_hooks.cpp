#include "gitops/reconcile/post_build_hooks.h"

#include "gitops/substitute/substitute.h"
#include "kube/client.h"

namespace weber::gitops {

namespace {

ObjectLookup lookup_of(const HookSettings& settings, kube::Client* client) {
    std::vector<ObjectLookup> lookups = {lookup_in(settings.values.objects)};
    if (client != nullptr) lookups.push_back(lookup_in(*client));
    else if (settings.offline) lookups.push_back(settings.offline);
    return first_of(std::move(lookups));
}

std::function<Result<Object>(const Object&)> substitute_hook(const HookSettings& settings, const Kustomization& k, const ObjectLookup& lookup) {
    const SubstituteOptions options = {.strict = settings.strict_substitution, .always = k.spec.post_build->always};
    auto variables = load_variables(*k.spec.post_build, k.name.ns, lookup, settings.values.variables);
    if (variables) {
        return [substitution = std::make_shared<const Substitution>(std::move(*variables), options)](const Object& o) { return substitution->apply(o); };
    }
    return [error = std::move(variables.error())](const Object& o) -> Result<Object> {
        if (!wants_substitution(o)) return o;
        return fail(error);
    };
}

} // namespace

ObjectLookup lookup_in(kube::Client& client) {
    return [&client](std::string_view kind, const std::string& ns, const std::string& name) -> Result<Object> {
        return client.get({.gvk = {"", "v1", std::string(kind)}, .ns = ns, .name = name});
    };
}

PostBuildFactory post_build_hooks(HookSettings settings) {
    return [settings = std::make_shared<const HookSettings>(std::move(settings))](const Kustomization& k, kube::Client* client) -> Result<PostBuild> {
        PostBuild hooks;
        const ObjectLookup lookup = lookup_of(*settings, client);
        if (k.spec.post_build) hooks.substitute = substitute_hook(*settings, k, lookup);
        return hooks;
    };
}

} // namespace weber::gitops
