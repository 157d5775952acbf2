#include "gitops/source/storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "gitops/source/artifact.h"
#include "kube/base/ascii.h"

namespace weber::gitops {

namespace stdfs = std::filesystem;

namespace {

constexpr std::size_t kMaxFilesLookedAt = 1000;

std::string folder_of(const std::string& kind, const NamespacedName& name) { return kube::ascii_lower(kind) + "/" + name.ns + "/" + name.name; }

// "" when it is not a regular file.
std::string identity_of(const std::string& path) {
    struct stat st {};
    if (::lstat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) return {};
    return std::to_string(st.st_ino) + ":" + std::to_string(st.st_size) + ":" + std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec);
}

std::string base_url(std::string advertised) {
    if (!advertised.starts_with("http://") && !advertised.starts_with("https://")) advertised = "http://" + advertised;
    while (advertised.ends_with('/')) advertised.pop_back();
    return advertised;
}

std::unexpected<Error> io_error(std::string_view what, const std::string& path) {
    return fail(ErrorCode::internal, std::string(what) + ": " + std::strerror(errno), {path, 0, 0});
}

Result<void> write_whole(const std::string& path, std::string_view bytes) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return io_error("cannot create the file", path);
    Result<void> result;
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            result = io_error("cannot write the file", path);
            break;
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    if (result && ::fsync(fd) != 0) result = io_error("cannot write the file", path);
    ::close(fd);
    if (!result) ::unlink(path.c_str());
    return result;
}

// A status is anybody's who may write it: its path must not lead out of the storage.
bool is_inside(const std::string& path) {
    return !path.empty() && path.front() != '/' && path.find("..") == std::string::npos;
}

void set_text(Node& map, std::string_view key, const std::string& value) {
    if (!value.empty()) map.set(key, Node::string(value));
}

} // namespace

std::optional<Artifact> read_artifact(const Object& source) {
    const Node* a = source.at({"status", "artifact"});
    if (a == nullptr || !a->is_map()) return std::nullopt;
    Artifact out{std::string(a->text_at("digest")), std::string(a->text_at("lastUpdateTime")), std::string(a->text_at("path")),
                 std::string(a->text_at("revision")), std::string(a->text_at("url")), 0, {}};
    if (const Node* size = a->find("size")) out.size = size->as_int().value_or(0);
    if (const Node* metadata = a->find("metadata"))
        for (const auto& [key, value] : metadata->entries()) out.metadata.emplace(key.str(), value.text());
    return out;
}

Node write_artifact(const Artifact& a) {
    Node out = Node::map();
    set_text(out, "digest", a.digest);
    set_text(out, "lastUpdateTime", a.last_update_time);
    if (!a.metadata.empty()) {
        Node& metadata = out.set("metadata", Node::map());
        for (const auto& [key, value] : a.metadata) metadata.set(key, Node::string(value));
    }
    set_text(out, "path", a.path);
    set_text(out, "revision", a.revision);
    out.set("size", Node::integer(a.size));
    set_text(out, "url", a.url);
    return out;
}

ArtifactStorage::ArtifactStorage(std::string root, std::string advertised, std::string digest_algorithm)
    : root_(std::move(root)), base_url_(base_url(std::move(advertised))), digest_algorithm_(std::move(digest_algorithm)) {}

std::string ArtifactStorage::url_of(const std::string& path) const { return base_url_ + "/" + path; }

ArtifactStorage::Check ArtifactStorage::check(const Artifact& artifact) {
    const std::string path = root_ + "/" + artifact.path;
    const std::string identity = identity_of(path);
    if (!is_inside(artifact.path) || identity.empty()) return Check::missing;
    const std::string mark = identity + " " + artifact.digest;
    {
        const std::lock_guard lock(mutex_);
        if (const auto it = known_.find(artifact.path); it != known_.end() && it->second == mark) return Check::good;
    }
    const auto bytes = read(artifact);
    if (!bytes) return Check::missing;
    if (!verify_artifact(*bytes, artifact.digest)) return Check::corrupted;
    const std::lock_guard lock(mutex_);
    known_[artifact.path] = mark;
    return Check::good;
}

Result<std::string> ArtifactStorage::read(const Artifact& artifact) const {
    const std::string path = root_ + "/" + artifact.path;
    if (!is_inside(artifact.path)) return fail(ErrorCode::not_found, "cannot read the artifact", {path, 0, 0});
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return fail(ErrorCode::not_found, "cannot read the artifact", {path, 0, 0});
    return std::move(text).str();
}

Result<Artifact> ArtifactStorage::store(const std::string& kind, const NamespacedName& name, const std::string& file, const std::string& revision,
                                        std::string_view bytes, kube::SystemTime now) {
    const std::string relative = folder_of(kind, name) + "/" + file;
    const std::string target = root_ + "/" + relative;
    std::error_code ec;
    stdfs::create_directories(stdfs::path(target).parent_path(), ec);
    if (ec) return fail(ErrorCode::internal, "cannot make the folder: " + ec.message(), {target, 0, 0});
    stdfs::permissions(stdfs::path(target).parent_path(), stdfs::perms::owner_all, ec);
    const std::string temporary = target + ".new";
    TRY_VOID(write_whole(temporary, bytes));
    if (::rename(temporary.c_str(), target.c_str()) != 0) return io_error("cannot put the artifact in place", target);
    Artifact out{artifact_digest(bytes, digest_algorithm_), kube::format_rfc3339(now), relative, revision, url_of(relative), static_cast<std::int64_t>(bytes.size()), {}};
    const std::lock_guard lock(mutex_);
    known_[relative] = identity_of(target) + " " + out.digest;
    return out;
}

std::size_t ArtifactStorage::collect_garbage(const Artifact& current, kube::SystemTime now, std::chrono::seconds ttl, std::size_t records) {
    struct Old {
        std::string path;
        std::chrono::system_clock::time_point written;
    };
    std::vector<Old> old;
    if (!is_inside(current.path)) return 0;
    const stdfs::path folder = stdfs::path(root_ + "/" + current.path).parent_path();
    std::error_code ec;
    std::size_t looked_at = 0;
    for (stdfs::directory_iterator it(folder, ec), end; !ec && it != end && looked_at < kMaxFilesLookedAt; it.increment(ec), ++looked_at) {
        struct stat st {};
        if (::lstat(it->path().c_str(), &st) != 0 || !S_ISREG(st.st_mode) || it->path() == root_ + "/" + current.path) continue;
        old.push_back({it->path().string(), std::chrono::system_clock::from_time_t(st.st_mtim.tv_sec)});
    }
    std::ranges::sort(old, std::greater<>(), &Old::written); // newest first
    std::size_t kept = 1, removed = 0;                       // the current one counts
    for (const Old& o : old) {
        if (now - o.written <= ttl && kept < records) {
            ++kept;
            continue;
        }
        removed += ::unlink(o.path.c_str()) == 0 ? 1 : 0;
        const std::lock_guard lock(mutex_);
        known_.erase(stdfs::path(o.path).lexically_relative(root_).generic_string());
    }
    return removed;
}

Result<bool> ArtifactStorage::remove(const std::string& kind, const NamespacedName& name) {
    const std::string folder = folder_of(kind, name);
    std::error_code ec;
    const bool there = stdfs::remove_all(root_ + "/" + folder, ec) > 0;
    if (ec) return fail(ErrorCode::internal, "cannot remove the artifacts: " + ec.message(), {root_ + "/" + folder, 0, 0});
    const std::lock_guard lock(mutex_);
    std::erase_if(known_, [&](const auto& k) { return k.first.starts_with(folder + "/"); });
    return there;
}

void ArtifactStorage::remove_file(const Artifact& artifact) {
    if (!is_inside(artifact.path)) return;
    ::unlink((root_ + "/" + artifact.path).c_str());
    const std::lock_guard lock(mutex_);
    known_.erase(artifact.path);
}

} // namespace weber::gitops
