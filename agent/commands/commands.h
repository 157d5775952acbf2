// The verbs, one file each. Each function returns its row of the tree of commands.
#pragma once

#include "agent/command.h"

namespace weber::agent {

Command agent_command();
Command apiserver_command();
Command bootstrap_command();
Command get_command();
Command install_command();
Command kustomize_command();
Command build_command();
Command check_command();
std::vector<Command> complete_commands();
Command completion_command();
Command create_command();
Command debug_command();
Command delete_command();
Command diff_command();
Command envsubst_command();
Command events_command();
Command logs_command();
Command uninstall_command();
Command export_command();
Command reconcile_command();
Command sops_command();
Command resume_command();
Command stats_command();
Command suspend_command();
Command trace_command();
Command tree_command();
Command version_command();

// Kinds that `reconcile` asks the cluster's controller for.
std::vector<Command> reconcile_kind_commands();

// The whole tree. `program`: "weber" or "flux". When `first_word` is a verb's name, the tree has no other verb: that one runs, and making all would take
// longer than building a small kustomization.
Command root_command(const std::string& program, std::string_view first_word);

} // namespace weber::agent
