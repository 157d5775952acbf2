// `tree kustomization`: what it applied, and what that applied (cli.md 2.6).
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/session.h"
#include "gitops/reconcile/inventory.h"
#include "kube/base/json.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

struct Branch {
    kube::ObjectKey key;
    std::vector<Branch> children = {};
};

constexpr int kMaxDepth = 64; // of Kustomizations in Kustomizations: a cycle ends here

Result<std::vector<Branch>> branches_of(const Session& s, const FluxKind& kind, const Object& object, bool compact, int depth) {
    std::vector<Branch> out;
    const Node* status = object.at({"status"});
    if (!status) return out;
    TRY(const gitops::Inventory inventory, gitops::read_inventory(*status));
    for (const gitops::InventoryEntry& entry : inventory) {
        if (entry.key == object.key()) continue;
        if (compact && entry.key.group.find("toolkit.fluxcd.io") == std::string::npos) continue;
        Branch branch{.key = entry.key};
        const bool here = object.at({"spec", "kubeConfig"}) == nullptr; // else what it applied lives in another cluster
        if (here && entry.key.group == kind.group && entry.key.kind == kind.kind && depth < kMaxDepth) {
            auto child = s.client().find({.gvk = kind.gvk(), .ns = entry.key.ns, .name = entry.key.name}, {}, s.call());
            if (!child) return fail(std::move(child.error()).with_prefix("failed to find object: "));
            if (*child) {
                TRY(branch.children, branches_of(s, kind, **child, compact, depth + 1));
            }
        }
        out.push_back(std::move(branch));
    }
    return out;
}

void print(const std::vector<Branch>& branches, const std::string& lead, std::ostream& out) {
    for (const Branch& b : branches) {
        const bool last = &b == &branches.back();
        out << lead << (last ? "└── " : "├── ") << b.key.subject() << '\n';
        print(b.children, lead + (last ? "    " : "│   "), out);
    }
}

Node node_of(const Branch& b) {
    Node out = Node::map(
        {{"resource", Node::map({{"Namespace", Node::string(b.key.ns)},
                                 {"Name", Node::string(b.key.name)},
                                 {"GroupKind", Node::map({{"Group", Node::string(b.key.group)}, {"Kind", Node::string(b.key.kind)}})}})}});
    if (b.children.empty()) return out;
    Node children = Node::list();
    for (const Branch& child : b.children) children.push_back(node_of(child));
    out.set("resources", std::move(children));
    return out;
}

Result<int> run(Invocation& in) {
    const FluxKind& kind = *flux_kind("Kustomization");
    if (in.args.size() != 1) return fail(name_required(kind.human));
    const std::string format = in.flags.text("output");
    if (!format.empty() && format != "json" && format != "yaml") return fail(ErrorCode::invalid, "invalid output format, must be json or yaml");
    TRY(const Session s, open_session(in));
    TRY(const Object root, get_object(s, kind, s.ns, in.args.front()));
    Branch tree{.key = root.key()};
    TRY(tree.children, branches_of(s, kind, root, in.flags.on("compact"), 0));
    if (format == "json") in.io.out << kube::write_json_pretty(node_of(tree), 2);
    else if (format == "yaml") in.io.out << kube::write_yaml(node_of(tree)) << '\n';
    else {
        in.io.out << tree.key.subject() << '\n';
        print(tree.children, "", in.io.out);
        in.io.out << '\n';
    }
    return kOk;
}

} // namespace

Command tree_command() {
    return {.name = "tree",
            .summary = "Show what an object applied, as a tree",
            .inherited = session_flags(),
            .children = {{.name = "kustomization",
                          .args = "NAME",
                          .summary = "Kustomization",
                          .aliases = {"ks"},
                          .flags = {{.name = "compact", .kind = FlagKind::boolean, .help = "only Flux's objects"},
                                    {.name = "output", .help = "json or yaml", .letter = 'o', .value = "format"}},
                          .run = run}}};
}

} // namespace weber::agent
