#include "gitops/reconcile/bootstrap.h"

#include <algorithm>

#include "gitops/api/definitions.h"
#include "gitops/reconcile/apply.h"
#include "gitops/reconcile/pipeline.h"
#include "kube/base/yaml.h"

namespace weber::gitops {

namespace {

Result<Object> definition(std::string_view yaml) {
    TRY(Node node, kube::read_yaml_one(yaml));
    return Object(std::move(node));
}

Object namespace_object(const std::string& name) {
    return Object(Node::map({{"apiVersion", Node::string("v1")}, {"kind", Node::string("Namespace")}, {"metadata", Node::map({{"name", Node::string(name)}})}}));
}

// Those of `objects` that the cluster lacks.
Result<std::vector<Object>> missing(kube::Client& client, const std::vector<Object>& objects, std::stop_token stop) {
    std::vector<Object> out;
    for (const Object& o : objects) {
        TRY(const std::optional<Object> live, client.find(kube::ref_of(o), {.metadata_only = true}, {.stop = stop}));
        if (!live) out.push_back(o);
    }
    return out;
}

Result<ChangeSet> prepare(kube::Client& client, const ClusterEntry& entry, bool dry_run, std::vector<Object>& planned, std::stop_token stop) {
    TRY(const Object kustomizations, definition(kustomization_definition()));
    TRY(const Object repositories, definition(git_repository_definition()));
    std::vector<Object> base{kustomizations, repositories};
    const bool declares_namespace = std::ranges::any_of(entry.objects, [](const Object& o) { return o.kind() == "Namespace"; });
    if (!declares_namespace) base.push_back(namespace_object(entry.root.name.ns));
    TRY(std::vector<Object> absent, missing(client, base, stop));
    if (dry_run) {
        planned = absent;
        for (const Object& o : entry.objects)
            if (o.kind() == "Namespace") planned.push_back(o);
    }
    const ApplySettings settings{.dry_run = dry_run, .planned = planned};
    ChangeSet out = apply_staged(client, std::move(absent), settings, {}, stop);
    if (!out.errors.empty()) return out;
    TRY(std::vector<Object> wanted, desired_objects(entry.objects, entry.root));
    ChangeSet rest = apply_staged(client, std::move(wanted), settings, {}, stop);
    out.changes.insert(out.changes.end(), rest.changes.begin(), rest.changes.end());
    out.errors = std::move(rest.errors);
    return out;
}

} // namespace

ChangeSet bootstrap(kube::Client& client, const ClusterEntry& entry, bool dry_run, std::vector<Object>& planned, std::stop_token stop) {
    auto done = prepare(client, entry, dry_run, planned, std::move(stop));
    return done ? std::move(*done) : ChangeSet{{}, {std::move(done.error())}};
}

} // namespace weber::gitops
