// Reads files for one kustomization directory and keeps paths where they belong: kustomize's file loader.
//
// A loader belongs to one directory (its root) and knows who asked for it, so that cycles are seen. Thread-safety: none,
// except for ParseCache, which may be shared by builds on several threads.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kustomize/file_system.h"
#include "kustomize/remote.h"

namespace weber::kustomize {

enum class LoadRestrictions : std::uint8_t {
    root_only, // files must lie in or below the kustomization's directory
    none,
};

// The documents of a YAML file, shared and never changed.
using Documents = std::shared_ptr<const std::vector<Node>>;

// How a file's YAML is read, as kustomize does it.
enum class YamlKind : std::uint8_t {
    manifest,      // go-yaml v3: objects, patches
    kustomization, // go-yaml v2: yes and on are booleans, a repeated key is accepted and the last one counts
};

// Rare things a text may hold, which the end of a build must look for: unquoted dates, which it rewrites, numbers like .inf,
// which it refuses, folded blocks, and entries inside braces, whose values may be missing.
struct Oddities {
    bool dates = false, infinities = false, folded = false, braces = false;
    Oddities& operator|=(const Oddities& o) {
        dates |= o.dates;
        infinities |= o.infinities;
        folded |= o.folded;
        braces |= o.braces;
        return *this;
    }
};

// A file as builds share it: parsed, or its text.
struct SharedFile {
    Documents documents;
    std::shared_ptr<const std::string> text;
    Oddities oddities = {};
    std::size_t bytes = 0; // of the text
};

// Files by path and identity (FileSystem::identity), so that a base used by many overlays, or by many builds of one process, is
// read and parsed once. Bounded: beyond `max_bytes` of file text the oldest entries go. Thread-safe.
class ParseCache {
public:
    explicit ParseCache(std::size_t max_bytes = 256u << 20) : max_bytes_(max_bytes) {}
    // The file of that key: known, or made by `make` on one thread while others that want the same wait for it. What fails, or is
    // larger than the cache, is not kept: whoever asks next tries again. `make` must not ask this cache.
    Result<SharedFile> get(const std::string& key, const std::function<Result<SharedFile>()>& make);

private:
    void keep(const std::string& key, const SharedFile& file); // the caller holds the lock

    std::size_t max_bytes_;
    std::mutex mutex_; // guards all below
    std::condition_variable made_;
    std::unordered_set<std::string> making_;
    std::unordered_map<std::string, SharedFile> entries_;
    std::vector<std::string> order_; // keys by age; oldest at `oldest_`
    std::size_t oldest_ = 0;
    std::size_t bytes_ = 0;
};

// What the loaders of one build share.
struct LoadContext {
    const FileSystem& fs;
    LoadRestrictions restrictions = LoadRestrictions::root_only;
    ParseCache* cache = nullptr;               // may be null
    RemoteFetcher* remote = nullptr;           // may be null: then URLs are errors
    std::vector<std::string> files_read = {};  // resolved paths, in order of first reading
    Oddities oddities = {}; // of all files read
    std::size_t documents_left = 1'000'000; // YAML documents that may still be read
    // Of this build: resolved path → documents, whatever the file system can say about identity.
    std::unordered_map<std::string, Documents> documents = {};
    std::unordered_set<std::string> given_away = {}; // places whose documents were
    std::unordered_map<std::string, std::shared_ptr<const std::string>> texts = {};
    std::unordered_map<std::string, std::shared_ptr<const RemoteTree>> repositories = {}; // by clone URL, ref and submodules
};

class Loader {
public:
    // A loader for the directory a build starts from, or for a git URL. Fails when `path` is neither.
    static Result<Loader> start(LoadContext& context, std::string_view path);
    // A loader for a directory, or a git URL, named in this one's kustomization. Fails for absolute paths, files, missing directories,
    // directories that contain one already being built ("cycle detected: …"), and directories outside of a fetched repository.
    [[nodiscard]] Result<Loader> descend(std::string_view path) const;

    [[nodiscard]] const std::string& root() const { return root_; }
    // A path as written in the kustomization → its resolved place, allowed and a file. An http URL stays as it is.
    [[nodiscard]] Result<std::string> locate(std::string_view path) const;
    // Does the path name a directory (whoever may read it)?
    [[nodiscard]] bool is_dir(std::string_view path) const;
    // Text of a file. The pointer may be shared.
    [[nodiscard]] Result<std::shared_ptr<const std::string>> load(std::string_view path) const;
    // YAML documents of a file; null documents are left in.
    [[nodiscard]] Result<Documents> load_documents(std::string_view path, YamlKind kind = YamlKind::manifest) const;
    // The same of a manifest, for who changes them. In the directory a build starts from, which nothing else of the build can name, and without a cache they
    // are given away, not kept: what nobody shares is changed in place. (Listed there a second time, or below it once more, the file is read again and kept.)
    [[nodiscard]] Result<std::vector<Node>> take_documents(std::string_view path) const;

    [[nodiscard]] LoadContext& context() const { return *context_; }
    // The files this loader's directory is in: the build's, or those of a fetched repository.
    [[nodiscard]] const FileSystem& files() const { return *files_; }
    // How messages and caches name a resolved place: as it is, or behind the repository's URL.
    [[nodiscard]] std::string display(std::string_view place) const;

private:
    // Names a place among all of one build: two states of one repository are apart.
    [[nodiscard]] std::string key_of(std::string_view place) const;

    Loader(LoadContext& context, const FileSystem& files, std::string root, const Loader* referrer)
        : context_(&context), files_(&files), root_(std::move(root)), referrer_(referrer) {}

    static Result<Loader> fetch(LoadContext& context, const RepoUrl& url, const Loader* referrer);
    [[nodiscard]] Result<std::string> read(const std::string& place) const;
    // A file's YAML, and the text it was read from; `text` may be null: it is read.
    [[nodiscard]] Result<std::vector<Node>> parse(const std::string& place, YamlKind kind, std::shared_ptr<const std::string>& text) const;
    // Counts what a file brought: documents, rare things, and its name.
    [[nodiscard]] Result<void> note(const std::string& name, std::size_t documents, const Oddities& oddities, bool first_reading) const;
    // From the cache when there is one and the file has an identity; else made anew.
    [[nodiscard]] Result<SharedFile> shared(const std::string& place, std::string_view form, const std::function<Result<SharedFile>()>& make) const;

    LoadContext* context_;
    const FileSystem* files_; // the context's, or those of a repository the context holds
    std::string root_;
    std::string repository_;      // what was cloned, for messages; "" for local directories
    std::string repository_ref_;
    std::string repository_root_; // bases and files stay below it
    std::string url_;             // as written, of a loader made from a URL
    const Loader* referrer_; // outlives this one: a directory is built inside the build of its referrer
};

// Names that look like a remote base or file: a URL, or git@host:path, git::…, github.com/…
[[nodiscard]] bool looks_remote(std::string_view path);

} // namespace weber::kustomize
