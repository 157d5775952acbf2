// `uninstall`: takes the controllers and their definitions away; what they applied stays (cli.md 2.13).
#include <array>
#include <ostream>
#include <string_view>

#include "agent/commands/commands.h"
#include "agent/flux/installation.h"

namespace weber::agent {

namespace {

// In the order in which flux names them.
constexpr std::array<std::string_view, 14> kKinds{"GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "Kustomization", "HelmRelease", "Alert", "Provider",
                                                  "Receiver", "ImagePolicy", "ImageRepository", "ImageUpdateAutomation", "ExternalArtifact"};

class Uninstall {
public:
    Uninstall(const Invocation& in, const Session& s) : in_(in), s_(s), dry_run_(in.flags.on("dry-run")) {}

    // All labelled objects of a kind; `ns` "" = all.
    void remove_labelled(const kube::GroupVersionKind& gvk, const std::string& ns) {
        kube::ListOptions options;
        options.ns = ns;
        options.label_selector = kPartOfFlux;
        const auto found = s_.client().list(gvk, options, s_.call());
        if (!found) return note(found.error());
        for (const Object& o : found->items) remove(kube::ref_of(o), std::string(o.kind()));
    }

    // So that nothing waits for controllers that are gone.
    void drop_finalizers(const FluxKind& kind) {
        const auto found = s_.client().list(kind.gvk(), {}, s_.call());
        if (!found && found.error().code == ErrorCode::not_found) return;
        if (!found) return note(found.error());
        for (const Object& o : found->items) {
            const Node* finalizers = o.at({"metadata", "finalizers"});
            if (!finalizers || finalizers->empty()) { // Flux names it all the same
                say(o.subject() + " finalizers deleted");
                continue;
            }
            kube::WriteOptions options;
            options.field_manager = "flux";
            options.dry_run = dry_run_;
            const Node patch = Node::map({{"metadata", Node::map({{"finalizers", Node::null()}})}});
            const auto done = s_.client().patch(kube::ref_of(o), kube::PatchType::merge, patch, options, s_.call());
            if (!done) note(done.error());
            else say(o.subject() + " finalizers deleted");
        }
    }

    void remove(const kube::ObjectRef& ref, const std::string& kind) {
        kube::DeleteOptions options;
        options.propagation = kube::Propagation::background;
        options.dry_run = dry_run_;
        const auto gone = s_.client().remove(ref, options, s_.call());
        const std::string subject = kind + "/" + (ref.ns.empty() ? "" : ref.ns + "/") + ref.name;
        const bool absent = !gone && gone.error().code == ErrorCode::not_found;
        if (absent && kind != "Namespace") return;
        if (!gone) {
            in_.io.failure(Error(gone.error()).with_prefix(subject + " deletion failed: "));
            failed_ = failed_ || !absent; // a namespace that is not there may be mistyped, or gone since the last time
            return;
        }
        say(subject + " deleted");
    }

    [[nodiscard]] bool failed() const { return failed_; }

private:
    void say(const std::string& text) { in_.io.success(text + " " + (dry_run_ ? "(dry run)" : "")); }
    void note(const Error& error) {
        failed_ = true;
        in_.io.failure(error);
    }

    const Invocation& in_;
    const Session& s_;
    const bool dry_run_;
    bool failed_ = false;
};

Result<std::string> question_of(const Session& s) {
    TRY(const std::string manager, other_manager(s));
    if (manager.empty()) return "Are you sure you want to delete Flux and its custom resource definitions?";
    return "Flux is managed by " + manager + "! Are you sure you want to delete Flux and its CRDs using Flux CLI?";
}

Result<int> run(Invocation& in) {
    if (!in.args.empty()) return in.unknown_word(); // `uninstall NAMESPACE` must not uninstall another one
    TRY(const Session s, open_session(in));
    if (!in.flags.on("silent") && !in.flags.on("dry-run")) {
        TRY(const std::string question, question_of(s));
        if (!in.io.confirm(question)) return fail(ErrorCode::cancelled, "aborting");
    }
    Uninstall uninstall(in, s);
    in.io.action("deleting components in " + s.ns + " namespace");
    for (const kube::GroupVersionKind& gvk : {kube::GroupVersionKind{"apps", "v1", "Deployment"}, {"", "v1", "Service"},
                                              {"networking.k8s.io", "v1", "NetworkPolicy"}, {"", "v1", "ServiceAccount"}})
        uninstall.remove_labelled(gvk, s.ns);
    for (const kube::GroupVersionKind& gvk : {kube::GroupVersionKind{"rbac.authorization.k8s.io", "v1", "ClusterRole"},
                                              {"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding"}})
        uninstall.remove_labelled(gvk, "");
    in.io.action("deleting toolkit.fluxcd.io finalizers in all namespaces");
    for (const std::string_view kind : kKinds) uninstall.drop_finalizers(*flux_kind(kind));
    in.io.action("deleting toolkit.fluxcd.io custom resource definitions");
    uninstall.remove_labelled({"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, "");
    if (!in.flags.on("keep-namespace")) uninstall.remove({.gvk = {"", "v1", "Namespace"}, .name = s.ns}, "Namespace");
    if (uninstall.failed()) return fail(ErrorCode::invalid, "uninstall failed: see the lines above");
    in.io.success("uninstall finished");
    return kOk;
}

} // namespace

Command uninstall_command() {
    Command c{.name = "uninstall", .summary = "Delete the controllers and their definitions; what they applied stays", .flags = session_flags(), .run = run};
    c.flags.insert(c.flags.end(), {{.name = "silent", .kind = FlagKind::boolean, .help = "do not ask", .letter = 's'},
                                   {.name = "dry-run", .kind = FlagKind::boolean, .help = "only say what would be deleted"},
                                   {.name = "keep-namespace", .kind = FlagKind::boolean, .help = "leave the namespace"}});
    return c;
}

} // namespace weber::agent
