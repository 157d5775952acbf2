#include "agent/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/artifact_store.h"
#include "agent/controllers/git_repository.h"
#include "agent/controllers/kustomization.h"
#include "agent/endpoints.h"
#include "agent/event_sink.h"
#include "agent/metered_transport.h"
#include "agent/metrics.h"
#include "gitops/source/git_cache.h"
#include "gitops/source/storage.h"
#include "kube/base/clock.h"
#include "kube/base/digest.h"
#include "kube/lease.h"

namespace weber::agent {

namespace {

// <host>_<random>, as controller-runtime has it.
std::string identity() {
    char host[256] = {};
    gethostname(host, sizeof host - 1);
    std::string id(16, '\0');
    std::ifstream("/dev/urandom", std::ios::binary).read(id.data(), static_cast<std::streamsize>(id.size()));
    return std::string(host) + "_" + kube::hex_encode(id);
}

// As client_golang's process collector has it.
void describe_process(Metrics& metrics) {
    metrics.define_gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
    metrics.define_gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.");
    metrics.define_counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
    metrics.define_gauge("process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.");
    metrics.define_gauge("process_open_fds", "Number of open file descriptors.");
    metrics.define_gauge("process_max_fds", "Maximum number of open file descriptors.");
    metrics.define_gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.");
    metrics.set("process_start_time_seconds", std::chrono::duration<double>(kube::system_clock().now().time_since_epoch()).count());
    rlimit space{};
    getrlimit(RLIMIT_AS, &space);
    metrics.set("process_virtual_memory_max_bytes", static_cast<double>(space.rlim_cur)); // without a limit 2^64 - 1, as there
    metrics.before_scrape([](Metrics& m) {
        std::ifstream statm("/proc/self/statm");
        std::size_t size = 0, resident = 0;
        statm >> size >> resident;
        const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
        m.set("process_virtual_memory_bytes", static_cast<double>(size) * page);
        m.set("process_resident_memory_bytes", static_cast<double>(resident) * page);
        m.set("process_cpu_seconds_total", static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
        std::error_code code;
        const std::filesystem::directory_iterator open("/proc/self/fd", code), end;
        m.set("process_open_fds", code ? 0 : static_cast<double>(std::distance(open, end)));
        m.set("process_max_fds", static_cast<double>(sysconf(_SC_OPEN_MAX)));
    });
}

// By what they are for: a dry run is no write.
void describe_requests(Metrics& metrics, const std::shared_ptr<kube::Client>& client) {
    metrics.define_counter("weber_api_requests_total", "Number of requests to the API server that holds the Kustomizations, by verb.");
    metrics.before_scrape([client](Metrics& m) {
        const kube::RequestCounts c = client->counts();
        const std::pair<const char*, std::uint64_t> all[] = {{"get", c.get}, {"list", c.list}, {"watch", c.watch}, {"create", c.create}, {"update", c.update}, {"patch", c.patch},
                                                             {"apply", c.apply}, {"dry run", c.dry_run}, {"delete", c.remove}};
        for (const auto& [verb, n] : all) m.set("weber_api_requests_total", static_cast<double>(n), {{"verb", verb}});
    });
}

// As controller-runtime has it.
void describe_leadership(Metrics& metrics, const std::string& lease, const kube::LeaderElector& elector) {
    metrics.define_gauge("leader_election_master_status", "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. "
                                                          "Please make sure to group by name.");
    metrics.before_scrape([lease, &elector](Metrics& m) { m.set("leader_election_master_status", elector.is_leader() ? 1 : 0, {{"name", lease}}); });
}

struct ServedStorage {
    std::unique_ptr<kube::server::HttpFront> front;
    std::unique_ptr<gitops::ArtifactStorage> storage;
};

// The listener comes first: with port 0 it alone knows what artifacts' URLs must say.
Result<ServedStorage> serve_storage(const ProcessOptions& options) {
    std::error_code code;
    std::filesystem::create_directories(options.storage_path, code);
    if (code || access(options.storage_path.c_str(), W_OK) != 0)
        return fail(Error{.code = ErrorCode::invalid, .message = "the artifact storage '" + options.storage_path + "' cannot be written",
                          .hint = "name another folder with --storage-path"});
    TRY(ListenAddress at, parse_listen_address(options.storage_addr));
    ServedStorage out;
    TRY(out.front, serve_artifacts(options.storage_addr, options.storage_path));
    at.port = out.front->port();
    out.storage = std::make_unique<gitops::ArtifactStorage>(options.storage_path, options.storage_adv_addr.empty() ? advertised_address(at) : options.storage_adv_addr, options.artifact_digest);
    return out;
}

} // namespace

std::string lease_name(const std::string& name, const std::string& label_selector) {
    const std::string base = name + "-leader-election";
    return label_selector.empty() ? base : base + "-" + kube::sha256_hex(label_selector).substr(0, 8);
}

Result<void> run_agent(const kube::ClientConfig& config, const ProcessOptions& options, const Log& log, std::stop_token stop) {
    const Log setup = log.with({{"logger", Node::string("setup")}});
    Metrics metrics;
    TRY(const std::shared_ptr<kube::Client> client, connect_metered(config, metrics));
    TRY(const Node version, client->get_raw("/version", {.stop = stop}));
    setup.info("connected to the API server", {{"version", Node::string(version.text_at("gitVersion"))}});

    describe_process(metrics);
    describe_requests(metrics, client);
    ArtifactStore artifacts({.retries = options.agent.http_retry, .source_controller = options.agent.source_controller_localhost,
                             .source_watcher = options.agent.source_watcher_localhost,
                             .storage = options.git_repositories ? options.storage_path : ""});
    AgentOptions agent = options.agent;
    agent.git_cache_dir = options.storage_path + "/git-cache";
    ServedStorage served;
    if (options.git_repositories) {
        TRY(served, serve_storage(options));
        for (const std::string& removed : gitops::verify_git_caches(agent.git_cache_dir)) setup.info("removed a git cache, it will be fetched anew", {{"cache", Node::string(removed)}});
    }

    std::unique_ptr<EventSink> source_events, kustomize_events;
    std::unique_ptr<GitRepositoryController> git;
    std::unique_ptr<KustomizationController> kustomizations;
    if (options.git_repositories) {
        source_events = std::make_unique<EventSink>(client, "source-controller", agent.events_addr, log);
        git = std::make_unique<GitRepositoryController>(client, agent, *served.storage, artifacts, *source_events, metrics, log);
    }
    if (options.kustomizations) {
        kustomize_events = std::make_unique<EventSink>(client, "kustomize-controller", agent.events_addr, log);
        kustomizations = std::make_unique<KustomizationController>(client, config, agent, artifacts, *kustomize_events, metrics, log);
    }

    std::unique_ptr<kube::LeaderElector> elector;
    std::unique_ptr<kube::server::HttpFront> metrics_front, health_front; // end first: they ask all above
    const auto alive = [&elector] { return !elector || elector->healthy(std::chrono::seconds(20)); };
    const auto work = [&](const std::stop_token& s) {
        setup.info("starting controllers");
        std::jthread sources;
        if (git) sources = std::jthread([&git, s] { git->run(s); });
        if (kustomizations) kustomizations->run(s);
    };
    if (options.leader_election) {
        const char* controller = options.kustomizations ? "kustomize-controller" : "source-controller"; // Flux's, so that it waits, too
        kube::LeaseOptions lease{.ns = options.agent.runtime_namespace.empty() ? config.ns : options.agent.runtime_namespace,
                                 .name = lease_name(controller, options.agent.watch_label_selector),
                                 .identity = identity(), .duration = options.lease_duration, .renew_deadline = options.renew_deadline,
                                 .retry_period = options.retry_period, .release_on_cancel = options.release_on_cancel};
        if (lease.ns.empty()) return fail(ErrorCode::invalid, "leader election needs a namespace: set RUNTIME_NAMESPACE");
        kube::LeaseCallbacks callbacks{.started = work, .stopped = {}, .new_leader = [&](const std::string& who) { setup.info("leader is " + who); }};
        TRY(elector, kube::LeaderElector::create(client, lease, callbacks));
        describe_leadership(metrics, lease.name, *elector);
    }
    // The lines of controller-runtime; with port 0 they alone name the port.
    const auto bound = [](const std::string& address, const kube::server::HttpFront& front) {
        return Node::string(address.substr(0, address.rfind(':') + 1) + std::to_string(front.port()));
    };
    if (listens(options.metrics_addr)) {
        TRY(metrics_front, serve_metrics(options.metrics_addr, metrics));
        log.info("Serving metrics server", {{"logger", Node::string("controller-runtime.metrics")}, {"bindAddress", bound(options.metrics_addr, *metrics_front)}, {"secure", Node::boolean(false)}});
    }
    if (listens(options.health_addr)) {
        TRY(health_front, serve_probes(options.health_addr, alive));
        log.info("starting server", {{"name", Node::string("health probe")}, {"addr", bound(options.health_addr, *health_front)}});
    }

    if (!elector) {
        work(stop);
    } else if (elector->run(stop) == kube::LeaseEnd::lost) {
        return fail(ErrorCode::unavailable, "leader election lost");
    }
    for (EventSink* events : {source_events.get(), kustomize_events.get()})
        if (events != nullptr) events->flush(std::chrono::seconds(5));
    setup.info("stopped");
    return {};
}

} // namespace weber::agent
