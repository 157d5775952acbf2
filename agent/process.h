// The agent as a process: clients, endpoints, leader election, controllers, in the order they start and end.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "agent/agent_options.h"
#include "agent/log.h"
#include "kube/base/error.h"
#include "kube/kubeconfig.h"

namespace weber::agent {

struct ProcessOptions {
    AgentOptions agent = {};
    bool kustomizations = true, git_repositories = true; // --controllers
    std::string storage_path = "/data";  // of artifacts and git caches; only with git_repositories
    std::string storage_addr = ":9090";  // where artifacts are served
    std::string storage_adv_addr = {};   // under which name; "" = derived from storage_addr
    std::string artifact_digest = "sha256"; // algorithm of new artifacts
    std::string metrics_addr = ":8080"; // "" or "0" = no endpoint
    std::string health_addr = ":9440";  // "" or "0" = no endpoint
    bool leader_election = false;
    bool release_on_cancel = true;
    std::chrono::milliseconds lease_duration{35'000}, renew_deadline{30'000}, retry_period{5'000};
};

// Blocks until `stop`, or until the leadership is lost (an error then: who restarts us begins anew). Errors: what keeps the agent from starting.
Result<void> run_agent(const kube::ClientConfig& config, const ProcessOptions& options, const Log& log, std::stop_token stop);

// "<name>-leader-election", with "-" and 8 hex digits of the selector's sha256 when there is one (kustomization.md 8.4).
std::string lease_name(const std::string& name, const std::string& label_selector);

} // namespace weber::agent
