#include "gitops/source/repository_files.h"

#include <set>

#include "kube/base/join.h"
#include "kube/base/trim.h"

namespace weber::gitops {

using namespace git;

namespace {

constexpr int kMaxLinks = 40; // as Linux
constexpr std::string_view kBlank = " \t\r"; // in a line

std::unexpected<Error> outside(std::string_view path) {
    return fail(ErrorCode::forbidden, "path '" + std::string(path) + "' leaves the repository");
}

std::vector<std::string> parts_of(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        const std::string_view part = path.substr(0, path.find('/'));
        if (!part.empty() && part != ".") parts.emplace_back(part);
        path.remove_prefix(std::min(part.size() + 1, path.size()));
    }
    return parts;
}

std::string mounted(std::string_view below) { return std::string(kRepositoryMount) + (below.empty() ? "" : "/") + std::string(below); }

} // namespace

// ---- filling ------------------------------------------------------------------------------------------------------------

struct RepositoryFiles::Walk {
    RepositoryFiles& files;
    std::string prefix; // "" or ending in a slash
    std::uint32_t store;
    std::size_t max_files;
    std::vector<Submodule> submodules = {};
    bool full = false;
};

int RepositoryFiles::visit(const char* dir, const git_tree_entry* entry, void* payload) {
    Walk& walk = *static_cast<Walk*>(payload);
    const git_filemode_t mode = git_tree_entry_filemode(entry);
    if (mode == GIT_FILEMODE_TREE) return 0;
    const std::string path = walk.prefix + dir + git_tree_entry_name(entry);
    const std::string id = hex(*git_tree_entry_id(entry));
    if (mode == GIT_FILEMODE_COMMIT) {
        walk.submodules.push_back({path, id});
        return 0;
    }
    walk.full = walk.files.entries_.size() >= walk.max_files;
    if (walk.full) return GIT_EUSER;
    walk.files.entries_.insert_or_assign(path, Entry{id, mode == GIT_FILEMODE_LINK, walk.store});
    return 0;
}

Result<std::vector<RepositoryFiles::Submodule>> RepositoryFiles::add(std::shared_ptr<Store> store, const std::string& commit, const std::string& prefix,
                                                                     std::size_t max_files) {
    const std::lock_guard lock(store->mutex);
    TRY(const ObjectPtr object, find_commit(store->repo.get(), commit, ""));
    git_tree* raw = nullptr;
    if (git_commit_tree(&raw, reinterpret_cast<git_commit*>(object.get())) != 0) return fail(ErrorCode::internal, "cannot read tree: " + last_error());
    const TreePtr tree(raw);
    Walk walk{*this, prefix.empty() ? "" : prefix + "/", static_cast<std::uint32_t>(stores_.size()), max_files};
    stores_.push_back(store);
    if (git_tree_walk(tree.get(), GIT_TREEWALK_PRE, visit, &walk) != 0) {
        if (walk.full) return fail(ErrorCode::too_large, "the repository has more than " + std::to_string(max_files) + " files");
        return fail(ErrorCode::internal, "cannot walk tree: " + last_error());
    }
    return std::move(walk.submodules);
}

// ---- paths --------------------------------------------------------------------------------------------------------------

bool RepositoryFiles::has_dir(std::string_view below) const {
    if (below.empty()) return !entries_.empty();
    const std::string prefix = std::string(below) + "/";
    const auto it = entries_.lower_bound(prefix);
    return it != entries_.end() && it->first.starts_with(prefix);
}

Result<std::optional<std::string>> RepositoryFiles::follow(std::string_view path) const {
    std::vector<std::string> rest = parts_of(path);
    if (rest.empty() || "/" + rest.front() != kRepositoryMount) return outside(path);
    rest.erase(rest.begin());
    std::vector<std::string> done;
    int links = 0;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == "..") {
            if (done.empty()) return outside(path);
            done.pop_back();
            continue;
        }
        done.push_back(rest[i]);
        const auto it = entries_.find(kube::join(done, "/"));
        if (it == entries_.end()) continue; // a directory, or nothing
        if (!it->second.link) {
            if (i + 1 < rest.size()) return std::nullopt; // a file is no directory
            break;
        }
        if (++links > kMaxLinks) return fail(ErrorCode::too_large, "too many levels of symbolic links at '" + std::string(path) + "'");
        TRY(const std::string target, blob(it->second));
        if (target.starts_with('/')) return outside(path);
        std::vector<std::string> next = parts_of(target);
        next.insert(next.end(), rest.begin() + static_cast<std::ptrdiff_t>(i) + 1, rest.end());
        if (next.size() > 4096) return fail(ErrorCode::too_large, "symbolic links make '" + std::string(path) + "' too long");
        done.pop_back();
        rest = std::move(next);
        i = static_cast<std::size_t>(-1);
    }
    std::string found = kube::join(done, "/");
    if (!entries_.contains(found) && !has_dir(found)) return std::nullopt;
    return found;
}

Result<std::string> RepositoryFiles::resolve(std::string_view path) const {
    TRY(const auto found, follow(path));
    if (found) return mounted(*found);
    return fail(ErrorCode::not_found, "evalsymlink failure on '" + std::string(path) + "' : lstat " + std::string(path) + ": no such file or directory");
}

const RepositoryFiles::Entry* RepositoryFiles::file_at(std::string_view path) const {
    const auto found = follow(path);
    if (!found || !*found) return nullptr;
    const auto it = entries_.find(**found);
    return it == entries_.end() ? nullptr : &it->second;
}

bool RepositoryFiles::is_dir(std::string_view path) const {
    const auto found = follow(path);
    return found && *found && has_dir(**found);
}

bool RepositoryFiles::is_file(std::string_view path) const { return file_at(path) != nullptr; }

Result<std::vector<std::string>> RepositoryFiles::list(std::string_view dir) const {
    TRY(const auto found, follow(dir));
    if (!found || !has_dir(*found)) return fail(ErrorCode::not_found, "open " + std::string(dir) + ": no such file or directory");
    const std::string prefix = found->empty() ? "" : *found + "/";
    std::set<std::string> names;
    for (auto it = entries_.lower_bound(prefix); it != entries_.end() && it->first.starts_with(prefix); ++it) {
        const std::string_view below = std::string_view(it->first).substr(prefix.size());
        names.emplace(below.substr(0, below.find('/')));
    }
    return std::vector<std::string>(names.begin(), names.end());
}

// ---- contents -----------------------------------------------------------------------------------------------------------

Result<std::string> RepositoryFiles::blob(const Entry& entry) const {
    Store& store = *stores_[entry.store];
    const std::lock_guard lock(store.mutex);
    git_oid id;
    git_odb* odb = nullptr;
    if (git_oid_fromstr(&id, entry.blob.c_str()) != 0 || git_repository_odb(&odb, store.repo.get()) != 0)
        return fail(ErrorCode::internal, "cannot read blob " + entry.blob + ": " + last_error());
    const std::unique_ptr<git_odb, Deleter<git_odb_free>> owner(odb);
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    if (git_odb_read_header(&size, &type, odb, &id) != 0) return fail(ErrorCode::internal, "cannot read blob " + entry.blob + ": " + last_error());
    if (size > kustomize::DiskFileSystem::kMaxFileBytes)
        return fail(ErrorCode::too_large, "a file of the repository has " + std::to_string(size) + " bytes, more than " +
                                              std::to_string(kustomize::DiskFileSystem::kMaxFileBytes));
    git_blob* raw = nullptr;
    if (git_blob_lookup(&raw, store.repo.get(), &id) != 0) return fail(ErrorCode::internal, "cannot read blob " + entry.blob + ": " + last_error());
    const BlobPtr held(raw);
    return std::string(static_cast<const char*>(git_blob_rawcontent(raw)), static_cast<std::size_t>(git_blob_rawsize(raw)));
}

Result<std::string> RepositoryFiles::read(std::string_view path) const {
    TRY(const auto found, follow(path));
    const auto it = found ? entries_.find(*found) : entries_.end();
    if (it == entries_.end()) return fail(ErrorCode::not_found, "open " + std::string(path) + ": no such file or directory");
    return blob(it->second);
}

std::string RepositoryFiles::identity(std::string_view path) const {
    const Entry* entry = file_at(path);
    return entry != nullptr ? entry->blob : "";
}

// ---- .gitmodules --------------------------------------------------------------------------------------------------------

namespace {

// A value of git's configuration: quotes group, a backslash escapes, # and ; begin a comment.
std::string config_value(std::string_view text) {
    std::string out;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') quoted = !quoted;
        else if (text[i] == '\\' && i + 1 < text.size()) out += text[++i];
        else if (!quoted && (text[i] == '#' || text[i] == ';')) break;
        else out += text[i];
    }
    return std::string(kube::trimmed(out, kBlank));
}

} // namespace

std::vector<SubmoduleSource> read_gitmodules(std::string_view text) {
    std::vector<SubmoduleSource> out;
    bool inside = false;
    while (!text.empty()) {
        const std::string_view whole = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(whole.size() + 1, text.size()));
        const std::string_view line = kube::trimmed(whole, kBlank);
        if (line.starts_with('[')) {
            inside = line.starts_with("[submodule ");
            if (inside) out.emplace_back();
            continue;
        }
        const auto equals = line.find('=');
        if (!inside || equals == std::string_view::npos) continue;
        const std::string_view key = kube::trimmed(line.substr(0, equals), kBlank);
        if (key == "path") out.back().path = config_value(line.substr(equals + 1));
        if (key == "url") out.back().url = config_value(line.substr(equals + 1));
    }
    return out;
}

std::string submodule_url(std::string_view parent, std::string_view url) {
    if (!url.starts_with("./") && !url.starts_with("../")) return std::string(url);
    while (parent.ends_with('/')) parent.remove_suffix(1);
    for (;;) {
        if (url.starts_with("./")) {
            url.remove_prefix(2);
        } else if (url.starts_with("../")) {
            url.remove_prefix(3);
            const auto cut = parent.find_last_of("/:");
            parent = parent.substr(0, cut == std::string_view::npos ? 0 : parent[cut] == ':' ? cut + 1 : cut);
        } else {
            break;
        }
    }
    return std::string(parent) + (parent.ends_with(':') ? "" : "/") + std::string(url);
}

} // namespace weber::gitops
