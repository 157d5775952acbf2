#include "gitops/source/git.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <mutex>

#include "gitops/source/git_library.h"
#include "gitops/source/ignore.h"
#include "gitops/source/open.h"

namespace weber::gitops {

namespace stdfs = std::filesystem;

namespace git {

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

namespace {

struct TreeWalk {
    std::map<std::string, TreeFileSystem::File, std::less<>> files;
    TreeFileSystem::Dirs dirs; // submodules included: a checkout makes their directories, too
    std::vector<std::pair<std::string, git_oid>> ignores; // directory, blob
};

int visit(const char* dir, const git_tree_entry* entry, void* payload) {
    auto& walk = *static_cast<TreeWalk*>(payload);
    const git_filemode_t mode = git_tree_entry_filemode(entry);
    if (mode == GIT_FILEMODE_TREE || mode == GIT_FILEMODE_COMMIT) walk.dirs.insert(std::string(dir) + git_tree_entry_name(entry));
    if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE) return 0; // links are not in artifacts
    const std::string name = git_tree_entry_name(entry);
    walk.files.emplace(std::string(dir) + name, TreeFileSystem::File{hex(*git_tree_entry_id(entry)), 0, mode == GIT_FILEMODE_BLOB_EXECUTABLE});
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

} // namespace

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
    std::erase_if(walk.dirs, [&](const std::string& dir) { return rules.ignores(dir, true); });

    auto shared = std::make_shared<SharedRepository>();
    shared->repo = std::move(repo);
    Snapshot s;
    s.revision = std::move(revision);
    s.fs = std::make_shared<TreeFileSystem>(std::string(kSourceMount), std::move(walk.files), [shared](const std::string&, const TreeFileSystem::File& file) -> Result<std::string> {
        git_oid id;
        if (git_oid_fromstr(&id, file.id.c_str()) != 0) return fail(ErrorCode::internal, "bad blob id " + file.id);
        const std::lock_guard lock(shared->mutex);
        return read_blob(shared->repo.get(), id);
    }, std::move(walk.dirs));
    return s;
}

} // namespace git

using namespace git;

namespace {

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

} // namespace weber::gitops
