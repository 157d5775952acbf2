// A fixed state of a source's files: a commit, or a working tree as it was when it was opened. It shows just what Flux's artifact of the
// same state would hold: ignore rules applied, symbolic links left out.
//
// Thread-safe: builds of several Kustomizations read one Snapshot at once.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kustomize/file_system.h"

namespace weber::gitops {

inline constexpr std::string_view kSourceMount = "/source";

// Files by path, read on demand.
class TreeFileSystem final : public kustomize::FileSystem {
public:
    struct File {
        std::string id;       // changes with the content (blob id, or inode, size and times)
        std::size_t size = 0; // bytes; 0 = not known
        bool executable = false;
        std::size_t offset = 0; // for the Reader: where the content lies, if it keeps all in one text
    };
    // Content of the file with that path (relative to the root) and id.
    using Reader = std::function<Result<std::string>(const std::string& path, const File& file)>;

    // `mount`: absolute path that the root has in this file system, e.g. the directory a working tree lies in; "" = "/". Paths outside it are refused
    // (`fs-security-constraint …`, build.md 4), so trees that are not on disk lie below kSourceMount, where `..` can be seen to leave them.
    // `dirs`: the directories that are named for themselves, with or without files; nullopt: those of the files.
    using Dirs = std::set<std::string, std::less<>>;
    TreeFileSystem(std::string mount, std::map<std::string, File, std::less<>> files, Reader reader, std::optional<Dirs> dirs = std::nullopt);

    [[nodiscard]] Result<std::string> resolve(std::string_view path) const override;
    [[nodiscard]] bool is_dir(std::string_view path) const override;
    [[nodiscard]] bool is_file(std::string_view path) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view dir) const override;
    [[nodiscard]] Result<std::string> read(std::string_view path) const override;
    [[nodiscard]] std::string identity(std::string_view path) const override;

    [[nodiscard]] const std::string& mount() const { return mount_; }
    [[nodiscard]] const std::map<std::string, File, std::less<>>& files() const { return files_; }
    [[nodiscard]] const std::optional<Dirs>& dirs() const { return dirs_; }

private:
    // The path below the mount, clean; nullopt when it is outside.
    [[nodiscard]] std::optional<std::string> below(std::string_view path) const;
    [[nodiscard]] bool has_dir(std::string_view relative) const;
    [[nodiscard]] std::unexpected<Error> outside(std::string_view operation, std::string_view path) const;

    std::string mount_; // "" or "/dir"
    std::map<std::string, File, std::less<>> files_;
    Reader reader_;
    std::optional<Dirs> dirs_;
};

struct Snapshot {
    std::shared_ptr<const TreeFileSystem> fs;
    std::string revision; // "main@sha1:<commit>", as Flux's artifact revision; a changed working tree: "<branch>@sha256:<digest of its files>"

    // The directory `path` (a Kustomization's spec.path) in `fs`: joined so that it cannot leave the root (kustomization.md 1.1).
    // Error not_found: `kustomization path not found: stat …`.
    [[nodiscard]] Result<std::string> directory(std::string_view path) const;
    // The same files, some with another content (paths of `fs`, absolute); paths that are no files are left out.
    [[nodiscard]] Snapshot with_files(const std::map<std::string, std::string>& contents) const;
    // A path of `fs` as the user knows it: relative to the root of the source.
    [[nodiscard]] std::string display(std::string_view path) const;
};

} // namespace weber::gitops
