// `reconcile source git NAME`, `reconcile kustomization NAME` …: asks the controller in the cluster (cli.md 2.2).
#include <algorithm>

#include "agent/commands/commands.h"
#include "agent/flux/requests.h"
#include "agent/flux/table.h"

namespace weber::agent {

namespace {

struct Ask {
    const Invocation& in;
    const Session& session;
    std::vector<std::string> more = {}; // annotations that get the same value: forceAt, resetAt
};

Result<void> reconcile_object(const Ask& ask, const FluxKind& kind, const std::string& ns, const std::string& name, bool with_more);

std::string text_of(const Object& o, std::initializer_list<std::string_view> path, std::string fallback = {}) {
    const Node* node = o.at(path);
    return node && !node->text().empty() ? std::string(node->text()) : fallback;
}

Result<void> reconcile_source(const Ask& ask, const std::string& kind_name, const std::string& ns, const std::string& name) {
    const FluxKind* kind = flux_kind(kind_name);
    const bool known = kind && kind->parent == "sources" && kind->kind != "ExternalArtifact";
    if (!known) return fail(ErrorCode::unsupported, "cannot reconcile source of kind " + kind_name);
    return reconcile_object(ask, *kind, ns, name, false);
}

// What must be fresh before `object` is asked for.
Result<void> reconcile_sources_of(const Ask& ask, const Object& object) {
    const std::string ns(object.ns());
    if (object.kind() == "Kustomization") {
        const std::string kind = text_of(object, {"spec", "sourceRef", "kind"});
        if (kind == "HelmRepository" || kind == "HelmChart") return fail(ErrorCode::unsupported, "cannot reconcile source of kind " + kind);
        return reconcile_source(ask, kind, text_of(object, {"spec", "sourceRef", "namespace"}, ns), text_of(object, {"spec", "sourceRef", "name"}));
    }
    if (object.kind() == "HelmChart")
        return reconcile_source(ask, text_of(object, {"spec", "sourceRef", "kind"}), ns, text_of(object, {"spec", "sourceRef", "name"}));
    if (object.at({"spec", "chartRef"}))
        return reconcile_source(ask, text_of(object, {"spec", "chartRef", "kind"}), text_of(object, {"spec", "chartRef", "namespace"}, ns),
                                text_of(object, {"spec", "chartRef", "name"}));
    const std::string source_ns = text_of(object, {"spec", "chart", "spec", "sourceRef", "namespace"}, ns);
    TRY_VOID(reconcile_source(ask, text_of(object, {"spec", "chart", "spec", "sourceRef", "kind"}), source_ns,
                              text_of(object, {"spec", "chart", "spec", "sourceRef", "name"})));
    return reconcile_source(ask, "HelmChart", source_ns, ns + "-" + std::string(object.name()));
}

Result<void> reconcile_object(const Ask& ask, const FluxKind& kind, const std::string& ns, const std::string& name, bool with_more) {
    const Io& io = ask.in.io;
    TRY(const Object before, get_object(ask.session, kind, ns, name));
    if (suspended_cell(before) == "True") return fail(ErrorCode::invalid, "resource is suspended");
    if (kind.kind == "HelmRepository" && text_of(before, {"spec", "type"}) == "oci") {
        io.success("reconciliation not supported by the object");
        return {};
    }
    if (with_more && ask.in.flags.knows("with-source") && ask.in.flags.on("with-source")) TRY_VOID(reconcile_sources_of(ask, before));

    io.action("annotating " + std::string(kind.kind) + " " + name + " in " + ns + " namespace");
    Node annotations = Node::map({{"reconcile.fluxcd.io/requestedAt", Node::string(request_time())}});
    if (with_more)
        for (const std::string& key : ask.more) annotations.set(key, Node(*annotations.find("reconcile.fluxcd.io/requestedAt")));
    TRY_VOID(merge_patch(ask.session, kind, ns, name, Node::map({{"metadata", Node::map({{"annotations", std::move(annotations)}})}})));
    io.success(std::string(kind.kind) + " annotated");
    io.waiting("waiting for " + std::string(kind.kind) + " reconciliation");
    TRY(const Object after, wait_handled(ask.session, kind, ns, name, text_of(before, {"status", "lastHandledReconcileAt"})));
    io.success(done_text(kind, after));
    return {};
}

Result<int> run(const Invocation& in, const FluxKind& kind) {
    if (in.args.empty()) return fail(name_required(kind.kind));
    if (in.args.size() > 1) return fail(ErrorCode::invalid, "accepts 1 arg(s), received " + std::to_string(in.args.size()));
    TRY(const Session session, open_session(in));
    Ask ask{.in = in, .session = session};
    for (const auto& [flag, key] : {std::pair("force", "reconcile.fluxcd.io/forceAt"), std::pair("reset", "reconcile.fluxcd.io/resetAt")})
        if (in.flags.knows(flag) && in.flags.on(flag)) ask.more.emplace_back(key);
    TRY_VOID(reconcile_object(ask, kind, session.ns, in.args.front(), true));
    return kOk;
}

Command one(const FluxKind& kind) {
    Command c{.name = kind.words.size() > 1 ? kind.words[1] : kind.words.front(), .args = "NAME", .summary = kind.kind};
    for (std::string_view word : kind.words)
        if (word != c.name) c.aliases.push_back(word);
    if (kind.kind == "Kustomization" || kind.kind == "HelmRelease" || kind.kind == "HelmChart")
        c.flags.push_back({.name = "with-source", .kind = FlagKind::boolean, .help = "reconcile its source first"});
    if (kind.kind == "HelmRelease") {
        c.flags.push_back({.name = "force", .kind = FlagKind::boolean, .help = "force a release"});
        c.flags.push_back({.name = "reset", .kind = FlagKind::boolean, .help = "forget its failures"});
    }
    const auto session = session_flags();
    c.flags.insert(c.flags.end(), session.begin(), session.end());
    c.run = [&kind](Invocation& in) { return run(in, kind); };
    return c;
}

} // namespace

std::vector<Command> reconcile_kind_commands() {
    std::vector<Command> out;
    Command sources{.name = "source", .summary = "Sources: git, oci, bucket, helm, chart", .aliases = {"sources"}};
    Command images{.name = "image", .summary = "Image automation: repository, update", .aliases = {"images"}};
    for (const FluxKind& kind : flux_kinds()) {
        if (kind.kind == "ExternalArtifact" || kind.kind == "Alert" || kind.kind == "Provider") continue;
        if (kind.parent == "sources") sources.children.push_back(one(kind));
        else if (kind.parent == "images") images.children.push_back(one(kind));
        else out.push_back(one(kind));
    }
    out.push_back(std::move(sources));
    out.push_back(std::move(images));
    return out;
}

} // namespace weber::agent
