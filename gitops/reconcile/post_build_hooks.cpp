#include "gitops/reconcile/post_build_hooks.h"

#include <algorithm>
#include <iterator>
#include <mutex>

#include "gitops/decrypt/objects.h"
#include "gitops/decrypt/secret_keys.h"
#include "gitops/decrypt/sources.h"
#include "gitops/reconcile/reference_reader.h"
#include "gitops/substitute/substitute.h"
#include "kube/base/yaml.h"
#include "kube/client.h"

namespace weber::gitops {

namespace {

std::vector<Object> manifests_below(const Snapshot& snapshot, const std::string& dir) {
    std::vector<Object> out;
    for (const auto& [path, file] : snapshot.fs->files()) {
        const std::string full = snapshot.fs->mount() + "/" + path;
        if (!full.starts_with(dir + "/") || !(path.ends_with(".yaml") || path.ends_with(".yml"))) continue;
        const auto text = snapshot.fs->read(full);
        const auto documents = text ? kube::read_yaml(*text, {.file = path}) : Result<std::vector<Node>>(std::vector<Node>());
        if (!documents) continue;
        if (auto objects = kube::objects_from_documents(*documents)) std::ranges::move(*objects, std::back_inserter(out));
    }
    return out;
}

ObjectLookup lookup_of(const HookSettings& settings, ReferenceReader* cluster) {
    std::vector<ObjectLookup> lookups = {lookup_in(settings.values.objects)};
    if (cluster != nullptr)
        lookups.push_back([cluster, &settings](std::string_view kind, const std::string& ns, const std::string& name) {
            const bool of_controller = kind == "Secret" && settings.age_secret == NamespacedName{ns, name};
            return cluster->read(kind, ns, name, of_controller ? settings.read_age_secret : ObjectLookup());
        });
    if (settings.fallback) lookups.push_back(settings.fallback);
    return first_of(std::move(lookups));
}

// Notes the values of the Secrets that pass.
ObjectLookup noting(const ObjectLookup& lookup, std::vector<std::string>& values) {
    return [&lookup, &values](std::string_view kind, const std::string& ns, const std::string& name) {
        auto object = lookup(kind, ns, name);
        const auto entries = object && kind == "Secret" ? entries_of(*object) : Result<Variables>(Variables());
        if (!entries) return object;
        for (auto [key, value] : *entries) {
            std::erase(value, '\n'); // as they are substituted
            values.push_back(std::move(value));
        }
        return object;
    };
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

// ---- decryption ---------------------------------------------------------------------------------------------------

Result<void> import_from(const ObjectLookup& lookup, const NamespacedName& name, KeySecret kind, KeyRing& keys) {
    auto secret = lookup("Secret", name.ns, name.name);
    if (secret) return import_keys(*secret, kind, keys);
    Error error = std::move(secret.error());
    error.object.clear();
    if (error.code == ErrorCode::not_found) return fail(std::move(error)); // `secrets "x" not found`, as it is
    const std::string_view what = kind == KeySecret::of_controller ? "cannot get sops SOPS age decryption Secret '" : "cannot get sops decryption Secret '";
    return fail(std::move(error).with_prefix(std::string(what) + name.to_string() + "': "));
}

struct Keys {
    std::shared_ptr<const KeyRing> ring;
    std::optional<Error> missing = {}; // why the ring is empty
};

Result<Keys> keys_for(const HookSettings& settings, const Kustomization& k, const ObjectLookup& lookup) {
    const DecryptionSpec& spec = *k.spec.decryption;
    auto ring = std::make_shared<KeyRing>();
    Result<void> imported;
    if (!spec.secret_name.empty()) imported = import_from(lookup, {k.name.ns, spec.secret_name}, KeySecret::of_kustomization, *ring);
    else if (settings.age_secret) imported = import_from(lookup, *settings.age_secret, KeySecret::of_controller, *ring);
    const bool absent = !imported && imported.error().code == ErrorCode::not_found;
    if (settings.local_keys && (absent || (imported && ring->age.empty() && ring->pgp.empty()))) return Keys{settings.local_keys};
    if (imported) return Keys{std::move(ring)};
    Error error = std::move(imported.error()).at(spec.where);
    if (!absent || !settings.keys_when_needed) return fail(std::move(error));
    error.hint = "make the Secret (the reference fleet: bin/bootstrap-cluster.sh), or give --age-key-file FILE";
    return Keys{std::move(ring), std::move(error)};
}

// Without keys only what is encrypted fails, and that for want of the Secret.
template <class T>
Result<T> explained(Result<T> result, const Keys& keys) {
    if (!result && keys.missing) return fail(*keys.missing);
    return result;
}

Result<void> add_decryption(const HookSettings& settings, const Kustomization& k, const ObjectLookup& lookup, PostBuild& hooks) {
    const DecryptionSpec& spec = *k.spec.decryption;
    if (!spec.service_account.empty() && !settings.object_level_workload_identity)
        return fail(ErrorCode::unsupported,
                    "to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller",
                    spec.where);
    TRY(const Keys keys, keys_for(settings, k, lookup));
    const sops::DecryptOptions options = {.verify_mac = settings.verify_mac};
    hooks.files = [keys, options](const Snapshot& snapshot, const std::string& dir, const Node& file) {
        return explained(decrypt_sources(snapshot, dir, file, *keys.ring, options), keys);
    };
    hooks.decrypt = [keys, options](const Object& object) { return explained(decrypt_object(object, *keys.ring, options), keys); };
    return {};
}

} // namespace

ObjectLookup lookup_in(kube::Client& client) {
    return [&client](std::string_view kind, const std::string& ns, const std::string& name) -> Result<Object> {
        return client.get({.gvk = {"", "v1", std::string(kind)}, .ns = ns, .name = name});
    };
}

ObjectLookup lookup_in(Snapshot snapshot, std::string dir) {
    struct Source {
        std::once_flag once;
        ObjectLookup found;
    };
    auto source = std::make_shared<Source>();
    return [source, snapshot = std::move(snapshot), dir = std::move(dir)](std::string_view kind, const std::string& ns, const std::string& name) {
        std::call_once(source->once, [&] { source->found = lookup_in(manifests_below(snapshot, dir)); });
        return source->found(kind, ns, name);
    };
}

PostBuildFactory post_build_hooks(HookSettings settings) {
    return [settings = std::make_shared<const HookSettings>(std::move(settings))](const Kustomization& k, ReferenceReader* cluster) -> Result<PostBuild> {
        PostBuild hooks;
        const ObjectLookup lookup = lookup_of(*settings, cluster);
        if (k.spec.decryption) TRY_VOID(add_decryption(*settings, k, lookup, hooks));
        if (k.spec.post_build) hooks.substitute = substitute_hook(*settings, k, noting(lookup, hooks.secret_values));
        if (cluster != nullptr) hooks.references = cluster->references();
        return hooks;
    };
}

} // namespace weber::gitops
