// `export`: an object as it could stand in git (cli.md 2.11).
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/session.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

void print(const Object& o, std::ostream& out) {
    Node metadata = Node::map({{"name", Node::string(o.name())}, {"namespace", Node::string(o.ns())}});
    for (const char* field : {"labels", "annotations"})
        if (const Node* value = o.at({"metadata", field}); value && !value->empty()) metadata.set(field, *value);
    Node shown = Node::map({{"apiVersion", Node::string(o.api_version())}, {"kind", Node::string(o.kind())}, {"metadata", std::move(metadata)}});
    if (const Node* spec = o.at({"spec"})) shown.set("spec", *spec);
    out << "---\n" << kube::write_yaml(shown);
}

Result<void> print_credentials(const Session& s, const Object& o, std::ostream& out) {
    const Node* name = o.at({"spec", "secretRef", "name"});
    if (!name) return {};
    TRY(Object secret, s.client().get({.gvk = {"", "v1", "Secret"}, .ns = s.ns, .name = std::string(name->text())}, {}, s.call()));
    Node shown = Node::map({{"apiVersion", Node::string("v1")},
                            {"kind", Node::string("Secret")},
                            {"metadata", Node::map({{"name", Node::string(secret.name())}, {"namespace", Node::string(secret.ns())}})}});
    for (const char* field : {"data", "type"})
        if (const Node* value = secret.at({field})) shown.set(field, *value);
    out << "---\n" << kube::write_yaml(shown);
    return {};
}

Result<int> run(const Invocation& in, const FluxKind& kind) {
    const bool all = in.flags.on("all");
    if (in.args.size() != 1 && !all) return fail(ErrorCode::invalid, "name is required");
    TRY(const Session s, open_session(in));
    std::vector<Object> objects;
    if (all) {
        kube::ListOptions options;
        options.ns = s.ns;
        TRY(kube::ObjectList found, s.client().list(kind.gvk(), options, s.call()));
        if (found.items.empty()) return fail(ErrorCode::not_found, "no objects found in " + s.ns + " namespace");
        objects = std::move(found.items);
    } else {
        TRY(Object o, get_object(s, kind, s.ns, in.args.front()));
        objects.push_back(std::move(o));
    }
    for (const Object& o : objects) {
        print(o, in.io.out);
        if (in.flags.knows("with-credentials") && in.flags.on("with-credentials")) TRY_VOID(print_credentials(s, o, in.io.out));
    }
    return kOk;
}

Command one(const FluxKind& kind) {
    Command c{.name = kind.words.size() > 1 ? kind.words[1] : kind.words.front(), .args = "[NAME]", .summary = kind.kind};
    for (std::string_view word : kind.words)
        if (word != c.name) c.aliases.push_back(word);
    if (kind.parent == "sources")
        c.flags.push_back({.name = "with-credentials", .kind = FlagKind::boolean, .help = "add the Secret that it refers to, values included"});
    c.run = [&kind](Invocation& in) { return run(in, kind); };
    return c;
}

} // namespace

Command export_command() {
    Command c{.name = "export", .summary = "Print objects as they could stand in git", .inherited = session_flags()};
    c.inherited.push_back({.name = "all", .kind = FlagKind::boolean, .help = "all of the namespace"});
    Command sources{.name = "source", .summary = "Sources: git, oci, bucket, helm, chart", .aliases = {"sources"}};
    Command images{.name = "image", .summary = "Image automation: repository, policy, update", .aliases = {"images"}};
    for (const FluxKind& kind : flux_kinds()) {
        if (kind.parent == "sources") sources.children.push_back(one(kind));
        else if (kind.parent == "images") images.children.push_back(one(kind));
        else c.children.push_back(one(kind));
    }
    c.children.push_back(std::move(sources));
    c.children.push_back(std::move(images));
    return c;
}

} // namespace weber::agent
