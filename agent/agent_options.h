// What `weber agent` was told: the flags of Flux's kustomize-controller and source-controller (kustomization.md 8.1, sources.md 0.2) and our own.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "agent/work_queue.h"
#include "gitops/source/ssh_methods.h"
#include "kube/base/object_key.h"

namespace weber::agent {

struct AgentOptions {
    std::size_t concurrent = 4;        // Kustomizations built and applied at once; waits do not count
    std::size_t concurrent_ssa = 4;    // dry runs and applies in flight for each of them
    std::chrono::nanoseconds requeue_dependency{std::chrono::seconds(30)};
    double jitter = 0.05;              // of intervals, 0 to < 1
    BackoffSettings backoff = {};
    int http_retry = 9;
    bool no_cross_namespace_refs = false;
    bool no_remote_bases = false;
    bool allow_external_artifact = false;
    bool fail_fast = true;
    bool strict_substitution = true;
    bool additive_cel_dependency_check = false;
    bool direct_source_fetch = false; // sources are read from the API server, not from the watch
    bool migrate_api_version = false;
    bool group_change_log = false;    // the log of an apply lists subjects by action, not actions by subject
    bool watch_configs = true;
    bool prune_guard = true;
    bool commit_status_events = true; // `Reconciliation finished …`, by which a notification-controller sets a commit's status (1.9.6)
    std::string default_service_account = {};
    std::string default_kubeconfig_service_account = {};
    bool object_level_workload_identity = false;
    bool insecure_kubeconfig_exec = false, insecure_kubeconfig_tls = false;
    std::string sops_age_secret = {};
    bool sops_verify_mac = true;
    std::vector<std::string> override_managers = {};
    std::vector<kube::GroupKind> custom_stage_kinds = {};
    std::string watch_namespace = {};  // "" = all (--watch-all-namespaces)
    std::string watch_label_selector = {};
    std::string watch_configs_label_selector = "reconcile.fluxcd.io/watch=Enabled";
    std::string runtime_namespace = {}; // RUNTIME_NAMESPACE
    std::string events_addr = {};
    std::chrono::seconds artifact_retention_ttl{60}; // of stored artifacts that are no longer current
    std::size_t artifact_retention_records = 2;
    gitops::SshMethods ssh = {};       // of GitRepositories
    std::string git_cache_dir = {};    // bare repositories of GitRepositories
    std::string source_controller_localhost = {}, source_watcher_localhost = {};
};

} // namespace weber::agent
