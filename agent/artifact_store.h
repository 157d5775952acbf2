// Artifacts that controllers build from, by digest: unpacked once, shared by all Kustomizations of a source, forgotten when nobody used them for a while.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "gitops/source/snapshot.h"
#include "kube/base/object.h"

namespace weber::agent {

// status.artifact of a source object.
struct ArtifactRef {
    std::string url, digest, revision, origin_revision;
    std::string path = {};    // in the storage of who made it
    std::string updated = {}; // lastUpdateTime
    friend bool operator==(const ArtifactRef&, const ArtifactRef&) = default;
};
// nullopt: the source has none yet.
std::optional<ArtifactRef> artifact_of(const Object& source);

struct DownloadOptions {
    int retries = 9;                                  // --http-retry: connection errors, 429 and 5xx
    std::chrono::milliseconds wait_min{5'000}, wait_max{30'000};
    std::string source_controller = {}, source_watcher = {};    // SOURCE_CONTROLLER_LOCALHOST, SOURCE_WATCHER_LOCALHOST: replace the URL's host
    std::string storage = {};                         // this process's own artifacts, "" = none: what lies there is not downloaded
};

// GET of an absolute http or https URL. Errors with Flux's texts (kustomization.md 2, step 12); http_status 404 when it is not there.
Result<std::string> download_artifact(const std::string& url, const DownloadOptions& options, std::stop_token stop);

// Thread-safe.
class ArtifactStore {
public:
    explicit ArtifactStore(DownloadOptions options, std::size_t keep = 8) : options_(std::move(options)), keep_(keep) {}

    // Files that this process made itself: `get` needs no download for them.
    void put(const ArtifactRef& artifact, gitops::Snapshot snapshot);
    // Reads or downloads, verifies and unpacks what is not held; callers that want the same one wait for the first.
    Result<gitops::Snapshot> get(const ArtifactRef& artifact, std::stop_token stop);

private:
    std::optional<std::string> stored(const ArtifactRef& artifact) const;
    Result<gitops::Snapshot> fetch(const ArtifactRef& artifact, std::stop_token stop) const;
    void hold(const std::string& key, const gitops::Snapshot& snapshot); // caller holds mutex_

    const DownloadOptions options_;
    const std::size_t keep_;
    std::mutex mutex_; // guards the rest
    std::condition_variable_any changed_;
    std::map<std::string, gitops::Snapshot> held_; // by digest and revision
    std::list<std::string> recent_;                // keys of held_, the last used first
    std::set<std::string> loading_;
};

} // namespace weber::agent
