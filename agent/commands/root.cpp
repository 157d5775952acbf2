#include <iterator>

#include "agent/commands/commands.h"

namespace weber::agent {

namespace {

struct Verb {
    std::string_view name;
    Command (*make)();
};

constexpr Verb kVerbs[] = {{"agent", agent_command},
                           {"apiserver", apiserver_command},
                           {"bootstrap", bootstrap_command},
                           {"build", build_command},
                           {"check", check_command},
                           {"completion", completion_command},
                           {"create", create_command},
                           {"debug", debug_command},
                           {"delete", delete_command},
                           {"diff", diff_command},
                           {"envsubst", envsubst_command},
                           {"events", events_command},
                           {"export", export_command},
                           {"get", get_command},
                           {"install", install_command},
                           {"kustomize", kustomize_command},
                           {"logs", logs_command},
                           {"reconcile", reconcile_command},
                           {"resume", resume_command},
                           {"sops", sops_command},
                           {"stats", stats_command},
                           {"suspend", suspend_command},
                           {"trace", trace_command},
                           {"tree", tree_command},
                           {"uninstall", uninstall_command},
                           {"version", version_command}};

} // namespace

Command root_command(const std::string& program, std::string_view first_word) {
    Command root{.name = program == "flux" ? "flux" : "weber",
                 .summary = "Reconciles Kubernetes clusters with what git says. Compatible with Flux."};
    for (const Verb& verb : kVerbs) {
        if (verb.name != first_word) continue;
        root.children.push_back(verb.make());
        return root;
    }
    root.children.reserve(std::size(kVerbs) + 2);
    for (const Verb& verb : kVerbs) root.children.push_back(verb.make());
    for (Command& c : complete_commands()) root.children.push_back(std::move(c)); // they read the whole tree
    return root;
}

} // namespace weber::agent
