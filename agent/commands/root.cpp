#include "agent/commands/commands.h"

namespace weber::agent {

Command root_command(const std::string& program) {
    Command root{.name = program == "flux" ? "flux" : "weber",
                 .summary = "Reconciles Kubernetes clusters with what git says. Compatible with Flux."};
    root.children = {agent_command(),     apiserver_command(), bootstrap_command(), build_command(),   check_command(),
                     completion_command(), create_command(),    debug_command(),     delete_command(),    diff_command(),      envsubst_command(),  events_command(),    export_command(),  get_command(),
                     install_command(),   kustomize_command(), logs_command(),      reconcile_command(), resume_command(),  sops_command(),
                     stats_command(),     suspend_command(),   trace_command(),     tree_command(),    uninstall_command(),
                     version_command(),   complete_command()};
    return root;
}

} // namespace weber::agent
