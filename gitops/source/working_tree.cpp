#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gitops/source/git.h"
#include "gitops/source/ignore.h"
#include "gitops/source/open.h"
#include "kube/base/digest.h"

namespace weber::gitops {

namespace stdfs = std::filesystem;

namespace {

constexpr std::size_t kMaxFiles = 1'000'000;

struct Walk {
    std::map<std::string, TreeFileSystem::File, std::less<>> files;
    std::vector<IgnoreRules::SourceIgnore> ignores;
};

std::string identity_of(const std::string& path, std::size_t& size) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) return {};
    size = static_cast<std::size_t>(st.st_size);
    return std::to_string(st.st_dev) + ":" + std::to_string(st.st_ino) + ":" + std::to_string(st.st_size) + ":" + std::to_string(st.st_mtim.tv_sec) +
           "." + std::to_string(st.st_mtim.tv_nsec) + ":" + std::to_string(st.st_ctim.tv_sec) + "." + std::to_string(st.st_ctim.tv_nsec);
}

Result<std::string> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return fail(ErrorCode::not_found, "cannot read the file", {path, 0, 0});
    return std::move(text).str();
}

// Every regular file below `root`, without `.git` and symbolic links; `.sourceignore` texts on the side.
Result<Walk> walk(const stdfs::path& root) {
    Walk out;
    std::error_code ec;
    stdfs::recursive_directory_iterator it(root, ec), end;
    for (; !ec && it != end; it.increment(ec)) {
        const stdfs::file_status status = it->symlink_status(ec);
        if (ec) break;
        if (status.type() == stdfs::file_type::directory && it->path().filename() == ".git") it.disable_recursion_pending();
        if (status.type() != stdfs::file_type::regular) continue;
        const std::string relative = it->path().lexically_relative(root).generic_string();
        TreeFileSystem::File file;
        file.id = identity_of(it->path().string(), file.size);
        file.executable = (status.permissions() & (stdfs::perms::owner_exec | stdfs::perms::group_exec | stdfs::perms::others_exec)) != stdfs::perms::none;
        if (it->path().filename() == ".sourceignore") {
            TRY(std::string text, read_file(it->path().string()));
            const auto slash = relative.rfind('/');
            out.ignores.push_back({slash == std::string::npos ? "" : relative.substr(0, slash), std::move(text)});
        }
        out.files.emplace(relative, std::move(file));
        if (out.files.size() > kMaxFiles) return fail(ErrorCode::too_large, "more than " + std::to_string(kMaxFiles) + " files", {root.string(), 0, 0});
    }
    if (ec) return fail(ErrorCode::invalid, "cannot list the directory: " + ec.message(), {root.string(), 0, 0});
    std::ranges::sort(out.ignores, {}, &IgnoreRules::SourceIgnore::dir);
    return out;
}

// Of names and contents; stable across machines.
Result<std::string> digest_of(const std::string& root, const std::map<std::string, TreeFileSystem::File, std::less<>>& files) {
    std::string lines;
    for (const auto& [path, file] : files) {
        TRY(std::string text, read_file(root + "/" + path));
        lines += path + "\n" + kube::sha256_hex(text) + "\n";
    }
    return kube::sha256_hex(lines);
}

} // namespace

Result<Snapshot> open_working_tree(const std::string& dir, std::string_view spec_ignore) {
    std::error_code ec;
    const stdfs::path root = stdfs::canonical(dir, ec);
    if (ec) return fail(Error{.code = ErrorCode::not_found, .message = "no such directory", .where = {dir, 0, 0}, .hint = "--path must name the fleet repository"});
    if (!stdfs::is_directory(root)) return fail(ErrorCode::invalid, "not a directory", {dir, 0, 0});
    TRY(Walk found, walk(root));
    const IgnoreRules rules = IgnoreRules::make(found.ignores, spec_ignore);
    std::erase_if(found.files, [&](const auto& f) { return rules.ignores(f.first, false); });
    const std::string mount = root.string();
    Snapshot s;
    if (auto state = work_tree_state(mount); state && !state->changed) {
        s.revision = state->branch + "@sha1:" + state->commit;
    } else {
        TRY(std::string digest, digest_of(mount, found.files));
        s.revision = (state ? state->branch : std::string("local")) + "@sha256:" + digest;
    }
    s.fs = std::make_shared<TreeFileSystem>(mount, std::move(found.files), [mount](const std::string& path, const TreeFileSystem::File&) {
        return read_file(mount + "/" + path);
    });
    return s;
}

} // namespace weber::gitops
