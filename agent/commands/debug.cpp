// `debug kustomization`: its status, the variables of its build with their values, its history (cli.md 2).
#include <algorithm>
#include <map>
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/session.h"
#include "gitops/api/kustomization.h"
#include "gitops/reconcile/post_build_hooks.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

constexpr std::string_view kDocumentation = "https://fluxcd.io/flux/components/kustomize/kustomizations/";

Result<void> print_variables(const Session& s, const Object& object, std::ostream& out) {
    if (!object.at({"spec", "postBuild"})) return fail(ErrorCode::not_found, "no post build substitutions found");
    TRY(const gitops::Kustomization k, gitops::parse_kustomization(object));
    TRY(const gitops::Variables variables, gitops::load_variables(*k.spec.post_build, k.name.ns, gitops::lookup_in(s.client())));
    for (const auto& [name, value] : std::map<std::string, std::string>(variables.begin(), variables.end())) out << name << '=' << value << '\n';
    return {};
}

Result<int> run(const Invocation& in) {
    if (in.args.size() != 1) return fail(ErrorCode::invalid, "accepts 1 arg(s), received " + std::to_string(in.args.size()));
    const auto wanted = [&](const char* flag) { return in.flags.on(flag) ? 1 : 0; };
    if (wanted("show-status") + wanted("show-vars") + wanted("show-history") != 1)
        return fail(ErrorCode::invalid, "exactly one of --show-status, --show-vars, or --show-history must be set");
    TRY(const Session s, open_session(in));
    TRY(const Object object, get_object(s, *flux_kind("Kustomization"), s.ns, in.args.front()));
    if (in.flags.on("show-status")) {
        const Node* status = object.at({"status"});
        in.io.out << "# Status documentation: " << kDocumentation << "#kustomization-status\n" << kube::write_yaml(status ? *status : Node::map());
    } else if (in.flags.on("show-history")) {
        const Node* history = object.at({"status", "history"});
        in.io.out << "# History documentation: " << kDocumentation << "#history\n" << kube::write_yaml(history ? *history : Node::list());
    } else {
        TRY_VOID(print_variables(s, object, in.io.out));
    }
    return kOk;
}

} // namespace

Command debug_command() {
    Command ks{.name = "kustomization",
               .args = "NAME",
               .summary = "Status, variables or history of a Kustomization",
               .about = "Exactly one of the three. --show-vars prints the values of Secrets that spec.postBuild.substituteFrom names: mind where the output goes.",
               .aliases = {"ks"},
               .flags = {{.name = "show-status", .kind = FlagKind::boolean, .help = "its status"},
                         {.name = "show-vars", .kind = FlagKind::boolean, .help = "NAME=value of each variable, values of Secrets included"},
                         {.name = "show-history", .kind = FlagKind::boolean, .help = "its last revisions and how they ended"}},
               .run = [](Invocation& in) { return run(in); }};
    return {.name = "debug", .summary = "Look into a Kustomization", .inherited = session_flags(), .children = {std::move(ks)}};
}

} // namespace weber::agent
