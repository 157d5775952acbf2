#include "gitops/source/git_cache.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "kube/base/digest.h"

namespace weber::gitops {

namespace stdfs = std::filesystem;

namespace {

constexpr std::size_t kMaxPacks = 100;
constexpr std::streamoff kChecksum = 20; // bytes of a SHA-1

// gitformat-pack(5): packs and indexes end with the SHA-1 of all that comes before. That checksum; nullopt when the file cannot be read or does not fit it.
std::optional<std::string> checked_end(const stdfs::path& file) {
    std::error_code ec;
    const auto size = static_cast<std::streamoff>(stdfs::file_size(file, ec));
    std::ifstream in(file, std::ios::binary);
    if (ec || !in || size < 2 * kChecksum) return std::nullopt;
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> sum(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestInit_ex(sum.get(), EVP_sha1(), nullptr);
    std::array<char, 1 << 16> buffer;
    for (std::streamoff left = size - kChecksum; left > 0;) {
        const auto part = std::min<std::streamoff>(left, buffer.size());
        if (!in.read(buffer.data(), part)) return std::nullopt;
        EVP_DigestUpdate(sum.get(), buffer.data(), static_cast<std::size_t>(part));
        left -= part;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> computed;
    EVP_DigestFinal_ex(sum.get(), computed.data(), nullptr);
    std::string stored(kChecksum, '\0');
    if (!in.read(stored.data(), kChecksum) || !std::equal(stored.begin(), stored.end(), reinterpret_cast<const char*>(computed.data()))) return std::nullopt;
    return stored;
}

// An index names the checksum of its pack before its own.
std::string pack_named_by(const stdfs::path& index) {
    std::ifstream in(index, std::ios::binary);
    in.seekg(-2 * kChecksum, std::ios::end);
    std::string out(kChecksum, '\0');
    in.read(out.data(), kChecksum);
    return out;
}

bool is_reference(const stdfs::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line.size() == 40 && line.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// What a killed process left behind. libgit2 writes packs under other names and renames them.
void remove_leftovers(const stdfs::path& repository) {
    std::vector<stdfs::path> leftovers;
    std::error_code ec;
    for (stdfs::recursive_directory_iterator it(repository, ec), end; !ec && it != end; it.increment(ec)) {
        if (!it->is_regular_file(ec)) continue;
        const stdfs::path& file = it->path();
        const bool in_packs = file.parent_path().filename() == "pack";
        const std::string kind = file.extension().string();
        const bool pack = kind == ".pack", index = kind == ".idx";
        if (kind == ".lock" || (in_packs && !pack && !index)) leftovers.push_back(file);
        else if (in_packs && !stdfs::exists(stdfs::path(file).replace_extension(pack ? ".idx" : ".pack"), ec)) leftovers.push_back(file);
    }
    for (const stdfs::path& file : leftovers) stdfs::remove(file, ec);
}

// Why the repository must go; "" when it may stay.
std::string trouble_with(const stdfs::path& repository, std::chrono::hours unused) {
    std::error_code ec;
    std::size_t packs = 0;
    auto newest = stdfs::last_write_time(repository, ec);
    if (!stdfs::is_regular_file(repository / "HEAD", ec)) return "it has no HEAD";
    for (stdfs::recursive_directory_iterator it(repository, ec), end; !ec && it != end; it.increment(ec)) {
        if (!it->is_regular_file(ec)) continue;
        const stdfs::path& file = it->path();
        newest = std::max(newest, stdfs::last_write_time(file, ec));
        const std::string inside = file.lexically_relative(repository).generic_string();
        if (inside.starts_with("refs/") && !is_reference(file)) return inside + " is damaged";
        if (!inside.ends_with(".pack")) continue;
        ++packs;
        const stdfs::path index = stdfs::path(file).replace_extension(".idx");
        const auto pack = checked_end(file);
        if (!pack || !checked_end(index) || pack_named_by(index) != *pack) return inside + " is damaged";
    }
    if (ec) return ec.message();
    if (packs > kMaxPacks) return "it has " + std::to_string(packs) + " packs";
    return stdfs::file_time_type::clock::now() - newest > unused ? "it was not used for long" : "";
}

// Out of the way in one step: nobody finds half a repository.
void remove_repository(const stdfs::path& repository) {
    const stdfs::path gone = repository.string() + ".gone";
    std::error_code ec;
    stdfs::remove_all(gone, ec);
    stdfs::rename(repository, gone, ec);
    stdfs::remove_all(ec ? repository : gone, ec);
}

} // namespace

std::string git_cache_path(const std::string& cache_dir, const std::string& url) { return cache_dir + "/" + kube::sha256_hex(url).substr(0, 32) + ".git"; }

std::vector<std::string> verify_git_caches(const std::string& cache_dir, std::chrono::hours unused) {
    std::vector<stdfs::path> repositories;
    std::vector<std::string> removed;
    std::error_code ec;
    for (stdfs::directory_iterator it(cache_dir, ec), end; !ec && it != end; it.increment(ec))
        if (it->is_directory(ec)) repositories.push_back(it->path());
    for (const stdfs::path& repository : repositories) {
        if (repository.extension() == ".gone") {
            stdfs::remove_all(repository, ec);
            continue;
        }
        remove_leftovers(repository);
        const std::string why = trouble_with(repository, unused);
        if (why.empty()) continue;
        remove_repository(repository);
        removed.push_back(repository.filename().string() + ": " + why);
    }
    return removed;
}

void drop_git_cache(const std::string& cache_dir, const std::string& url) { remove_repository(git_cache_path(cache_dir, url)); }

} // namespace weber::gitops
