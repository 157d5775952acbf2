#include "gitops/source/git.h"

#include <git2.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>

#include "gitops/source/ignore.h"
#include "gitops/source/open.h"
#include "kube/base/digest.h"

namespace weber::gitops {

namespace stdfs = std::filesystem;

namespace {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* p) const { Free(p); }
};
using RepositoryPtr = std::unique_ptr<git_repository, Deleter<git_repository_free>>;
using ObjectPtr = std::unique_ptr<git_object, Deleter<git_object_free>>;
using TreePtr = std::unique_ptr<git_tree, Deleter<git_tree_free>>;
using BlobPtr = std::unique_ptr<git_blob, Deleter<git_blob_free>>;
using ReferencePtr = std::unique_ptr<git_reference, Deleter<git_reference_free>>;
using RemotePtr = std::unique_ptr<git_remote, Deleter<git_remote_free>>;
using StatusListPtr = std::unique_ptr<git_status_list, Deleter<git_status_list_free>>;
using EntryPtr = std::unique_ptr<git_tree_entry, Deleter<git_tree_entry_free>>;

void start_library() {
    static const int started = git_libgit2_init();
    (void)started;
}

// libgit2's text of the last failure on this thread; read at once after the call that failed.
std::string last_error() {
    const git_error* e = git_error_last();
    return e != nullptr && e->message != nullptr ? e->message : "unknown git error";
}

std::string hex(const git_oid& id) {
    char text[GIT_OID_HEXSZ + 1];
    return git_oid_tostr(text, sizeof text, &id);
}

Result<RepositoryPtr> open_repository(const std::string& dir) {
    start_library();
    git_repository* raw = nullptr;
    if (git_repository_open_ext(&raw, dir.c_str(), 0, nullptr) != 0)
        return fail(Error{.code = ErrorCode::not_found, .message = "not a git repository: " + last_error(), .where = {dir, 0, 0}});
    return RepositoryPtr(raw);
}

Result<ObjectPtr> find_commit(git_repository* repo, const std::string& rev, const std::string& where) {
    git_object* raw = nullptr;
    if (git_revparse_single(&raw, repo, (rev + "^{commit}").c_str()) != 0)
        return fail(Error{.code = ErrorCode::not_found, .message = "no commit '" + rev + "' in the repository: " + last_error(), .where = {where, 0, 0}});
    return ObjectPtr(raw);
}

struct TreeWalk {
    std::map<std::string, TreeFileSystem::File, std::less<>> files;
    std::vector<std::pair<std::string, git_oid>> ignores; // directory, blob
};

int visit(const char* dir, const git_tree_entry* entry, void* payload) {
    auto& walk = *static_cast<TreeWalk*>(payload);
    const git_filemode_t mode = git_tree_entry_filemode(entry);
    if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE) return 0; // links and submodules are not in artifacts
    const std::string name = git_tree_entry_name(entry);
    walk.files.emplace(std::string(dir) + name, TreeFileSystem::File{hex(*git_tree_entry_id(entry)), 0});
    if (name == ".sourceignore") {
        std::string where(dir);
        if (!where.empty()) where.pop_back();
        walk.ignores.emplace_back(std::move(where), *git_tree_entry_id(entry));
    }
    return 0;
}

Result<std::string> read_blob(git_repository* repo, const git_oid& id) {
    git_blob* raw = nullptr;
    if (git_blob_lookup(&raw, repo, &id) != 0) return fail(ErrorCode::internal, "cannot read blob " + hex(id) + ": " + last_error());
    const BlobPtr blob(raw);
    return std::string(static_cast<const char*>(git_blob_rawcontent(raw)), static_cast<std::size_t>(git_blob_rawsize(raw)));
}

// The repository and its lock, shared by the snapshot's reads.
struct SharedRepository {
    RepositoryPtr repo;
    std::mutex mutex; // libgit2 repositories belong to one thread at a time
};

// `subdir` of the commit's tree as a Snapshot.
Result<Snapshot> snapshot_of(RepositoryPtr repo, const ObjectPtr& commit, const std::string& subdir, std::string_view spec_ignore,
                             std::string revision) {
    git_tree* raw = nullptr;
    if (git_commit_tree(&raw, reinterpret_cast<git_commit*>(commit.get())) != 0) return fail(ErrorCode::internal, "cannot read tree: " + last_error());
    TreePtr tree(raw);
    if (!subdir.empty()) {
        git_tree_entry* entry = nullptr;
        if (git_tree_entry_bypath(&entry, tree.get(), subdir.c_str()) != 0)
            return fail(ErrorCode::not_found, "the commit has no directory '" + subdir + "'");
        const EntryPtr owned(entry);
        git_tree* sub = nullptr;
        if (git_tree_lookup(&sub, repo.get(), git_tree_entry_id(entry)) != 0)
            return fail(ErrorCode::not_found, "'" + subdir + "' is not a directory of the commit");
        tree.reset(sub);
    }
    TreeWalk walk;
    if (git_tree_walk(tree.get(), GIT_TREEWALK_PRE, visit, &walk) != 0) return fail(ErrorCode::internal, "cannot walk tree: " + last_error());
    std::vector<IgnoreRules::SourceIgnore> ignores;
    for (const auto& [dir, id] : walk.ignores) {
        TRY(std::string text, read_blob(repo.get(), id));
        ignores.push_back({dir, std::move(text)});
    }
    std::ranges::sort(ignores, {}, &IgnoreRules::SourceIgnore::dir);
    const IgnoreRules rules = IgnoreRules::make(ignores, spec_ignore);
    std::erase_if(walk.files, [&](const auto& f) { return rules.ignores(f.first, false); });

    auto shared = std::make_shared<SharedRepository>();
    shared->repo = std::move(repo);
    Snapshot s;
    s.revision = std::move(revision);
    s.fs = std::make_shared<TreeFileSystem>(std::string(kSourceMount), std::move(walk.files), [shared](const std::string&, const TreeFileSystem::File& file) -> Result<std::string> {
        git_oid id;
        if (git_oid_fromstr(&id, file.id.c_str()) != 0) return fail(ErrorCode::internal, "bad blob id " + file.id);
        const std::lock_guard lock(shared->mutex);
        return read_blob(shared->repo.get(), id);
    });
    return s;
}

std::string short_branch(git_repository* repo) {
    git_reference* raw = nullptr;
    if (git_repository_head(&raw, repo) != 0) return "HEAD";
    const ReferencePtr head(raw);
    return git_reference_is_branch(raw) ? git_reference_shorthand(raw) : "HEAD";
}

// The path of `dir` below the repository's work tree; "" for its root and for bare repositories.
std::string path_in_repository(git_repository* repo, const std::string& dir) {
    const char* workdir = git_repository_workdir(repo);
    if (workdir == nullptr) return {};
    std::error_code ec;
    const stdfs::path relative = stdfs::canonical(dir, ec).lexically_relative(stdfs::canonical(workdir, ec));
    return relative == "." ? std::string() : relative.generic_string();
}

} // namespace

std::optional<WorkTreeState> work_tree_state(const std::string& dir) {
    auto repo = open_repository(dir);
    if (!repo || git_repository_is_bare(repo->get()) != 0) return std::nullopt;
    auto commit = find_commit(repo->get(), "HEAD", dir);
    if (!commit) return std::nullopt;
    const std::string subdir = path_in_repository(repo->get(), dir);
    git_status_options options = GIT_STATUS_OPTIONS_INIT;
    options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
    options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH;
    std::string pathspec = subdir;
    char* specs[] = {pathspec.data()};
    if (!subdir.empty()) options.pathspec = {specs, 1};
    git_status_list* raw = nullptr;
    if (git_status_list_new(&raw, repo->get(), &options) != 0) return std::nullopt;
    const StatusListPtr list(raw);
    return WorkTreeState{short_branch(repo->get()), hex(*git_object_id(commit->get())), git_status_list_entrycount(raw) > 0};
}

Result<Snapshot> open_commit(const std::string& dir, const std::string& rev, std::string_view spec_ignore) {
    TRY(RepositoryPtr repo, open_repository(dir));
    TRY(ObjectPtr commit, find_commit(repo.get(), rev, dir));
    const std::string id = hex(*git_object_id(commit.get()));
    git_reference* raw = nullptr;
    std::string name = short_branch(repo.get());
    if (git_reference_dwim(&raw, repo.get(), rev.c_str()) == 0) {
        const ReferencePtr reference(raw);
        if (rev != "HEAD") name = git_reference_shorthand(raw);
    }
    const std::string subdir = path_in_repository(repo.get(), dir);
    return snapshot_of(std::move(repo), commit, subdir, spec_ignore, name + "@sha1:" + id);
}

// ---- remote repositories --------------------------------------------------------------------------------------

namespace {

struct Transfer {
    std::chrono::steady_clock::time_point deadline;
    bool timed_out = false;
    int credential_tries = 0;
};

int on_progress(const git_indexer_progress*, void* payload) {
    auto& t = *static_cast<Transfer*>(payload);
    t.timed_out = std::chrono::steady_clock::now() > t.deadline;
    return t.timed_out ? -1 : 0;
}

int on_credentials(git_credential** out, const char*, const char* user, unsigned int allowed, void* payload) {
    auto& t = *static_cast<Transfer*>(payload);
    if (++t.credential_tries > 3) return GIT_EAUTH; // refused: do not ask for ever
    if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0 && user != nullptr) return git_credential_ssh_key_from_agent(out, user);
    if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) return git_credential_username_new(out, "git");
    return GIT_PASSTHROUGH; // user and password of the URL are used by libgit2 itself
}

Result<RepositoryPtr> open_cache(const std::string& url, const std::string& cache_dir) {
    start_library();
    const std::string path = cache_dir + "/" + kube::sha256_hex(url).substr(0, 32) + ".git";
    std::error_code ec;
    stdfs::create_directories(path, ec);
    git_repository* raw = nullptr;
    if (git_repository_open_bare(&raw, path.c_str()) != 0 && git_repository_init(&raw, path.c_str(), 1) != 0)
        return fail(Error{.code = ErrorCode::invalid, .message = "cannot make the git cache: " + last_error(), .where = {path, 0, 0}});
    return RepositoryPtr(raw);
}

// What to fetch, what to resolve afterwards, and how the revision begins.
struct Wanted {
    std::string refspec;
    std::string rev;
    std::string label;
};

Wanted wanted(const GitReference& ref) {
    if (!ref.commit.empty()) {
        const std::string branch = ref.branch.empty() ? "*" : ref.branch;
        return {"+refs/heads/" + branch + ":refs/weber/heads/" + branch, ref.commit, ref.branch.empty() ? "" : ref.branch};
    }
    if (!ref.name.empty()) return {"+" + ref.name + ":refs/weber/name", "refs/weber/name", ref.name};
    if (!ref.tag.empty()) return {"+refs/tags/" + ref.tag + ":refs/weber/tags/" + ref.tag, "refs/weber/tags/" + ref.tag, ref.tag};
    const std::string branch = ref.branch.empty() ? "master" : ref.branch;
    return {"+refs/heads/" + branch + ":refs/weber/heads/" + branch, "refs/weber/heads/" + branch, branch};
}

Error transfer_error(int code, const Transfer& t, const std::string& url, std::string text) {
    // libgit2 puts the URL into some texts: without credentials, please.
    if (const auto at = text.find(url); at != std::string::npos) text.replace(at, url.size(), public_url(url));
    Error e{.code = ErrorCode::unavailable, .message = "cannot fetch " + public_url(url) + ": " + text};
    if (t.timed_out) {
        e.code = ErrorCode::timeout;
        e.message = "cannot fetch " + public_url(url) + ": the deadline passed";
    } else if (code == GIT_EAUTH || text.find("authentication") != std::string::npos || text.find("401") != std::string::npos) {
        e.code = ErrorCode::unauthorized;
        e.hint = "check the user and token in the URL, or the keys of the ssh agent";
    } else if (code == GIT_ENOTFOUND || text.find("not found") != std::string::npos) {
        e.code = ErrorCode::not_found;
    } else {
        e.hint = "check the URL and the network";
    }
    return e;
}

} // namespace

std::string public_url(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::string(url);
    const auto end = url.find_first_of("/?#", scheme + 3);
    const auto at = url.substr(0, end).rfind('@');
    if (at == std::string_view::npos || at < scheme) return std::string(url);
    return std::string(url.substr(0, scheme + 3)) + std::string(url.substr(at + 1));
}

Result<Snapshot> fetch_and_open(const std::string& url, const GitReference& ref, const std::string& cache_dir, std::string_view spec_ignore,
                                std::chrono::nanoseconds timeout) {
    if (!ref.semver.empty())
        return fail(Error{.code = ErrorCode::unsupported, .message = "spec.ref.semver: this version of weber does not support this field yet"});
    TRY(RepositoryPtr repo, open_cache(url, cache_dir));
    git_remote* raw = nullptr;
    if (git_remote_create_anonymous(&raw, repo.get(), url.c_str()) != 0)
        return fail(ErrorCode::invalid, "cannot use the URL " + public_url(url) + ": " + last_error());
    const RemotePtr remote(raw);
    Transfer transfer;
    transfer.deadline = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout);
    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    options.callbacks.payload = &transfer;
    options.callbacks.transfer_progress = on_progress;
    options.callbacks.credentials = on_credentials;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    Wanted want = wanted(ref);
    char* specs[] = {want.refspec.data()};
    const git_strarray refspecs{specs, 1};
    if (const int code = git_remote_fetch(raw, &refspecs, &options, nullptr); code != 0)
        return fail(transfer_error(code, transfer, url, last_error()));
    auto commit = find_commit(repo.get(), want.rev, public_url(url));
    if (!commit)
        return fail(Error{.code = ErrorCode::not_found,
                          .message = "couldn't find remote ref \"" + (ref.commit.empty() ? want.refspec.substr(1, want.refspec.find(':') - 1) : ref.commit) + "\" in " + public_url(url),
                          .hint = "check the branch, tag or commit"});
    const std::string id = hex(*git_object_id(commit->get()));
    const std::string revision = (want.label.empty() ? "" : want.label + "@") + "sha1:" + id;
    return snapshot_of(std::move(repo), *commit, "", spec_ignore, revision);
}

} // namespace weber::gitops
