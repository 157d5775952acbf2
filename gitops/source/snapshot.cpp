#include "gitops/source/snapshot.h"

#include <optional>
#include <set>

#include "kustomize/path.h"

namespace weber::gitops {

namespace {

// Absolute, without ".", ".." (which stop at the root) and doubled slashes.
std::string clean(std::string_view path) { return kustomize::is_absolute(path) ? kustomize::clean_path(path) : kustomize::clean_path("/" + std::string(path)); }

} // namespace

TreeFileSystem::TreeFileSystem(std::string mount, std::map<std::string, File, std::less<>> files, Reader reader, std::optional<Dirs> dirs)
    : mount_(mount == "/" ? "" : std::move(mount)), files_(std::move(files)), reader_(std::move(reader)), dirs_(std::move(dirs)) {}

std::optional<std::string> TreeFileSystem::below(std::string_view path) const {
    const std::string whole = clean(path);
    if (whole == mount_) return std::string();
    if (!kustomize::is_in_or_below(whole, mount_)) return std::nullopt;
    return whole.substr(mount_.size() + 1);
}

bool TreeFileSystem::has_dir(std::string_view relative) const {
    if (relative.empty()) return true;
    const std::string prefix = std::string(relative) + "/";
    if (const auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix)) return true;
    if (!dirs_) return false;
    if (dirs_->contains(relative)) return true;
    const auto it = dirs_->lower_bound(prefix);
    return it != dirs_->end() && it->starts_with(prefix);
}

bool TreeFileSystem::is_dir(std::string_view path) const {
    const auto relative = below(path);
    return relative && has_dir(*relative);
}

bool TreeFileSystem::is_file(std::string_view path) const {
    const auto relative = below(path);
    return relative && files_.contains(*relative);
}

std::unexpected<Error> TreeFileSystem::outside(std::string_view operation, std::string_view path) const {
    return fail(Error{.code = ErrorCode::forbidden,
                      .message = "fs-security-constraint " + std::string(operation) + " " + std::string(path) + ": path '" + clean(path) +
                                 "' is not in or below '" + (mount_.empty() ? "/" : mount_) + "'",
                      .hint = "a source can only use its own files"});
}

Result<std::string> TreeFileSystem::resolve(std::string_view path) const {
    if (!below(path)) return outside("abs", path);
    if (is_file(path) || is_dir(path)) return clean(path);
    return fail(ErrorCode::not_found, "evalsymlink failure on '" + std::string(path) + "' : lstat " + clean(path) + ": no such file or directory");
}

Result<std::vector<std::string>> TreeFileSystem::list(std::string_view dir) const {
    const auto relative = below(dir);
    if (!relative) return outside("open", dir);
    if (!has_dir(*relative)) return fail(ErrorCode::not_found, "open " + clean(dir) + ": no such file or directory");
    const std::string prefix = relative->empty() ? "" : *relative + "/";
    std::set<std::string> names;
    for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix);) {
        const std::string_view rest = std::string_view(it->first).substr(prefix.size());
        const auto slash = rest.find('/');
        names.emplace(rest.substr(0, slash));
        if (slash == std::string_view::npos) ++it;
        else it = files_.lower_bound(prefix + std::string(rest.substr(0, slash)) + "0"); // '0' follows '/': skips the whole directory
    }
    if (dirs_)
        for (auto it = dirs_->lower_bound(prefix); it != dirs_->end() && it->starts_with(prefix); ++it)
            if (it->size() > prefix.size()) names.insert(it->substr(prefix.size(), it->find('/', prefix.size()) - prefix.size()));
    return std::vector<std::string>(names.begin(), names.end());
}

Result<std::string> TreeFileSystem::read(std::string_view path) const {
    const auto relative = below(path);
    if (!relative) return outside("read", path);
    const auto it = files_.find(*relative);
    if (it == files_.end()) return fail(ErrorCode::not_found, "open " + clean(path) + ": no such file or directory");
    if (it->second.size > kustomize::DiskFileSystem::kMaxFileBytes)
        return fail(ErrorCode::too_large, "file of " + std::to_string(it->second.size) + " bytes exceeds the limit of " +
                                              std::to_string(kustomize::DiskFileSystem::kMaxFileBytes), {clean(path), 0, 0});
    return reader_(it->first, it->second);
}

std::string TreeFileSystem::identity(std::string_view path) const {
    const auto relative = below(path);
    const auto it = relative ? files_.find(*relative) : files_.end();
    return it == files_.end() ? std::string() : it->second.id;
}

Result<std::string> Snapshot::directory(std::string_view path) const {
    const std::string inside = clean(path);
    std::string whole = fs->mount() + (inside == "/" && !fs->mount().empty() ? "" : inside);
    if (!fs->is_dir(whole) && !fs->is_file(whole))
        return fail(Error{.code = ErrorCode::not_found,
                          .message = "kustomization path not found: stat " + display(whole) + ": no such file or directory",
                          .hint = "spec.path must name a directory of the source"});
    return whole;
}

Snapshot Snapshot::with_files(const std::map<std::string, std::string>& contents) const {
    auto replaced = std::make_shared<std::map<std::string, std::string>>(); // by path below the mount
    auto files = fs->files();
    for (const auto& [path, text] : contents) {
        const std::string relative = display(path);
        const auto it = files.find(relative);
        if (it == files.end()) continue;
        it->second = {"", text.size(), it->second.executable}; // no identity: nobody keeps what was parsed from it
        replaced->emplace(relative, text);
    }
    auto below = fs;
    Snapshot out = *this;
    out.fs = std::make_shared<TreeFileSystem>(fs->mount(), std::move(files), [below, replaced](const std::string& path, const TreeFileSystem::File&) {
        const auto it = replaced->find(path);
        return it != replaced->end() ? Result<std::string>(it->second) : below->read(below->mount() + "/" + path);
    }, fs->dirs());
    return out;
}

std::string Snapshot::display(std::string_view path) const {
    if (path.starts_with(fs->mount())) path.remove_prefix(fs->mount().size());
    while (path.starts_with('/')) path.remove_prefix(1);
    return path.empty() ? "." : std::string(path);
}

} // namespace weber::gitops
