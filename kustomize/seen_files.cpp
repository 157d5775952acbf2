#include "kustomize/seen_files.h"

#include "kustomize/path.h"

namespace weber::kustomize {
namespace {

constexpr std::size_t kMaxPath = 4096; // longer ones are no real paths, and the way up them is recursive

} // namespace

FileEntry SeenFiles::reached(std::string_view path) const {
    if (path.size() > kMaxPath || !is_surely_clean(path)) return FileEntry::unknown;
    const std::string_view dir = path.substr(0, path.rfind('/'));
    if (!dir.empty() && reached(dir) != FileEntry::directory) return FileEntry::unknown;
    return entry(path);
}

FileEntry SeenFiles::entry(std::string_view path) const {
    auto [it, fresh] = seen_.try_emplace(std::string(path), FileEntry::unknown);
    if (fresh) it->second = files_.entry(path);
    return it->second;
}

Result<std::string> SeenFiles::resolve(std::string_view path) const {
    const FileEntry found = reached(path);
    if (found == FileEntry::directory || found == FileEntry::file) return std::string(path);
    return files_.resolve(path);
}

bool SeenFiles::is_dir(std::string_view path) const {
    const FileEntry found = reached(path);
    if (found == FileEntry::unknown || found == FileEntry::link) return files_.is_dir(path);
    return found == FileEntry::directory;
}

bool SeenFiles::is_file(std::string_view path) const {
    const FileEntry found = reached(path);
    if (found == FileEntry::unknown || found == FileEntry::link) return files_.is_file(path);
    return found == FileEntry::file;
}

} // namespace weber::kustomize
