#include "agent/install/manifests.h"

#include <algorithm>

#include "gitops/api/definitions.h"
#include "kube/base/json.h"
#include "kustomize/build.h"

namespace weber::agent {

namespace {

constexpr std::string_view kName = "weber"; // of the Deployment, its image and its policy in deploy/install

Node text(std::string_view t) { return Node::string(t); }

// `--controllers` of the agent. Error unsupported: what Weber does not do.
Result<std::string> controllers_of(const std::vector<std::string>& components) {
    std::string out;
    for (const std::string& component : components) {
        const bool known = component == "source-controller" || component == "kustomize-controller";
        if (!known)
            return fail(Error{.code = ErrorCode::unsupported, .message = "component " + component + " is not part of weber",
                              .hint = "weber does the work of source-controller (of GitRepositories) and kustomize-controller; install others by Flux beside it"});
        const std::string controller = component == "source-controller" ? "gitrepository" : "kustomization";
        if (out.find(controller) == std::string::npos) out += (out.empty() ? "" : ",") + controller;
    }
    if (out.empty()) return fail(ErrorCode::invalid, "--components must name at least one of source-controller, kustomize-controller");
    return out;
}

// An RFC 6902 patch of the Deployment.
class DeploymentPatch {
public:
    void add(std::string_view path, Node value) {
        operations_.push_back(Node::map({{"op", text("add")}, {"path", text("/spec/template/spec/" + std::string(path))}, {"value", std::move(value)}}));
    }
    void argument(const std::string& value) { add("containers/0/args/-", text(value)); }
    [[nodiscard]] Node node() const {
        return Node::map({{"target", Node::map({{"kind", text("Deployment")}, {"name", text(kName)}})}, {"patch", text(kube::write_json(operations_))}});
    }

private:
    Node operations_ = Node::list();
};

Result<Node> deployment_patch(const InstallOptions& o) {
    TRY(const std::string controllers, controllers_of(o.components));
    DeploymentPatch patch;
    patch.argument("--controllers=" + controllers);
    patch.argument("--log-level=" + o.log_level);
    patch.argument(std::string("--watch-all-namespaces=") + (o.watch_all_namespaces ? "true" : "false"));
    patch.argument("--storage-adv-addr=weber.$(RUNTIME_NAMESPACE).svc." + o.cluster_domain + "."); // the last one counts
    if (!o.image_pull_secret.empty()) patch.add("imagePullSecrets", Node::list({Node::map({{"name", text(o.image_pull_secret)}})}));
    if (!o.toleration_keys.empty()) {
        Node tolerations = Node::list();
        for (const std::string& key : o.toleration_keys) tolerations.push_back(Node::map({{"key", text(key)}, {"operator", text("Exists")}}));
        patch.add("tolerations", std::move(tolerations));
    }
    return patch.node();
}

// "registry:5000/weber:v1" → name and tag; no tag: our version.
Node image_of(const InstallOptions& o) {
    std::string name = o.image.empty() ? (o.registry.empty() ? "" : o.registry + "/") + std::string(kName) : o.image;
    std::string tag = "v" WEBER_VERSION;
    Node out = Node::map({{"name", text(kName)}});
    if (const std::size_t at = name.find('@'); at != std::string::npos) {
        out.set("digest", text(name.substr(at + 1)));
        name.erase(at);
    } else {
        const std::size_t colon = name.rfind(':');
        if (colon != std::string::npos && name.find('/', colon) == std::string::npos) {
            tag = name.substr(colon + 1);
            name.erase(colon);
        }
        out.set("newTag", text(tag));
    }
    out.set("newName", text(name));
    return out;
}

Result<Node> overlay(const InstallOptions& o) {
    Node patches = Node::list();
    TRY(Node deployment, deployment_patch(o));
    patches.push_back(std::move(deployment));
    if (!o.network_policy)
        patches.push_back(Node::map({{"target", Node::map({{"kind", text("NetworkPolicy")}, {"name", text(kName)}})},
                                     {"patch", text("$patch: delete\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: weber\n")}}));
    const Node labels = Node::map({{"app.kubernetes.io/instance", text(o.ns)}, {"app.kubernetes.io/version", text("v" WEBER_VERSION)}});
    return Node::map({{"apiVersion", text("kustomize.config.k8s.io/v1beta1")},
                      {"kind", text("Kustomization")},
                      {"namespace", text(o.ns)},
                      {"resources", Node::list({text("../install")})},
                      {"labels", Node::list({Node::map({{"pairs", labels}})})},
                      {"images", Node::list({image_of(o)})},
                      {"patches", std::move(patches)}});
}

} // namespace

Result<std::vector<Object>> install_manifests(const InstallOptions& options) {
    kustomize::MemoryFileSystem files;
    for (const ManifestFile& file : install_files()) files.write("/install/" + std::string(file.path), file.text);
    files.write("/install/crds/kustomize.toolkit.fluxcd.io_kustomizations.yaml", gitops::kustomization_definition());
    files.write("/install/crds/source.toolkit.fluxcd.io_gitrepositories.yaml", gitops::git_repository_definition());
    TRY(const Node root, overlay(options));
    files.write("/overlay/kustomization.yaml", kube::write_json(root));
    TRY(const kustomize::BuildOutput built, kustomize::build(files, "/overlay", {.reorder = kustomize::Reorder::legacy}));
    std::vector<Object> out;
    for (Node& node : built.objects()) out.emplace_back(std::move(node));
    return out;
}

} // namespace weber::agent
