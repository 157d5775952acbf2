// The sources of a one-shot run: the one at hand, and others that Kustomizations name.
//
// Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <stop_token>

#include "gitops/reconcile/entry.h"
#include "gitops/reconcile/once.h"
#include "gitops/reconcile/pipeline.h"

namespace weber::gitops {

class OnceSources {
public:
    OnceSources(kube::Client& client, const OnceOptions& options, const ClusterEntry& entry, Snapshot snapshot)
        : client_(client), options_(options), entry_(entry), snapshot_(std::move(snapshot)) {}

    // The artifact of `ref` (see the rules in once.h). Fetches at most once for each source. Errors: not_found with the API's text when
    // there is no such object; unsupported for other kinds than GitRepository; those of a fetch.
    Result<RunSource> resolve(const SourceRef& ref, std::stop_token stop);

private:
    Result<Snapshot> open(const SourceRef& ref, std::stop_token stop);
    Result<void> mark_served(const Object& repository, const std::string& revision, std::stop_token stop);

    kube::Client& client_;
    const OnceOptions& options_;
    const ClusterEntry& entry_;
    const Snapshot snapshot_;
    std::mutex mutex_; // guards what is below, and serializes fetches
    std::map<SourceRef, Result<Snapshot>> opened_;
};

} // namespace weber::gitops
