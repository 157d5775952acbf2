#include "gitops/source/artifact.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <set>
#include <vector>

#include "kube/base/blake3.h"
#include "kube/base/digest.h"

namespace weber::gitops {

namespace {

constexpr std::size_t kBlock = 512;

// ---- gzip --------------------------------------------------------------------------------------------------------

// 16: a gzip header, which zlib leaves without name and time.
constexpr int kGzip = 15 + 16;

std::string compress(std::string_view bytes) {
    z_stream z{};
    deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&z, bytes.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, Z_FINISH);
    out.erase(z.total_out);
    deflateEnd(&z);
    return out;
}

Result<std::string> decompress(std::string_view bytes, std::size_t limit) {
    z_stream z{};
    inflateInit2(&z, kGzip);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    std::string out;
    int code = Z_OK;
    while (code == Z_OK && out.size() <= limit) {
        const std::size_t have = out.size();
        out.resize(have + std::max<std::size_t>(64u << 10, have / 2));
        z.next_out = reinterpret_cast<Bytef*>(out.data() + have);
        z.avail_out = static_cast<uInt>(out.size() - have);
        code = inflate(&z, Z_NO_FLUSH);
        out.erase(out.size() - z.avail_out);
        if (code == Z_BUF_ERROR) break; // the input ended too early
    }
    inflateEnd(&z);
    if (out.size() > limit) return fail(ErrorCode::too_large, "the artifact unpacks to more than " + std::to_string(limit) + " bytes");
    if (code != Z_STREAM_END) return fail(ErrorCode::invalid, "the artifact is no gzip file, or is truncated");
    return out;
}

// ---- tar: writing ------------------------------------------------------------------------------------------------

void put_octal(char* field, std::size_t width, std::uint64_t value) {
    for (std::size_t i = width - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
}

void put_header(std::string& out, std::string_view name, std::string_view prefix, std::size_t size, int mode, char type) {
    std::array<char, kBlock> h{};
    std::memcpy(h.data(), name.data(), name.size());
    put_octal(h.data() + 100, 8, static_cast<std::uint64_t>(mode));
    put_octal(h.data() + 108, 8, 0);
    put_octal(h.data() + 116, 8, 0);
    put_octal(h.data() + 124, 12, size);
    put_octal(h.data() + 136, 12, 0);
    std::memset(h.data() + 148, ' ', 8);
    h[156] = type;
    std::memcpy(h.data() + 257, "ustar\0" "00", 8);
    if (!prefix.empty()) std::memcpy(h.data() + 345, prefix.data(), prefix.size());
    unsigned sum = 0;
    for (char c : h) sum += static_cast<unsigned char>(c);
    put_octal(h.data() + 148, 7, sum);
    out.append(h.data(), h.size());
}

void put_content(std::string& out, std::string_view content) {
    out.append(content);
    while (out.size() % kBlock != 0) out.push_back('\0'); // entries begin at whole blocks
}

// "<length> path=<name>\n", where the length counts itself.
std::string pax_path(std::string_view name) {
    const std::string rest = " path=" + std::string(name) + "\n";
    std::size_t length = rest.size() + 1;
    while (length != rest.size() + std::to_string(length).size()) length = rest.size() + std::to_string(length).size();
    return std::to_string(length) + rest;
}

void put_entry(std::string& out, const std::string& path, std::string_view content, int mode, char type) {
    if (path.size() <= 100) {
        put_header(out, path, {}, content.size(), mode, type);
    } else if (const std::size_t slash = path.find('/', path.size() - 101); slash != path.npos && slash <= 155 && slash + 1 < path.size()) {
        put_header(out, std::string_view(path).substr(slash + 1), std::string_view(path).substr(0, slash), content.size(), mode, type);
    } else {
        const std::string record = pax_path(path);
        put_header(out, "PaxHeaders.0/long", {}, record.size(), 0644, 'x');
        put_content(out, record);
        put_header(out, std::string_view(path).substr(0, 100), {}, content.size(), mode, type);
    }
    put_content(out, content);
}

// ---- tar: reading ------------------------------------------------------------------------------------------------

std::string_view field(std::string_view header, std::size_t at, std::size_t width) {
    const std::string_view f = header.substr(at, width);
    return f.substr(0, f.find('\0'));
}

std::optional<std::uint64_t> octal(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    return code == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// `path` and `size` of a PAX record list; anything else is of no use here.
struct Pending { // of the entry that follows
    std::string name = {};
    bool has_size = false;
    std::uint64_t size = 0;
};
void read_pax(std::string_view records, Pending& next) {
    while (!records.empty()) {
        std::size_t length = 0;
        const auto [end, code] = std::from_chars(records.data(), records.data() + records.size(), length);
        if (code != std::errc() || length == 0 || length > records.size()) return;
        std::string_view record = records.substr(0, length);
        records.remove_prefix(length);
        record.remove_prefix(std::min<std::size_t>(static_cast<std::size_t>(end - record.data()) + 1, record.size()));
        if (record.ends_with('\n')) record.remove_suffix(1);
        if (record.starts_with("path=")) next.name = record.substr(5);
        if (record.starts_with("size=")) {
            std::uint64_t value = 0;
            if (std::from_chars(record.data() + 5, record.data() + record.size(), value).ec != std::errc()) continue;
            next.has_size = true;
            next.size = value;
        }
    }
}

// Relative and clean: "./a//b/" is "a/b". nullopt: absolute, or with "..".
std::optional<std::string> clean_name(std::string_view name) {
    if (name.starts_with('/')) return std::nullopt;
    std::string out;
    while (!name.empty()) {
        const std::size_t slash = std::min(name.find('/'), name.size());
        const std::string_view part = name.substr(0, slash);
        name.remove_prefix(std::min(slash + 1, name.size()));
        if (part == "..") return std::nullopt;
        if (part.empty() || part == ".") continue;
        out += (out.empty() ? "" : "/") + std::string(part);
    }
    return out;
}

struct Span {
    std::size_t offset = 0, size = 0;
};

struct Listing {
    std::map<std::string, Span, std::less<>> files;
    TreeFileSystem::Dirs dirs;
};

Result<Listing> read_tar(std::string_view tar, std::size_t max_files) {
    Listing out;
    Pending pending;
    for (std::size_t at = 0; at + kBlock <= tar.size();) {
        const std::string_view header = tar.substr(at, kBlock);
        if (header.find_first_not_of('\0') == header.npos) break; // the end
        const auto own_size = octal(field(header, 124, 12));
        if (!own_size) return fail(ErrorCode::invalid, "the artifact holds a malformed tar header");
        const std::uint64_t size = pending.has_size ? pending.size : *own_size;
        at += kBlock;
        if (size > tar.size() - at) return fail(ErrorCode::invalid, "the artifact's tar file is truncated");
        const std::string_view content = tar.substr(at, size);
        const Span span{at, static_cast<std::size_t>(size)};
        at += (size + kBlock - 1) / kBlock * kBlock;
        const char type = header[156];
        if (type == 'x' || type == 'L') {
            if (type == 'x') read_pax(content, pending);
            else pending.name = content.substr(0, content.find('\0'));
            continue;
        }
        if (type == 'g') continue;
        const std::string_view prefix = header.substr(257, 5) == "ustar" ? field(header, 345, 155) : std::string_view();
        const std::string raw = !pending.name.empty() ? pending.name : (prefix.empty() ? "" : std::string(prefix) + "/") + std::string(field(header, 0, 100));
        pending = {};
        const auto name = clean_name(raw);
        if (!name) return fail(ErrorCode::invalid, "the artifact holds a path that leaves its root: '" + raw + "'");
        if (name->empty()) continue;
        if (type == '5') out.dirs.insert(*name);
        if (type == '0' || type == '\0') out.files[*name] = span; // links and devices are skipped
        if (out.files.size() + out.dirs.size() > max_files) return fail(ErrorCode::too_large, "the artifact holds more than " + std::to_string(max_files) + " files");
    }
    return out;
}

// As a walk has it that takes a directory's names in byte order: "a" and what is below come before "a-b".
bool walked_before(std::string_view a, std::string_view b) {
    const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
    return std::ranges::lexicographical_compare(a, b, {}, rank, rank);
}

TreeFileSystem::Dirs dirs_of(const std::map<std::string, TreeFileSystem::File, std::less<>>& files) {
    TreeFileSystem::Dirs dirs;
    for (const auto& [path, file] : files)
        for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) dirs.insert(path.substr(0, slash));
    return dirs;
}

} // namespace

Result<std::string> pack_artifact(const Snapshot& snapshot) {
    std::string tar;
    put_entry(tar, ".", {}, 0750, '5');
    const auto& files = snapshot.fs->files();
    const TreeFileSystem::Dirs dirs = snapshot.fs->dirs() ? *snapshot.fs->dirs() : dirs_of(files);
    std::vector<std::string> paths(dirs.begin(), dirs.end());
    for (const auto& [path, file] : files) paths.push_back(path);
    std::ranges::sort(paths, walked_before);
    for (const std::string& path : paths) {
        const auto file = files.find(path);
        if (file == files.end()) {
            put_entry(tar, path, {}, 0750, '5');
            continue;
        }
        TRY(const std::string content, snapshot.fs->read(snapshot.fs->mount() + "/" + path));
        put_entry(tar, path, content, file->second.executable ? 0700 : 0600, '0');
    }
    tar.append(2 * kBlock, '\0');
    return compress(tar);
}

Result<Snapshot> unpack_artifact(std::string_view tar_gz, std::string revision, const UnpackLimits& limits) {
    TRY(const std::string bytes, decompress(tar_gz, limits.bytes));
    TRY(Listing listing, read_tar(bytes, limits.files));
    const auto& spans = listing.files;
    // Contents alone are kept: of many small files, headers and padding are the larger part.
    std::size_t total = 0;
    for (const auto& [path, span] : spans) total += span.size;
    auto contents = std::make_shared<std::string>();
    contents->reserve(total);
    std::map<std::string, TreeFileSystem::File, std::less<>> files;
    for (const auto& [path, span] : spans) {
        const std::string_view content = std::string_view(bytes).substr(span.offset, span.size);
        files[path] = {.id = kube::sha1_hex(content), .size = span.size, .offset = contents->size()};
        contents->append(content);
    }
    auto reader = [contents = std::shared_ptr<const std::string>(std::move(contents))](const std::string&, const TreeFileSystem::File& file) -> Result<std::string> {
        return contents->substr(file.offset, file.size);
    };
    return Snapshot{std::make_shared<const TreeFileSystem>(std::string(kSourceMount), std::move(files), std::move(reader), std::move(listing.dirs)), std::move(revision)};
}

namespace {

std::string hex_of(const EVP_MD* algorithm, std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned length = 0;
    EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, algorithm, nullptr);
    return kube::hex_encode({reinterpret_cast<const char*>(out.data()), length});
}

// "" for an algorithm that is none of them.
std::string digest_hex(std::string_view algorithm, std::string_view bytes) {
    if (algorithm == "sha256") return hex_of(EVP_sha256(), bytes);
    if (algorithm == "sha384") return hex_of(EVP_sha384(), bytes);
    if (algorithm == "sha512") return hex_of(EVP_sha512(), bytes);
    return algorithm == "blake3" ? kube::blake3_hex(bytes) : "";
}

} // namespace

std::span<const std::string> digest_algorithms() {
    static const std::array<std::string, 4> all{"sha256", "sha384", "sha512", "blake3"};
    return all;
}

std::string artifact_digest(std::string_view bytes, std::string_view algorithm) { return std::string(algorithm) + ":" + digest_hex(algorithm, bytes); }

Result<void> verify_artifact(std::string_view bytes, std::string_view digest) {
    if (digest.empty()) return fail(ErrorCode::invalid, "failed to verify archive: empty digest");
    const std::size_t colon = digest.find(':');
    const std::string algorithm(colon == digest.npos ? "sha256" : digest.substr(0, colon));
    const std::string hex = digest_hex(algorithm, bytes);
    if (hex.empty()) return fail(ErrorCode::unsupported, "failed to verify archive: failed to parse digest '" + std::string(digest) + "': unsupported digest algorithm");
    if (hex == digest.substr(colon == digest.npos ? 0 : colon + 1)) return {};
    return fail(ErrorCode::invalid, "failed to verify archive: computed digest doesn't match provided '" + std::string(digest) +
                                        "' (check whether file size exceeds max download size)");
}

} // namespace weber::gitops
