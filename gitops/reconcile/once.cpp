#include "gitops/reconcile/once.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "gitops/reconcile/bootstrap.h"
#include "gitops/reconcile/entry.h"
#include "gitops/reconcile/once_run.h"
#include "gitops/reconcile/once_sources.h"
#include "gitops/source/open.h"
#include "kube/pause.h"

namespace weber::gitops {

namespace {

constexpr std::chrono::seconds kFetchTimeout{60}; // GitRepository.spec.timeout's default

kube::RequestCounts difference(const kube::RequestCounts& after, const kube::RequestCounts& before) {
    return {.get = after.get - before.get,          .list = after.list - before.list,       .watch = after.watch - before.watch,
            .create = after.create - before.create, .update = after.update - before.update, .patch = after.patch - before.patch,
            .apply = after.apply - before.apply,    .remove = after.remove - before.remove, .dry_run = after.dry_run - before.dry_run};
}

// Requests a stop when the caller does, or when the time is over.
class Deadline {
public:
    Deadline(std::chrono::nanoseconds timeout, std::stop_token outer)
        : forward_(std::move(outer), [this] { source_.request_stop(); }) {
        if (timeout.count() == 0) return;
        timer_ = std::jthread([this, timeout](std::stop_token done) {
            if (!kube::pause_for(std::chrono::duration_cast<std::chrono::milliseconds>(timeout), done)) return;
            passed_ = true;
            source_.request_stop();
        });
    }
    [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
    [[nodiscard]] bool passed() const { return passed_; }

private:
    std::stop_source source_;
    std::atomic<bool> passed_ = false;
    std::stop_callback<std::function<void()>> forward_;
    std::jthread timer_;
};

// The source and where the cluster begins in it. spec.ignore of the repository stands in the repository itself, so it may take a second look.
struct Opened {
    Snapshot snapshot;
    ClusterEntry entry;
};
Result<Opened> open(const OnceOptions& options) {
    TRY(Snapshot snapshot, open_source(options));
    TRY(ClusterEntry entry, find_entry(snapshot, options.cluster));
    if (entry.repository && entry.repository->has_ignore) {
        TRY(snapshot, open_source(options, entry.repository->ignore));
    }
    return Opened{std::move(snapshot), std::move(entry)};
}

} // namespace

std::string_view to_string(KustomizationState state) {
    switch (state) {
    case KustomizationState::ready: return "ready";
    case KustomizationState::failed: return "failed";
    case KustomizationState::blocked: return "blocked";
    case KustomizationState::suspended: return "suspended";
    case KustomizationState::removed: return "removed";
    case KustomizationState::planned: return "planned";
    }
    return "";
}

bool OnceResult::ok() const {
    return std::ranges::none_of(kustomizations, [](const KustomizationResult& k) {
        return k.state == KustomizationState::failed || k.state == KustomizationState::blocked;
    });
}

std::string cache_dir_of(const OnceOptions& options) {
    if (!options.cache_dir.empty()) return options.cache_dir;
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') return std::string(cache) + "/weber/git";
    const char* home = std::getenv("HOME");
    return (home != nullptr && *home != '\0' ? std::string(home) : std::string("/tmp")) + "/.cache/weber/git";
}

Result<Snapshot> open_source(const OnceOptions& options, std::string_view spec_ignore) {
    if (options.path.empty() == options.url.empty()) return fail(ErrorCode::invalid, "exactly one of a path and a URL names the source");
    if (!options.path.empty())
        return options.rev.empty() ? open_working_tree(options.path, spec_ignore) : open_commit(options.path, options.rev, spec_ignore);
    const auto timeout = options.timeout.count() != 0 ? std::min<std::chrono::nanoseconds>(options.timeout, kFetchTimeout) : kFetchTimeout;
    TRY(const Fetched fetched, fetch({.url = options.url, .ref = options.ref, .cache_dir = cache_dir_of(options), .timeout = timeout}));
    return open_fetched(fetched, spec_ignore);
}

Result<OnceResult> reconcile_once(kube::Client& client, const OnceOptions& options, ProgressSink* progress, std::stop_token stop) {
    const auto began = kube::system_clock().monotonic();
    const kube::RequestCounts before = client.counts();
    const Deadline deadline(options.timeout, std::move(stop));

    TRY(const Opened opened, open(options));
    OnceResult out;
    out.revision = opened.snapshot.revision;
    std::vector<Object> planned;
    out.bootstrap = bootstrap(client, opened.entry, options.dry_run, planned, deadline.token());
    const auto overtime = [&](const Error& e) {
        if (!deadline.passed() || e.code != ErrorCode::cancelled) return e;
        Error out = e;
        out.code = ErrorCode::timeout;
        out.message = "the run's time limit of " + kube::format_go_duration(options.timeout) + " (--timeout) passed";
        return out;
    };
    if (!out.bootstrap.errors.empty()) return fail(overtime(out.bootstrap.errors.front()));

    OnceSources sources(client, options, opened.entry, opened.snapshot);
    OnceRun run(client, options, sources, std::move(planned), progress, deadline.token());
    out.kustomizations = run.run(opened.entry.root);
    for (KustomizationResult& k : out.kustomizations)
        if (k.error) k.error = overtime(*k.error);
    out.requests = difference(client.counts() + run.counts_of_others(), before);
    out.took = kube::system_clock().monotonic() - began;
    return out;
}

} // namespace weber::gitops
