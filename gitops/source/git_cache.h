// The bare repositories that fetches are kept in, one a URL. A cache can always be fetched anew, so whatever is wrong with one, it goes.
//
// Not for use beside a fetch of the same repository, unless noted.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace weber::gitops {

// Where the repository of that URL is kept.
std::string git_cache_path(const std::string& cache_dir, const std::string& url);

// Readies the repositories below `cache_dir` for a process that has just begun and has them for itself: locks and unfinished files of one that was killed are
// removed, every pack and index is compared with its checksum, and a repository that is damaged, was not touched for `unused` or consists of more than a
// hundred packs is removed. Returns one line a removed repository. Reads every byte once.
std::vector<std::string> verify_git_caches(const std::string& cache_dir, std::chrono::hours unused = std::chrono::days(30));

// Removes the repository of one URL; a snapshot that still reads from it fails from then on. While no fetch of it goes on: FetchOptions::anew.
void drop_git_cache(const std::string& cache_dir, const std::string& url);

} // namespace weber::gitops
