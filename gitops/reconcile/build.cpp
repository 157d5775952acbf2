#include <algorithm>

#include "gitops/reconcile/generate.h"
#include "gitops/reconcile/pipeline.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/base/yaml.h"
#include "kustomize/build.h"
#include "kustomize/gvk.h"

namespace weber::gitops {

namespace {

Result<PostBuild> hooks_of(const Kustomization& k, const BuildSettings& settings) {
    if (!k.spec.post_build && !k.spec.decryption) return PostBuild{};
    if (settings.post_build) return settings.post_build(k, settings.cluster);
    TRY_VOID(check_features(k, {.expressions = true, .ignore_rules = true, .impersonation = true, .remote_cluster = true}));
    return PostBuild{};
}

// "Secret.v1.[noGrp]/name"
std::string gvk_name(const Object& o) {
    return kustomize::Gvk::of(o.api_version(), o.kind()).to_string() + "/" + std::string(o.name());
}

// As the error shows it: on one line, without what may be secret.
std::string shown(Node object) {
    for (const char* field : {"data", "stringData"})
        if (Node* values = object.find_mut(field); values != nullptr && values->is_map() && object.text_at("kind") != "ConfigMap")
            for (auto& [key, value] : values->entries_mut()) value = Node::string("***");
    return kube::write_json(object);
}

Result<void> has_identity(const Node& object) {
    if (!object.text_at("apiVersion").empty() && !object.text_at("kind").empty() && !Object(object).name().empty()) return {};
    return fail(Error{.code = ErrorCode::invalid,
                      .message = "failed to decode Kubernetes apiVersion, kind and name from: " + shown(object),
                      .where = object.where(),
                      .hint = "every object needs apiVersion, kind and metadata.name"});
}

// Leaves of `plain` that were encrypted.
void note_decrypted(const Node& encrypted, const Node& plain, std::vector<std::string>& values) {
    if (plain.is_scalar() && encrypted.is_scalar() && plain.text() != encrypted.text()) values.emplace_back(plain.text());
    for (const auto& [key, value] : plain.entries())
        if (const Node* before = encrypted.find(key)) note_decrypted(*before, value, values);
    for (std::size_t i = 0; i < std::min(plain.items().size(), encrypted.items().size()); ++i) note_decrypted(encrypted.items()[i], plain.items()[i], values);
}

// Decrypt, then substitute: build.md 1 step 5.
Result<void> apply_hooks(std::vector<Node>& nodes, const PostBuild& hooks, std::vector<std::string>& secret_values) {
    for (Node& node : nodes) {
        TRY_VOID(has_identity(node));
        for (const auto& [hook, prefix] : {std::pair(&hooks.decrypt, "decryption failed for '"), std::pair(&hooks.substitute, "post build failed for '")}) {
            if (!*hook) continue;
            const Object object(node);
            auto done = (*hook)(object);
            if (!done) return fail(Error(done.error()).with_prefix(prefix + gvk_name(object) + "': ").at(object.where()).on(object.subject()));
            if (hook == &hooks.decrypt) note_decrypted(object.root(), done->root(), secret_values);
            node = std::move(done->root());
        }
    }
    return {};
}

bool is_kustomize_file(const Object& o) { return o.kind() == "Kustomization" && o.group() == "kustomize.config.k8s.io"; }

// Files as the user knows them: relative to the root of the source.
Error displayed(Error error, const Snapshot& snapshot) {
    error.where.file = error.where.file.empty() ? "" : snapshot.display(error.where.file);
    return error;
}

} // namespace

Result<Built> build_objects(const Snapshot& source, const Kustomization& k, const BuildSettings& settings) {
    TRY(const std::string dir, source.directory(k.spec.path));
    Built built;
    TRY(Node file, kustomization_of(source, dir, k.spec, built.warnings));
    TRY(const PostBuild hooks, hooks_of(k, settings));
    Snapshot snapshot = source;
    if (hooks.files) {
        auto plain = hooks.files(source, dir, file);
        if (!plain) return fail(Error(plain.error()).with_prefix("error decrypting sources: "));
        snapshot = std::move(*plain);
    }
    kustomize::BuildOptions options;
    options.load_restrictions = kustomize::LoadRestrictions::none; // the snapshot itself ends at its root
    options.root_kustomization = std::move(file);
    options.cache = hooks.files ? nullptr : settings.cache; // plaintext is kept by nobody
    options.remote = settings.remote;
    auto output = kustomize::build(*snapshot.fs, dir, options);
    if (!output) return fail(displayed(std::move(output.error()), snapshot).with_prefix("kustomize build failed: "));

    built.warnings.insert(built.warnings.end(), output->warnings.begin(), output->warnings.end());
    for (const std::string& path : output->files_read) built.files_read.push_back(snapshot.display(path));
    built.secret_values = hooks.secret_values;
    built.references = hooks.references;
    std::vector<Node> nodes = output->objects();
    if (auto done = apply_hooks(nodes, hooks, built.secret_values); !done) return fail(displayed(std::move(done.error()), snapshot));
    built.digest = "sha256:" + kube::sha256_hex(kube::write_yaml_all(nodes));
    auto objects = kube::objects_from_documents(nodes);
    if (!objects) return fail(displayed(std::move(objects.error()), snapshot));
    std::erase_if(*objects, is_kustomize_file);
    built.objects = std::move(*objects);
    return built;
}

} // namespace weber::gitops
