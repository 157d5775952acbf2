#include "agent/commands/commands.h"

namespace weber::agent {

Command root_command(const std::string& program) {
    Command root{.name = program == "flux" ? "flux" : "weber",
                 .summary = "Reconciles Kubernetes clusters with what git says. Compatible with Flux."};
    root.children.push_back(agent_command());
    root.children.push_back(apiserver_command());
    root.children.push_back(bootstrap_command());
    root.children.push_back(get_command());
    root.children.push_back(kustomize_command());
    root.children.push_back(reconcile_command());
    root.children.push_back(sops_command());
    root.children.push_back(version_command());
    return root;
}

} // namespace weber::agent
