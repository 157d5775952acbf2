// libgit2 for the files of this folder: its objects with owners, its errors, its start.
//
// A libgit2 call and its error are read in one function on one thread (the message is thread-local).
#pragma once

#include <git2.h>

#include <memory>
#include <string>

#include "gitops/source/snapshot.h"
#include "kube/base/error.h"

namespace weber::gitops::git {

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

// Once before anything else; cheap when repeated.
void start_library();
// libgit2's text of the last failure on this thread.
std::string last_error();
std::string hex(const git_oid& id);

// The repository that `dir` belongs to. Error not_found.
Result<RepositoryPtr> open_repository(const std::string& dir);
// `rev` peeled to a commit. Error not_found, naming `where`.
Result<ObjectPtr> find_commit(git_repository* repo, const std::string& rev, const std::string& where);
// `subdir` ("" = root) of the commit's tree.
Result<Snapshot> snapshot_of(RepositoryPtr repo, const ObjectPtr& commit, const std::string& subdir, std::string_view spec_ignore, std::string revision);

} // namespace weber::gitops::git
