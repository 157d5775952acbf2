// `delete`: one of Flux's objects, after a question (cli.md 2.11). Finalizers are not waited for.
#include "agent/commands/commands.h"
#include "agent/flux/session.h"

namespace weber::agent {

namespace {

Result<int> run(const Invocation& in, const FluxKind& kind) {
    const std::string human(kind.human);
    if (in.args.empty()) return fail(name_required(human));
    const std::string& name = in.args.front();
    TRY(const Session s, open_session(in));
    TRY_VOID(get_object(s, kind, s.ns, name));
    if (!in.flags.on("silent") && !in.io.confirm("Are you sure you want to delete this " + human + "?")) return fail(ErrorCode::cancelled, "aborting");
    in.io.action("deleting " + human + " " + name + " in " + s.ns + " namespace");
    kube::DeleteOptions options;
    options.propagation = kube::Propagation::background;
    TRY_VOID(s.client().remove({.gvk = kind.gvk(), .ns = s.ns, .name = name}, options, s.call()));
    in.io.success(human + " deleted");
    return kOk;
}

Command one(const FluxKind& kind) {
    Command c{.name = kind.words.size() > 1 ? kind.words[1] : kind.words.front(), .args = "NAME", .summary = kind.kind};
    for (std::string_view word : kind.words)
        if (word != c.name) c.aliases.push_back(word);
    c.run = [&kind](Invocation& in) { return run(in, kind); };
    return c;
}

} // namespace

Command delete_command() {
    Command c{.name = "delete", .summary = "Delete one of Flux's objects", .inherited = session_flags()};
    c.inherited.push_back({.name = "silent", .kind = FlagKind::boolean, .help = "do not ask", .letter = 's'});
    Command sources{.name = "source", .summary = "Sources: git, oci, bucket, helm, chart", .aliases = {"sources"}};
    Command images{.name = "image", .summary = "Image automation: repository, policy, update", .aliases = {"images"}};
    for (const FluxKind& kind : flux_kinds()) {
        if (kind.kind == "ExternalArtifact") continue;
        if (kind.parent == "sources") sources.children.push_back(one(kind));
        else if (kind.parent == "images") images.children.push_back(one(kind));
        else c.children.push_back(one(kind));
    }
    c.children.push_back(std::move(sources));
    c.children.push_back(std::move(images));
    return c;
}

} // namespace weber::agent
