// What a kustomization names by URL: git repositories over libgit2, http files over libcurl (kustomize/remote.h says which URLs there are).
//
// Thread-safe: builds that run in parallel share one; a repository is fetched by one of them, the others wait for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "gitops/source/open.h"
#include "kustomize/remote.h"

namespace weber::gitops {

struct RemoteBaseSettings {
    std::string cache_dir = {};        // bare repositories live below it, one a URL; "" = a temporary directory that goes away with the object
    bool keep_answers = true;          // what was fetched serves as long as the object lives (one run); false: the remote is asked for each build
    bool local_repositories = true;    // file:// may be cloned; false where others than the user write the kustomizations
    std::chrono::milliseconds file_timeout = std::chrono::seconds(27); // of an http file whose URL names none (?timeout=60)
    std::chrono::milliseconds max_timeout = std::chrono::minutes(10);  // what a URL may ask for at most
    std::size_t max_file_bytes = 64u << 20;          // of an http file
    std::size_t max_repository_bytes = 1024u << 20;  // to transfer, for one repository
    std::size_t max_files = 500'000;                 // of a repository and its submodules
    std::size_t max_submodules = 100;                // in all, at most ten levels deep
    std::stop_token stop = {};
};

class RemoteBases final : public kustomize::RemoteFetcher {
public:
    // Costs nothing until something is fetched.
    explicit RemoteBases(RemoteBaseSettings settings = {});
    ~RemoteBases() override;
    RemoteBases(const RemoteBases&) = delete;
    RemoteBases& operator=(const RemoteBases&) = delete;

    // Errors as in kustomize/remote.h; in addition unavailable, timeout, cancelled, unauthorized, too_large. Credentials: those of the URL.
    [[nodiscard]] Result<std::string> fetch_file(std::string_view url) override;
    // As `git fetch CLONE REF` and `git submodule update --init --recursive`. Submodules may not lie on the local disk, as with git.
    [[nodiscard]] Result<kustomize::RemoteTree> fetch_repository(const kustomize::RepoUrl& url) override;

private:
    struct Slot { // one URL
        std::mutex mutex; // guards the rest; held while it is fetched, and nothing else is
        std::shared_ptr<const std::string> file;
        std::map<std::string, Fetched> commits; // by revision
    };
    class Checkout;
    std::shared_ptr<Slot> slot(const std::string& url);
    Result<Fetched> fetch_commit(const std::string& url, const std::string& revision, const std::string& cache_dir, std::chrono::milliseconds timeout);
    Result<std::string> directory();

    const RemoteBaseSettings settings_;
    std::mutex mutex_; // guards what is below
    std::map<std::string, std::shared_ptr<Slot>> slots_;
    std::map<std::string, kustomize::RemoteTree> trees_; // by URL, ref and submodules
    std::string temporary_; // "" = none made
};

} // namespace weber::gitops
