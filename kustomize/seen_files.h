// A file system as one build sees it: what stands at a path, and where links lead, is asked once. A tree of overlays would otherwise ask for
// every directory of the way to its base again and again, which on a disk takes longer than all else.
//
// What is added, taken away or replaced by a link while the build runs may go unnoticed; contents are never kept.
//
// Thread-safety: none; one build, one thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "kustomize/file_system.h"

namespace weber::kustomize {

class SeenFiles final : public FileSystem {
public:
    explicit SeenFiles(const FileSystem& files) : files_(files) {} // must outlive this

    [[nodiscard]] Result<std::string> resolve(std::string_view path) const override;
    [[nodiscard]] bool is_dir(std::string_view path) const override;
    [[nodiscard]] bool is_file(std::string_view path) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view dir) const override { return files_.list(dir); }
    [[nodiscard]] Result<std::string> read(std::string_view path) const override { return files_.read(path); }
    [[nodiscard]] std::string identity(std::string_view path) const override { return files_.identity(path); }
    [[nodiscard]] FileEntry entry(std::string_view path) const override;

private:
    // What stands at a path whose directory is reached without links; unknown: another path, or a file system that cannot tell.
    [[nodiscard]] FileEntry reached(std::string_view path) const;

    const FileSystem& files_;
    mutable std::unordered_map<std::string, FileEntry> seen_; // by clean absolute path
};

} // namespace weber::kustomize
