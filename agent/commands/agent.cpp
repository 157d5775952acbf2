// `weber agent`: the controllers, for as long as the process lives.
#include <cstdlib>

#include "agent/cluster.h"
#include "agent/commands/commands.h"
#include "agent/event_sink.h"
#include "agent/interrupt.h"
#include "agent/post_build_flags.h"
#include "agent/process.h"
#include "gitops/reconcile/apply.h"
#include "gitops/source/artifact.h"
#include "kube/base/join.h"
#include "kube/base/selector.h"
#include "kube/base/trim.h"

namespace weber::agent {

namespace {

std::string from_env(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::string or_env(const Flags& flags, std::string_view flag, const char* variable, const char* otherwise) {
    if (flags.given(flag)) return flags.text(flag);
    const std::string value = from_env(variable);
    return value.empty() ? otherwise : value;
}

std::chrono::milliseconds millis(const Flags& flags, std::string_view name) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(flags.duration(name));
}

// One gate of kustomization.md 8.2. Those that Weber need not have (caches that it does not keep) are accepted.
Result<void> set_gate(const std::string& name, bool on, AgentOptions& o) {
    static constexpr std::string_view kWithoutEffect[] = {"CacheSecretsAndConfigMaps", "DisableStatusPollerCache", "CancelHealthCheckOnNewRevision"};
    if (name == "StrictPostBuildSubstitutions") o.strict_substitution = on;
    else if (name == "DisableFailFastBehavior") o.fail_fast = !on;
    else if (name == "AdditiveCELDependencyCheck") o.additive_cel_dependency_check = on;
    else if (name == "ExternalArtifact") o.allow_external_artifact = on;
    else if (name == "DisableConfigWatchers") o.watch_configs = !on;
    else if (name == "DirectSourceFetch") o.direct_source_fetch = on;
    else if (name == "DisableCommitStatusEvent") o.commit_status_events = !on;
    else if (name == "GroupChangeLog") o.group_change_log = on;
    else if (name == "MigrateAPIVersion") o.migrate_api_version = on;
    else if (name == "ObjectLevelWorkloadIdentity") o.object_level_workload_identity = on;
    else if (std::ranges::find(kWithoutEffect, name) == std::end(kWithoutEffect)) return fail(ErrorCode::invalid, "feature-gate '" + name + "' not supported");
    return {};
}

// "A=true,B=false", in all that the flag was given, as component-base's MapStringBool reads it.
Result<void> set_gates(const std::vector<std::string>& items, AgentOptions& o) {
    for (const std::string& item : items) {
        if (item.empty()) continue;
        const std::size_t equals = item.find('=');
        const auto on = equals == item.npos ? std::nullopt : parse_bool(kube::trimmed(std::string_view(item).substr(equals + 1)));
        if (!on) return fail(ErrorCode::invalid, "--feature-gates: \"" + item + "\" must be NAME=true or NAME=false");
        TRY_VOID(set_gate(std::string(kube::trimmed(std::string_view(item).substr(0, equals))), *on, o));
    }
    return {};
}

Result<ProcessOptions> options_of(const Flags& f) {
    ProcessOptions p;
    AgentOptions& o = p.agent;
    o.concurrent = static_cast<std::size_t>(std::max<std::int64_t>(f.integer("concurrent"), 1));
    o.concurrent_ssa = static_cast<std::size_t>(std::max<std::int64_t>(f.integer("concurrent-ssa"), 1));
    for (const char* pause : {"requeue-dependency", "min-retry-delay", "max-retry-delay"})
        if (f.duration(pause) < std::chrono::milliseconds(1)) return fail(ErrorCode::invalid, "--" + std::string(pause) + " must be 1ms or longer");
    o.requeue_dependency = f.duration("requeue-dependency");
    const std::int64_t jitter = f.integer("interval-jitter-percentage");
    if (jitter < 0 || jitter >= 100) return fail(ErrorCode::invalid, "--interval-jitter-percentage must be from 0 to 99");
    o.jitter = static_cast<double>(jitter) / 100;
    o.backoff = {.min = millis(f, "min-retry-delay"), .max = millis(f, "max-retry-delay")};
    o.http_retry = static_cast<int>(f.integer("http-retry"));
    o.no_cross_namespace_refs = f.on("no-cross-namespace-refs");
    o.no_remote_bases = f.on("no-remote-bases");
    o.prune_guard = f.text("prune-guard") != "off";
    if (o.prune_guard && f.text("prune-guard") != "on") return fail(ErrorCode::invalid, "--prune-guard must be on or off");
    o.default_service_account = f.text("default-service-account");
    o.default_kubeconfig_service_account = f.text("default-kubeconfig-service-account");
    o.insecure_kubeconfig_exec = f.on("insecure-kubeconfig-exec");
    o.insecure_kubeconfig_tls = f.on("insecure-kubeconfig-tls");
    o.sops_age_secret = f.text("sops-age-secret");
    o.sops_verify_mac = !f.on("sops-ignore-mac");
    o.override_managers = f.list("override-manager");
    o.custom_stage_kinds = gitops::parse_stage_kinds(f.text("custom-apply-stage-kinds"));
    o.watch_label_selector = f.text("watch-label-selector");
    o.watch_configs_label_selector = f.text("watch-configs-label-selector");
    for (const char* flag : {"watch-label-selector", "watch-configs-label-selector"})
        if (const auto selector = kube::LabelSelector::parse(f.text(flag)); !selector)
            return fail(ErrorCode::invalid, "--" + std::string(flag) + ": " + selector.error().message);
    o.runtime_namespace = from_env("RUNTIME_NAMESPACE");
    if (!f.on("watch-all-namespaces")) o.watch_namespace = o.runtime_namespace;
    if (!f.on("watch-all-namespaces") && o.runtime_namespace.empty()) return fail(ErrorCode::invalid, "--watch-all-namespaces=false needs RUNTIME_NAMESPACE");
    o.events_addr = or_env(f, "events-addr", "EVENTS_ADDR", "");
    if (!o.events_addr.empty())
        if (const auto usable = check_events_address(o.events_addr); !usable) return fail(ErrorCode::invalid, "--events-addr: " + usable.error().message);
    o.source_controller_localhost = from_env("SOURCE_CONTROLLER_LOCALHOST");
    o.source_watcher_localhost = from_env("SOURCE_WATCHER_LOCALHOST");
    TRY_VOID(set_gates(f.list("feature-gates"), o));
    if ((!o.default_kubeconfig_service_account.empty() || !f.text("default-decryption-service-account").empty()) && !o.object_level_workload_identity)
        return fail(ErrorCode::invalid, "cannot set default service accounts when the feature gate ObjectLevelWorkloadIdentity is not enabled");
    p.git_repositories = p.kustomizations = false;
    for (const std::string& name : f.list("controllers")) {
        if (name == "kustomization") p.kustomizations = true;
        else if (name == "gitrepository") p.git_repositories = true;
        else return fail(ErrorCode::invalid, "--controllers: there is no controller \"" + name + "\"; known: gitrepository, kustomization");
    }
    p.storage_path = or_env(f, "storage-path", "STORAGE_PATH", "/data");
    p.storage_addr = or_env(f, "storage-addr", "STORAGE_ADDRESS", or_env(f, "storage-addr", "STORAGE_ADDR", ":9090").c_str());
    p.storage_adv_addr = or_env(f, "storage-adv-addr", "STORAGE_ADV_ADDR", "");
    o.artifact_retention_ttl = std::chrono::duration_cast<std::chrono::seconds>(f.duration("artifact-retention-ttl"));
    o.artifact_retention_records = static_cast<std::size_t>(std::max<std::int64_t>(f.integer("artifact-retention-records"), 1));
    p.artifact_digest = f.text("artifact-digest-algo");
    if (const auto known = gitops::digest_algorithms(); std::ranges::find(known, p.artifact_digest) == known.end())
        return fail(ErrorCode::invalid, "--artifact-digest-algo: \"" + p.artifact_digest + "\" is not supported: use " + kube::join(known, ", "));
    o.ssh = {.key_exchanges = f.list("ssh-kex-algos"), .host_keys = f.list("ssh-hostkey-algos")};
    TRY_VOID(gitops::check_ssh_methods(o.ssh));
    p.metrics_addr = or_env(f, "metrics-addr", "METRICS_ADDR", ":8080");
    p.health_addr = f.text("health-addr");
    p.leader_election = f.on("enable-leader-election");
    p.release_on_cancel = f.on("leader-election-release-on-cancel");
    p.lease_duration = millis(f, "leader-election-lease-duration");
    p.renew_deadline = millis(f, "leader-election-renew-deadline");
    p.retry_period = millis(f, "leader-election-retry-period");
    return p;
}

Result<void> run_by(const Invocation& in, const Log& log) {
    TRY(const ProcessOptions options, options_of(in.flags));
    Interrupt interrupt;
    TRY(const Cluster cluster, open_cluster(in));
    return run_agent(cluster.config, options, log, interrupt.token());
}

Result<int> run(Invocation& in) {
    if (!in.args.empty()) return in.usage("agent takes no arguments, but got \"" + in.args.front() + "\"");
    const std::string level = in.flags.text("log-level"), encoding = in.flags.text("log-encoding");
    if (level != "trace" && level != "debug" && level != "info" && level != "error") return in.usage("--log-level must be trace, debug, info or error");
    if (encoding != "json" && encoding != "console") return in.usage("--log-encoding must be json or console");
    const LogLevel at = level == "trace" ? LogLevel::trace : level == "debug" ? LogLevel::debug : level == "info" ? LogLevel::info : LogLevel::error;
    const Log log(at, encoding == "json");
    const auto ended = run_by(in, log);
    if (ended) return kOk;
    // A line of the log, exit status 1, as kustomize-controller's start-up errors (kustomization.md 8.4): who collects the log of a pod reads nothing else.
    LogFields hint;
    if (!ended.error().hint.empty()) hint = {{"hint", Node::string(ended.error().hint)}};
    log.with({{"logger", Node::string("setup")}}).error("problem running the agent", ended.error().message, hint);
    return kFailed;
}

} // namespace

Command agent_command() {
    std::vector<Flag> flags = connection_flags();
    const Flag own[] = {
        {.name = "controllers", .kind = FlagKind::comma_list, .help = "which controllers run", .default_text = "gitrepository,kustomization"},
        {.name = "storage-path", .help = "folder of artifacts and git caches (STORAGE_PATH; default /data)"},
        {.name = "storage-addr", .help = "where artifacts are served (STORAGE_ADDR; default :9090)"},
        {.name = "artifact-retention-ttl", .kind = FlagKind::duration, .help = "how long artifacts that are no longer current are kept", .default_text = "1m0s"},
        {.name = "artifact-retention-records", .kind = FlagKind::integer, .help = "how many artifacts of a source are kept", .default_text = "2"},
        {.name = "artifact-digest-algo", .help = "of new artifacts: sha256, sha384, sha512 or blake3", .default_text = "sha256"},
        {.name = "ssh-kex-algos", .kind = FlagKind::comma_list, .help = "key exchanges to offer to git servers, best first"},
        {.name = "ssh-hostkey-algos", .kind = FlagKind::comma_list, .help = "types of host keys to ask git servers for, best first (default those of known_hosts)"},
        {.name = "storage-adv-addr", .help = "host under which others reach it (STORAGE_ADV_ADDR)"},
        {.name = "concurrent", .kind = FlagKind::integer, .help = "Kustomizations reconciled at once; health checks do not count", .default_text = "4"},
        {.name = "concurrent-ssa", .kind = FlagKind::integer, .help = "server-side applies at once for each of them", .default_text = "4"},
        {.name = "requeue-dependency", .kind = FlagKind::duration, .help = "when to look again at a dependency that is not ready", .default_text = "30s"},
        {.name = "interval-jitter-percentage", .kind = FlagKind::integer, .help = "jitter of intervals", .default_text = "5"},
        {.name = "min-retry-delay", .kind = FlagKind::duration, .help = "first pause after an error, doubled with each", .default_text = "750ms"},
        {.name = "max-retry-delay", .kind = FlagKind::duration, .help = "longest pause after an error", .default_text = "15m0s"},
        {.name = "http-retry", .kind = FlagKind::integer, .help = "retries of an artifact's download", .default_text = "9"},
        {.name = "no-cross-namespace-refs", .kind = FlagKind::boolean, .help = "refuse sources of other namespaces"},
        {.name = "no-remote-bases", .kind = FlagKind::boolean, .help = "refuse git repositories and http files in kustomizations"},
        {.name = "prune-guard", .help = "on: stop before most of an inventory is deleted; off: as Flux", .default_text = "on"},
        {.name = "default-service-account", .help = "account to impersonate when a Kustomization names none"},
        {.name = "default-kubeconfig-service-account", .help = "account whose tokens are shown to clusters of spec.kubeConfig.configMapRef that name none"},
        {.name = "insecure-kubeconfig-exec", .kind = FlagKind::boolean, .help = "run the credential plugins of kubeconfigs in Secrets"},
        {.name = "insecure-kubeconfig-tls", .kind = FlagKind::boolean, .help = "kubeconfigs in Secrets may switch off the verification of certificates"},
        {.name = "default-decryption-service-account", .help = "accepted for compatibility: accounts serve cloud keys only, which are not asked", .hidden = true},
        {.name = "sops-vault-configmap", .help = "accepted for compatibility: Vault is not asked", .hidden = true},
        {.name = "token-cache-max-size", .kind = FlagKind::integer, .help = "accepted for compatibility: a token is kept as long as a Kustomization uses it", .default_text = "100", .hidden = true},
        {.name = "token-cache-max-duration", .kind = FlagKind::duration, .help = "accepted for compatibility: a token is renewed at 80 % of its life", .default_text = "1h0m0s", .hidden = true},
        {.name = "helm-index-max-size", .kind = FlagKind::integer, .help = "accepted for compatibility: HelmRepositories and HelmCharts are not reconciled", .hidden = true},
        {.name = "helm-chart-max-size", .kind = FlagKind::integer, .help = "the same", .hidden = true},
        {.name = "helm-chart-file-max-size", .kind = FlagKind::integer, .help = "the same", .hidden = true},
        {.name = "helm-cache-max-size", .kind = FlagKind::integer, .help = "the same", .hidden = true},
        {.name = "helm-cache-ttl", .kind = FlagKind::duration, .help = "the same", .hidden = true},
        {.name = "helm-cache-purge-interval", .kind = FlagKind::duration, .help = "the same", .hidden = true},
        {.name = "sops-age-secret", .help = "Secret with age keys for all Kustomizations, in RUNTIME_NAMESPACE"},
        ignore_mac_flag(),
        {.name = "override-manager", .kind = FlagKind::list, .help = "field manager whose fields are taken over (repeatable)"},
        {.name = "custom-apply-stage-kinds", .help = "kinds applied before the rest: group/Kind, comma separated"},
        {.name = "watch-all-namespaces", .kind = FlagKind::boolean, .help = "false: only RUNTIME_NAMESPACE", .default_text = "true"},
        {.name = "watch-label-selector", .help = "only Kustomizations with these labels (sharding)"},
        {.name = "watch-configs-label-selector", .help = "ConfigMaps and Secrets whose change starts a run", .default_text = "reconcile.fluxcd.io/watch=Enabled"},
        {.name = "events-addr", .help = "URL of the notification service (EVENTS_ADDR)"},
        {.name = "metrics-addr", .help = "where /metrics is served (METRICS_ADDR; default :8080)"},
        {.name = "health-addr", .help = "where /healthz and /readyz are served", .default_text = ":9440"},
        {.name = "enable-leader-election", .kind = FlagKind::boolean, .help = "of several replicas, one works"},
        {.name = "leader-election-release-on-cancel", .kind = FlagKind::boolean, .help = "free the lease at the end", .default_text = "true"},
        {.name = "leader-election-lease-duration", .kind = FlagKind::duration, .help = "when others may take over", .default_text = "35s"},
        {.name = "leader-election-renew-deadline", .kind = FlagKind::duration, .help = "when a leader that cannot renew gives up", .default_text = "30s"},
        {.name = "leader-election-retry-period", .kind = FlagKind::duration, .help = "between tries", .default_text = "5s"},
        {.name = "log-level", .help = "trace, debug, info or error", .default_text = "info"},
        {.name = "log-encoding", .help = "json or console", .default_text = "json"},
        {.name = "feature-gates", .kind = FlagKind::comma_list, .help = "NAME=true,NAME=false as Flux's kustomize-controller has them"},
    };
    flags.insert(flags.end(), std::begin(own), std::end(own));
    return {.name = "agent",
            .summary = "Run the controllers: the cluster's GitOps engine",
            .about = "Reconciles the GitRepositories and Kustomizations of a cluster until it is told to stop. Inside a pod it uses the pod's service account, elsewhere the\n"
                     "kubeconfig that a flag names.",
            .flags = std::move(flags),
            .run = run};
}

} // namespace weber::agent
