// Which resources an API server has: group, version and kind to resource, scope and verbs.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/object_key.h"
#include "kube/document_cache.h"
#include "kube/transport.h"

namespace weber::kube {

struct ApiResource {
    std::string group;
    std::string version;
    std::string resource; // plural, as in URLs
    std::string kind;
    bool namespaced = false;
    std::vector<std::string> verbs = {};
    std::vector<std::string> short_names = {};
    std::vector<std::string> subresources = {}; // "status", "scale" …
    std::string singular = {};

    [[nodiscard]] GroupVersionKind gvk() const { return {group, version, kind}; }
    [[nodiscard]] bool can(std::string_view verb) const;
    [[nodiscard]] bool has_subresource(std::string_view name) const;
    // "/api/v1" or "/apis/apps/v1".
    [[nodiscard]] std::string base_path() const;
    // The collection, or with `name` the object. `ns` is left out for a cluster-scoped resource, and when empty.
    [[nodiscard]] std::string path(std::string_view ns, std::string_view name = {}) const;
};

struct DiscoveryOptions {
    // A group version that was looked up in vain is not looked up again sooner.
    std::chrono::milliseconds miss_interval{500};
    DocumentCacheOptions cache = {}; // by default nothing is kept on disk
};

// Read lazily with the first question (aggregated discovery; /api and /apis where a server lacks it), then kept, with a cache also on disk. A miss
// asks the server for that one group version, so that a kind that was just defined is found.
// Thread-safe; callers that come during a read wait for it, or until they are stopped, at most for `timeout`, which is then that of each request; 0 = the transport's,
// and no limit of the wait.
class Discovery {
public:
    explicit Discovery(std::shared_ptr<Transport> transport, DiscoveryOptions options = {});
    ~Discovery();
    Discovery(const Discovery&) = delete;
    Discovery& operator=(const Discovery&) = delete;

    // The resource of exactly that version. Error not_found: `no matches for kind "Foo" in version "x.io/v1"`
    // (apimachinery's NoKindMatchError); others as the transport's.
    Result<ApiResource> find(const GroupVersionKind& gvk, std::stop_token stop = {}, std::chrono::milliseconds timeout = {});

    // The server's preferred version of a kind. Error not_found: `no matches for kind "Foo" in group "x.io"`.
    Result<ApiResource> preferred(const GroupKind& kind, std::stop_token stop = {}, std::chrono::milliseconds timeout = {});

    // All resources of all versions, preferred versions first within a group.
    Result<std::vector<ApiResource>> all(std::stop_token stop = {});

    // Forgets everything; the next question reads anew, from the server.
    void invalidate();
    // Forgets one group, whose addresses were not found any more; the next question about it asks the server.
    void forget(const std::string& group);

private:
    struct Impl;
    class Turn;
    std::unique_ptr<Impl> impl_;
};

} // namespace weber::kube
