// Remote bases and files: what a kustomization may name by URL, and who fetches it. This layer opens no socket: the caller of a
// build gives a fetcher (gitops::RemoteBases, over libgit2 and libcurl), or none, and then URLs are a clear error.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kustomize/file_system.h"

namespace weber::kustomize {

// A git URL taken apart as kustomize does (git.NewRepoSpecFromURL): "https://host/org/repo//dir?ref=v1&timeout=60&submodules=false".
struct RepoUrl {
    std::string raw;       // as written
    std::string clone;     // what to clone: "https://github.com/org/repo"
    std::string directory; // below the repository's root, "" for the root
    std::string ref;       // branch, tag or commit; "" = the remote's default branch
    bool submodules = true;
    std::chrono::milliseconds timeout = std::chrono::seconds(27);
};

// Fails for what is no git URL, local paths above all. Pure.
[[nodiscard]] Result<RepoUrl> parse_repo_url(std::string_view url);

[[nodiscard]] bool is_http_url(std::string_view path); // "http://…" or "https://…"

// A URL as messages may show it: no password, and of the query only what names a state of the repository.
[[nodiscard]] std::string shown_url(std::string_view url);

// A repository's files at one commit.
struct RemoteTree {
    std::shared_ptr<const FileSystem> files;
    std::string root; // the repository's root directory in `files`, absolute and clean
};

// What "timeout" asks for in the query of a URL: "61" are seconds, "1m30s" and "500ms" as in Go; nullopt for anything else.
[[nodiscard]] std::optional<std::chrono::milliseconds> timeout_of_url(std::string_view url);

// Implementations must be safe for concurrent calls when builds run in parallel.
class RemoteFetcher {
public:
    virtual ~RemoteFetcher() = default;

    // Body of a successful GET (status 2xx). Other statuses: ErrorCode by meaning (not_found, forbidden, …), the message as kustomize
    // words it: "HTTP Error: status code 404 (Not Found)". Bounded by the implementation: too_large, timeout. Errors have no `where`:
    // the build knows the entry that asked. Neither they nor those below show credentials.
    [[nodiscard]] virtual Result<std::string> fetch_file(std::string_view url) = 0;
    // The tree of `url.clone` at `url.ref`, submodules included when asked for. Honours `url.timeout`.
    [[nodiscard]] virtual Result<RemoteTree> fetch_repository(const RepoUrl& url) = 0;
};

} // namespace weber::kustomize
