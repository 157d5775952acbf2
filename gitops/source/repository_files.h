// A commit as a build sees a checkout of it: every file, symbolic links, submodules in their places. Read from object databases, no checkout.
// (Snapshots, in contrast, hold what an artifact holds: no links, no submodules, ignore rules applied.)
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gitops/source/git_library.h"
#include "kustomize/file_system.h"

namespace weber::gitops {

inline constexpr std::string_view kRepositoryMount = "/repository"; // where the root lies

class RepositoryFiles final : public kustomize::FileSystem {
public:
    // A repository and its lock (libgit2: one thread at a time).
    struct Store {
        git::RepositoryPtr repo;
        std::mutex mutex;
    };
    struct Submodule {
        std::string path;   // below the root
        std::string commit; // hex
    };

    // Adds the files of a commit below `prefix` ("" = the root, else a submodule's path). The submodules it names are in the result, to be added by
    // the caller. Errors: not_found (the commit), too_large (more than `max_files` in all).
    Result<std::vector<Submodule>> add(std::shared_ptr<Store> store, const std::string& commit, const std::string& prefix, std::size_t max_files);

    [[nodiscard]] Result<std::string> resolve(std::string_view path) const override;
    [[nodiscard]] bool is_dir(std::string_view path) const override;
    [[nodiscard]] bool is_file(std::string_view path) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view dir) const override;
    [[nodiscard]] Result<std::string> read(std::string_view path) const override;
    [[nodiscard]] std::string identity(std::string_view path) const override;

private:
    struct Entry {
        std::string blob;          // id, hex
        bool link = false;
        std::uint32_t store = 0;
    };
    struct Walk;
    static int visit(const char* dir, const git_tree_entry* entry, void* walk);
    // The entry's path below the root with every link followed; it may be a file or a directory, or be missing (nullopt).
    [[nodiscard]] Result<std::optional<std::string>> follow(std::string_view path) const;
    [[nodiscard]] const Entry* file_at(std::string_view path) const;
    [[nodiscard]] bool has_dir(std::string_view below) const;
    [[nodiscard]] Result<std::string> blob(const Entry& entry) const;

    std::vector<std::shared_ptr<Store>> stores_;
    std::map<std::string, Entry, std::less<>> entries_; // by path below the root
};

// One `[submodule]` of a .gitmodules file.
struct SubmoduleSource {
    std::string path, url;
};
// What a .gitmodules text says; lines that say nothing about path and url are passed over. Pure.
[[nodiscard]] std::vector<SubmoduleSource> read_gitmodules(std::string_view text);
// The URL of a submodule: "./x" and "../x" are relative to the URL of the repository it is in. Pure.
[[nodiscard]] std::string submodule_url(std::string_view parent, std::string_view url);

} // namespace weber::gitops
