// The folder that artifacts are stored in and served from (sources.md 0.3, 0.4, 0.7, 0.8).
//
// Thread-safe; distinct objects do not wait for each other.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "gitops/api/kustomization.h"
#include "kube/base/clock.h"
#include "kube/base/node.h"

namespace weber::gitops {

// status.artifact
struct Artifact {
    std::string digest;           // <algorithm>:<hex> of the file
    std::string last_update_time; // RFC 3339
    std::string path;             // relative to the storage root
    std::string revision;
    std::string url;
    std::int64_t size = 0;        // bytes
    std::map<std::string, std::string> metadata = {};
    friend bool operator==(const Artifact&, const Artifact&) = default;
};
std::optional<Artifact> read_artifact(const Object& source); // nullopt: none
Node write_artifact(const Artifact& artifact);

class ArtifactStorage {
public:
    // `advertised`: host[:port], or with http:// or https:// before it; what URLs begin with. `digest_algorithm` of new artifacts: one of `digest_algorithms()`.
    ArtifactStorage(std::string root, std::string advertised, std::string digest_algorithm = "sha256");

    enum class Check : std::uint8_t { good, missing, corrupted };
    // Compares the file with the digest. A file that has not changed since the last look is not read again.
    [[nodiscard]] Check check(const Artifact& artifact);
    [[nodiscard]] std::string url_of(const std::string& path) const;

    // Writes `bytes` as <kind lower case>/<ns>/<name>/<file>: to a temporary file in the same folder, mode 0600, synced, then renamed over the target.
    // Errors: internal (disk full and the like), naming the path.
    Result<Artifact> store(const std::string& kind, const NamespacedName& name, const std::string& file, const std::string& revision, std::string_view bytes,
                           kube::SystemTime now);
    Result<std::string> read(const Artifact& artifact) const;

    // Removes other files of the object than `current`: those older than `ttl`, then the oldest beyond `records`. Returns how many.
    std::size_t collect_garbage(const Artifact& current, kube::SystemTime now, std::chrono::seconds ttl = std::chrono::seconds(60), std::size_t records = 2);
    // The object's whole folder. False: there was none.
    Result<bool> remove(const std::string& kind, const NamespacedName& name);
    void remove_file(const Artifact& artifact);

    [[nodiscard]] const std::string& root() const { return root_; }

private:
    const std::string root_, base_url_, digest_algorithm_;
    std::mutex mutex_;                          // guards what is below
    std::map<std::string, std::string> known_;  // path → identity of the file and its digest, as last checked
};

} // namespace weber::gitops
