// Where a build reads its files: the disk, memory, or (in gitops) a commit's tree. The smallest interface that will do.
//
// Paths are absolute within the file system ("/" separated). Implementations must be safe for concurrent const calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"

namespace weber::kustomize {

// What stands at a path, the last element not followed when it is a link. `other`: a pipe, a device… `unknown`: the file system cannot tell.
enum class FileEntry : std::uint8_t { unknown, missing, directory, file, link, other };

class FileSystem {
public:
    virtual ~FileSystem() = default;

    // The path with every symbolic link followed, absolute and clean. A file system without links only cleans.
    // Fails with not_found when nothing is there (message in kustomize's words: "evalsymlink failure on 'p' : …").
    [[nodiscard]] virtual Result<std::string> resolve(std::string_view path) const = 0;
    // False when nothing is there.
    [[nodiscard]] virtual bool is_dir(std::string_view path) const = 0;
    [[nodiscard]] virtual bool is_file(std::string_view path) const = 0;
    // Names in a directory, sorted; without "." and "..".
    [[nodiscard]] virtual Result<std::vector<std::string>> list(std::string_view dir) const = 0;
    // Whole content. Fails with not_found, or too_large beyond the implementation's cap.
    [[nodiscard]] virtual Result<std::string> read(std::string_view path) const = 0;
    // A text that changes whenever the content may have changed (blob id; device, inode, size and times). "" = unknown:
    // then nothing read from here is kept beyond one build.
    [[nodiscard]] virtual std::string identity(std::string_view path) const = 0;
    // One cheap look, for SeenFiles.
    [[nodiscard]] virtual FileEntry entry(std::string_view) const { return FileEntry::unknown; }
};

// The disk. `max_file_bytes` caps each read.
class DiskFileSystem final : public FileSystem {
public:
    static constexpr std::size_t kMaxFileBytes = 64u << 20;
    explicit DiskFileSystem(std::size_t max_file_bytes = kMaxFileBytes) : max_file_bytes_(max_file_bytes) {}

    [[nodiscard]] Result<std::string> resolve(std::string_view path) const override;
    [[nodiscard]] bool is_dir(std::string_view path) const override;
    [[nodiscard]] bool is_file(std::string_view path) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view dir) const override;
    [[nodiscard]] Result<std::string> read(std::string_view path) const override;
    [[nodiscard]] std::string identity(std::string_view path) const override;
    [[nodiscard]] FileEntry entry(std::string_view path) const override;

private:
    std::size_t max_file_bytes_;
};

// Files in a map, for tests and for trees that were read elsewhere. Directories exist by having files below them.
class MemoryFileSystem final : public FileSystem {
public:
    // Adds or replaces a file. Not to be called while a build reads.
    void write(std::string_view path, std::string_view text);

    [[nodiscard]] Result<std::string> resolve(std::string_view path) const override;
    [[nodiscard]] bool is_dir(std::string_view path) const override;
    [[nodiscard]] bool is_file(std::string_view path) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view dir) const override;
    [[nodiscard]] Result<std::string> read(std::string_view path) const override;
    [[nodiscard]] std::string identity(std::string_view) const override { return {}; }

private:
    std::map<std::string, std::string, std::less<>> files_;
};

} // namespace weber::kustomize
