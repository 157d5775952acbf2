// One GitRepository: from its spec to an artifact in the storage and a status (sources.md 0.6 to 0.10 and 1).
//
// Thread-safe: runs of distinct objects may go on at once; one object is run by one thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "gitops/api/git_repository.h"
#include "gitops/source/git_status.h"
#include "gitops/source/open.h"
#include "gitops/source/storage.h"

namespace weber::gitops {

struct GitRunSettings {
    std::string cache_dir;                          // bare repositories
    ArtifactStorage* storage = nullptr;
    std::chrono::seconds retention_ttl{60};         // --artifact-retention-ttl
    std::size_t retention_records = 2;              // --artifact-retention-records
    SshMethods ssh = {};
    // The Secret of that name in that namespace; not_found when there is none.
    std::function<Result<Object>(const NamespacedName& name)> secret;
    // Where a status is shown while the run goes on: the object's generation is new, a run was asked for, real drift was found.
    std::function<Result<void>(const GitRepositoryStatus& status)> on_status = {};
    const kube::Clock* clock = &kube::system_clock();
};

struct GitRunResult {
    GitRepositoryStatus status;    // to write
    std::vector<Event> events;     // in order; metadata source.toolkit.fluxcd.io/revision and /digest where they have one
    std::vector<Event> traces;     // for the Kubernetes API only (Normal)
    NextRun next = NextRun::none;  // interval, backoff or terminal
    std::optional<Error> error = {};
    std::optional<Snapshot> snapshot = {}; // of the artifact, when this run read it: no consumer has to unpack it again
};

// `object`: as the API server has it, not suspended, not being deleted, with its finalizer.
GitRunResult reconcile_git(const Object& object, const GitRunSettings& settings, std::stop_token stop = {});

// spec.suspend: what the closing status write still records (sources.md 0.9).
GitRepositoryStatus suspended_git_status(const Object& object);

// The object goes away: its folder is removed. A trace for the Kubernetes API if there was one, or the error that keeps the finalizer (reason GarbageCollectionFailed).
Result<std::optional<Event>> remove_artifacts(const Object& object, ArtifactStorage& storage);

} // namespace weber::gitops
