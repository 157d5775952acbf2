// Opening sources: a working tree, a commit of a local repository, or a remote repository fetched into a cache.
//
// Thread-safe; every call opens the repository for itself (libgit2: one thread at a time for each repository object).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "gitops/api/git_repository.h"
#include "gitops/source/snapshot.h"
#include "gitops/source/ssh_methods.h"
#include "kube/base/error.h"
#include "kube/credentials.h"

namespace weber::gitops {

// The files of `dir` as they lie there (uncommitted changes included). `spec_ignore` as GitRepository.spec.ignore.
// Revision: the branch and commit when `dir` is in a git repository and nothing below it is changed, else a digest of the files.
// Errors: not_found, invalid (not a directory).
Result<Snapshot> open_working_tree(const std::string& dir, std::string_view spec_ignore = {});

// The tree of a commit, read from the object database, no checkout. `dir` may be a subdirectory of the repository: then it is the root of the
// snapshot. `rev`: anything `git rev-parse` takes (branch, tag, id). Errors: not_found with the name of what is missing.
Result<Snapshot> open_commit(const std::string& dir, const std::string& rev, std::string_view spec_ignore = {});

// What a remote repository asks of its visitors. Empty: user and password of the URL, the ssh agent, the system's CAs.
struct GitCredentials {
    std::string username = {};
    kube::SecretText password = {};
    kube::SecretText bearer_token = {};    // http: in place of user and password
    std::string ca = {};                   // PEM, trusted in addition to the system's
    std::string certificate = {};          // PEM, of the client
    kube::SecretText key = {};             // its key
    kube::SecretText identity = {};        // ssh: private key
    kube::SecretText passphrase = {};      // of `identity`
    std::string known_hosts = {};          // ssh: lines as in ~/.ssh/known_hosts; "" = libgit2's own check of that file
    std::string proxy = {};                // http: URL; "" = from the environment
    std::string proxy_user = {};
    kube::SecretText proxy_password = {};
};

struct FetchOptions {
    std::string url;                       // https, http, ssh, file, or a path
    GitReference ref = {};
    std::optional<std::string> revision = {}; // in place of `ref`, as `git fetch` takes it: tag, branch, full name, whole commit id; "" = HEAD
    std::string cache_dir;                 // bare repositories live below it, one a URL; fetches of one URL wait for each other
    bool anew = false;                     // what is cached of it is thrown away first
    std::size_t max_bytes = 0;             // to transfer at most; 0 = any number. Beyond: too_large
    GitCredentials credentials = {};
    SshMethods ssh = {};
    std::chrono::nanoseconds timeout{std::chrono::seconds(60)}; // of the whole operation
    std::stop_token stop = {};
};

// A commit in the cache.
struct Fetched {
    std::string revision;   // "main@sha1:<commit>" (sources.md 1.4)
    std::string reference;  // "refs/heads/main"; "" for a bare commit
    std::string commit;     // hex
    std::string repository; // path of the bare repository
    std::string subject;    // first line of the commit's message
    bool transferred = false; // objects were downloaded; false: the remote had nothing new
};

// What came of a fetch that failed: Error::reason.
inline constexpr std::string_view kEmptyRepository = "EmptyGitRepository"; // the remote has no reference at all
inline constexpr std::string_view kNotListed = "NotListed";               // the remote did not say which references it has
inline constexpr std::string_view kNoSuchReference = "NoSuchReference";   // it lacks the branch, tag or name
inline constexpr std::string_view kNoSuchCommit = "NoSuchCommit";         // it lacks the commit
inline constexpr std::string_view kBadKey = "BadKey";                     // the ssh key cannot be read
inline constexpr std::string_view kBadReference = "BadReference";         // the message says it all: no version in the range, no range, no name

// Asks the remote where `ref` is and downloads what the cache lacks. Precedence: commit, name, semver, tag, branch (master). http and https go
// over libcurl, bounded by the deadline from connecting to the last byte; ssh over libssh2, given up (not interrupted) at the deadline.
// Errors: unavailable (cannot connect), not_found (repository or reference), unauthorized, forbidden (unknown host key), timeout, cancelled, invalid (range).
// The URL in messages is without credentials.
Result<Fetched> fetch(const FetchOptions& options);

// The commit's files. Error: not_found when the cache lacks it.
Result<Snapshot> open_fetched(const Fetched& fetched, std::string_view spec_ignore = {});

// The URL for messages: without user and password; the user alone of an ssh URL stays.
std::string public_url(std::string_view url);

} // namespace weber::gitops
