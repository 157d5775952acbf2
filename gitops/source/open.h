// Opening sources: a working tree, a commit of a local repository, or a remote repository fetched into a cache.
//
// Thread-safe; every call opens the repository for itself (libgit2: one thread at a time for each repository object).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "gitops/api/git_repository.h"
#include "gitops/source/snapshot.h"
#include "kube/base/error.h"

namespace weber::gitops {

// The files of `dir` as they lie there (uncommitted changes included). `spec_ignore` as GitRepository.spec.ignore.
// Revision: the branch and commit when `dir` is in a git repository and nothing below it is changed, else a digest of the files.
// Errors: not_found, invalid (not a directory).
Result<Snapshot> open_working_tree(const std::string& dir, std::string_view spec_ignore = {});

// The tree of a commit, read from the object database, no checkout. `dir` may be a subdirectory of the repository: then it is the root of the
// snapshot. `rev`: anything `git rev-parse` takes (branch, tag, id). Errors: not_found with the name of what is missing.
Result<Snapshot> open_commit(const std::string& dir, const std::string& rev, std::string_view spec_ignore = {});

// Fetches what `ref` names of `url` into a bare repository below `cache_dir` and opens it. https, ssh, file and plain paths. Credentials: of the URL, of
// the ssh agent and default keys. `timeout` bounds the transfer once data flows.
// Errors: unavailable (cannot connect), not_found (no such ref), unauthorized, timeout; the URL in messages is without credentials.
Result<Snapshot> fetch_and_open(const std::string& url, const GitReference& ref, const std::string& cache_dir, std::string_view spec_ignore,
                                std::chrono::nanoseconds timeout);

// The URL without user and password, for messages.
std::string public_url(std::string_view url);

} // namespace weber::gitops
