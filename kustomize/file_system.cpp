#include "kustomize/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "kustomize/path.h"

namespace weber::kustomize {
namespace {

std::string quoted(std::string_view path) { return "'" + std::string(path) + "'"; }

// Our error for a failed system call on `path`.
Error system_error(int number, std::string_view call, std::string_view path) {
    ErrorCode code = number == ENOENT || number == ENOTDIR ? ErrorCode::not_found
                     : number == EACCES || number == EPERM ? ErrorCode::forbidden
                                                           : ErrorCode::invalid;
    std::string reason = std::generic_category().message(number);
    if (!reason.empty() && reason[0] >= 'A' && reason[0] <= 'Z') reason[0] = static_cast<char>(reason[0] - 'A' + 'a');
    return Error{.code = code, .message = std::string(call) + " " + std::string(path) + ": " + reason};
}

class OpenFile {
public:
    explicit OpenFile(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int fd() const { return fd_; }

private:
    int fd_;
};

} // namespace

// ---- disk -------------------------------------------------------------------------------------------------------

Result<std::string> DiskFileSystem::resolve(std::string_view path) const {
    std::string text(path);
    char buffer[PATH_MAX];
    if (::realpath(text.c_str(), buffer)) return std::string(buffer);
    return fail(system_error(errno, "lstat", path).with_prefix("evalsymlink failure on " + quoted(path) + " : "));
}

bool DiskFileSystem::is_dir(std::string_view path) const {
    struct stat st {};
    return ::stat(std::string(path).c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

bool DiskFileSystem::is_file(std::string_view path) const {
    struct stat st {};
    return ::stat(std::string(path).c_str(), &st) == 0 && S_ISREG(st.st_mode);
}

Result<std::vector<std::string>> DiskFileSystem::list(std::string_view dir) const {
    std::error_code error;
    std::filesystem::directory_iterator it(std::string(dir), error), end;
    std::vector<std::string> names;
    for (; !error && it != end; it.increment(error)) names.push_back(it->path().filename().string());
    if (error) return fail(system_error(error.value(), "open", dir));
    std::ranges::sort(names);
    return names;
}

Result<std::string> DiskFileSystem::read(std::string_view path) const {
    OpenFile file{std::string(path)};
    if (file.fd() < 0) return fail(system_error(errno, "open", path));
    struct stat st {};
    if (::fstat(file.fd(), &st) != 0) return fail(system_error(errno, "stat", path));
    if (S_ISDIR(st.st_mode)) return fail(ErrorCode::invalid, "read " + std::string(path) + ": is a directory");
    if (!S_ISREG(st.st_mode)) return fail(ErrorCode::invalid, "read " + std::string(path) + ": not a regular file");
    if (static_cast<std::size_t>(st.st_size) > max_file_bytes_)
        return fail(ErrorCode::too_large, quoted(path) + " has " + std::to_string(st.st_size) + " bytes, more than " +
                                              std::to_string(max_file_bytes_));
    std::string text(static_cast<std::size_t>(st.st_size), '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        ssize_t n = ::read(file.fd(), text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(system_error(errno, "read", path));
        if (n == 0) break; // it shrank meanwhile
        done += static_cast<std::size_t>(n);
    }
    text.resize(done);
    return text;
}

std::string DiskFileSystem::identity(std::string_view path) const {
    struct stat st {};
    if (::stat(std::string(path).c_str(), &st) != 0) return {};
    std::string id;
    for (auto part : {static_cast<long long>(st.st_dev), static_cast<long long>(st.st_ino),
                      static_cast<long long>(st.st_size), static_cast<long long>(st.st_mtim.tv_sec),
                      static_cast<long long>(st.st_mtim.tv_nsec), static_cast<long long>(st.st_ctim.tv_sec),
                      static_cast<long long>(st.st_ctim.tv_nsec)})
        id.append(std::to_string(part)).push_back(':');
    return id;
}

FileEntry DiskFileSystem::entry(std::string_view path) const {
    struct stat st {};
    if (::lstat(std::string(path).c_str(), &st) != 0) return errno == ENOENT || errno == ENOTDIR ? FileEntry::missing : FileEntry::unknown;
    if (S_ISDIR(st.st_mode)) return FileEntry::directory;
    if (S_ISREG(st.st_mode)) return FileEntry::file;
    return S_ISLNK(st.st_mode) ? FileEntry::link : FileEntry::other;
}

// ---- memory -----------------------------------------------------------------------------------------------------

void MemoryFileSystem::write(std::string_view path, std::string_view text) {
    files_.insert_or_assign(join_path("/", path), std::string(text));
}

Result<std::string> MemoryFileSystem::resolve(std::string_view path) const {
    std::string clean = join_path("/", path);
    if (is_file(clean) || is_dir(clean)) return clean;
    return fail(ErrorCode::not_found, "evalsymlink failure on " + quoted(path) + " : lstat " + clean + ": no such file or directory");
}

bool MemoryFileSystem::is_dir(std::string_view path) const {
    std::string clean = join_path("/", path);
    if (clean != "/") clean += '/';
    auto it = files_.lower_bound(clean);
    return it != files_.end() && it->first.starts_with(clean);
}

bool MemoryFileSystem::is_file(std::string_view path) const { return files_.contains(join_path("/", path)); }

Result<std::vector<std::string>> MemoryFileSystem::list(std::string_view dir) const {
    if (!is_dir(dir)) return fail(ErrorCode::not_found, "open " + std::string(dir) + ": no such file or directory");
    std::string prefix = join_path("/", dir);
    if (prefix != "/") prefix += '/';
    std::vector<std::string> names;
    for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix); ++it) {
        std::string_view rest = std::string_view(it->first).substr(prefix.size());
        std::string_view name = rest.substr(0, rest.find('/'));
        if (names.empty() || names.back() != name) names.emplace_back(name);
    }
    return names;
}

Result<std::string> MemoryFileSystem::read(std::string_view path) const {
    auto it = files_.find(join_path("/", path));
    if (it == files_.end()) return fail(ErrorCode::not_found, "open " + std::string(path) + ": no such file or directory");
    return it->second;
}

} // namespace weber::kustomize
