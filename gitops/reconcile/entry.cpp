#include "gitops/reconcile/entry.h"

#include <algorithm>

#include "gitops/reconcile/once.h"
#include "gitops/reconcile/pipeline.h"
#include "gitops/source/remote_bases.h"
#include "kube/base/join.h"

namespace weber::gitops {

namespace {

Result<std::string> cluster_dir(const Snapshot& snapshot, const std::string& cluster) {
    TRY(const std::vector<std::string> names, clusters_of(snapshot));
    if (cluster.empty()) {
        if (names.size() == 1) return "clusters/" + names.front();
        return fail(Error{.code = ErrorCode::invalid, .message = "the source has several clusters: " + kube::join(names, ", "), .hint = "choose one with --cluster"});
    }
    if (std::ranges::find(names, cluster) == names.end())
        return fail(Error{.code = ErrorCode::not_found, .message = "the source has no cluster '" + cluster + "'", .hint = "it has: " + kube::join(names, ", ")});
    return "clusters/" + cluster;
}

bool same_directory(std::string_view path, std::string_view dir) {
    while (path.starts_with("./")) path.remove_prefix(2);
    while (path.starts_with('/')) path.remove_prefix(1);
    while (path.ends_with('/')) path.remove_suffix(1);
    return path == dir;
}

Result<Kustomization> root_of(const std::vector<Object>& objects, const std::string& dir) {
    std::vector<const Object*> found;
    for (const Object& o : objects)
        if (is_kustomization(o)) {
            const Node* path = o.at({"spec", "path"});
            if (path != nullptr && same_directory(path->text(), dir)) found.push_back(&o);
        }
    if (found.empty())
        return fail(Error{.code = ErrorCode::not_found,
                          .message = "no Kustomization in " + dir + " has the path ./" + dir,
                          .hint = "declare one, as flux bootstrap does in " + dir + "/flux-system/gotk-sync.yaml"});
    const auto standard = std::ranges::find(found, "flux-system", &Object::name);
    return parse_kustomization(standard != found.end() ? **standard : *found.front());
}

} // namespace

Result<std::vector<std::string>> clusters_of(const Snapshot& snapshot) {
    const std::string dir = snapshot.fs->mount() + "/clusters";
    std::vector<std::string> out;
    if (snapshot.fs->is_dir(dir)) {
        TRY(const std::vector<std::string> names, snapshot.fs->list(dir));
        for (const std::string& name : names)
            if (snapshot.fs->is_dir(dir + "/" + name)) out.push_back(name);
    }
    if (out.empty())
        return fail(Error{.code = ErrorCode::not_found,
                          .message = "the source has no folder clusters/NAME",
                          .hint = "--path or --url must name a fleet repository: one folder a cluster below clusters/"});
    return out;
}

Result<ClusterEntry> find_entry(const Snapshot& snapshot, const std::string& cluster) {
    TRY(const std::string dir, cluster_dir(snapshot, cluster));
    Kustomization reader; // builds the folder as its own Kustomization will
    reader.spec.path = dir;
    RemoteBases remote;
    TRY(const Built built, build_objects(snapshot, reader, {.remote = &remote}));
    TRY(Kustomization root, root_of(built.objects, dir));
    ClusterEntry entry{dir, std::move(root), std::nullopt, {}};
    for (const Object& o : built.objects)
        if (o.kind() == "Namespace" && o.group().empty() && o.name() == entry.root.name.ns) entry.objects.push_back(o);
    const SourceRef& source = entry.root.spec.source;
    for (const Object& o : built.objects) {
        if (!is_git_repository(o) || o.ns() != source.name.ns || o.name() != source.name.name || source.kind != "GitRepository") continue;
        TRY(entry.repository, parse_git_repository(o));
        entry.objects.push_back(o);
    }
    entry.objects.push_back(entry.root.object);
    return entry;
}

} // namespace weber::gitops
