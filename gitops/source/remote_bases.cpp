#include "gitops/source/remote_bases.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "gitops/source/http_file.h"
#include "gitops/source/repository_files.h"

namespace weber::gitops {

namespace stdfs = std::filesystem;
using kustomize::RemoteTree;
using kustomize::RepoUrl;
using kustomize::shown_url;

namespace {

constexpr std::size_t kMaxSubmoduleDepth = 10;

// A path or file://: a submodule must not point there (git: protocol.file.allow).
bool is_local(std::string_view url) {
    if (url.starts_with("file:")) return true;
    return url.find("://") == std::string_view::npos && url.find(':') == std::string_view::npos;
}

// Position and URL of what went wrong are for the build to say: it knows the entry.
Error about(Error error, const std::string& url) {
    error.where = {};
    if (error.code == ErrorCode::unauthorized)
        error.hint = "give user and token in the URL (https://USER:TOKEN@HOST/…), or for ssh a key in the ssh agent and the host in known_hosts";
    else if (error.code == ErrorCode::timeout)
        error.hint = "is " + shown_url(url) + " reachable? ?timeout=120 at the end of its URL gives it more time";
    else if (error.code == ErrorCode::not_found && error.hint.empty())
        error.hint = "check the URL";
    return error;
}

} // namespace

RemoteBases::RemoteBases(RemoteBaseSettings settings) : settings_(std::move(settings)) {}

RemoteBases::~RemoteBases() {
    std::error_code ignored;
    if (!temporary_.empty()) stdfs::remove_all(temporary_, ignored);
}

std::shared_ptr<RemoteBases::Slot> RemoteBases::slot(const std::string& url) {
    const std::lock_guard lock(mutex_);
    auto& slot = slots_[url];
    if (!slot) slot = std::make_shared<Slot>();
    return slot;
}

Result<std::string> RemoteBases::directory() {
    if (!settings_.cache_dir.empty()) return settings_.cache_dir;
    const std::lock_guard lock(mutex_);
    if (temporary_.empty()) {
        std::string pattern = (stdfs::temp_directory_path() / "weber-remote-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) return fail(ErrorCode::unavailable, "cannot make a directory: " + pattern);
        temporary_ = std::move(pattern);
    }
    return temporary_;
}

Result<std::string> RemoteBases::fetch_file(std::string_view url) {
    const std::string whole(url);
    const auto kept = slot(whole);
    const std::lock_guard lock(kept->mutex);
    if (kept->file) return *kept->file;
    const auto timeout = std::min(kustomize::timeout_of_url(url).value_or(settings_.file_timeout), settings_.max_timeout);
    auto text = get_http_file(whole, {.timeout = timeout, .max_bytes = settings_.max_file_bytes, .stop = settings_.stop});
    if (!text) return fail(about(std::move(text.error()), whole));
    if (settings_.keep_answers) kept->file = std::make_shared<const std::string>(*text);
    return text;
}

Result<Fetched> RemoteBases::fetch_commit(const std::string& url, const std::string& revision, const std::string& cache_dir,
                                          std::chrono::milliseconds timeout) {
    const auto kept = slot(url);
    const std::lock_guard lock(kept->mutex);
    if (const auto it = kept->commits.find(revision); it != kept->commits.end()) return it->second;
    TRY(Fetched fetched, fetch({.url = url, .revision = revision, .cache_dir = cache_dir, .max_bytes = settings_.max_repository_bytes, .timeout = timeout,
                                .stop = settings_.stop}));
    if (settings_.keep_answers) kept->commits.emplace(revision, fetched);
    return fetched;
}

// A repository and its submodules, fetched one after the other until the deadline.
class RemoteBases::Checkout {
public:
    Checkout(RemoteBases& owner, std::string cache_dir, std::chrono::milliseconds timeout)
        : owner_(owner), cache_dir_(std::move(cache_dir)), deadline_(std::chrono::steady_clock::now() + timeout) {}

    Result<void> add(const std::string& url, const std::string& revision, const std::string& prefix, bool submodules, std::size_t depth) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
        TRY(const Fetched fetched, owner_.fetch_commit(url, revision, cache_dir_, std::max(left, std::chrono::milliseconds(1))));
        auto store = std::make_shared<RepositoryFiles::Store>();
        TRY(store->repo, git::open_repository(fetched.repository));
        TRY(const auto found, files_->add(std::move(store), fetched.commit, prefix, owner_.settings_.max_files));
        if (!submodules || found.empty()) return {};
        return add_submodules(url, found, prefix, depth);
    }

    RemoteTree tree() { return {std::move(files_), std::string(kRepositoryMount)}; }

private:
    Result<void> add_submodules(const std::string& url, const std::vector<RepositoryFiles::Submodule>& found, const std::string& prefix, std::size_t depth) {
        if (depth >= kMaxSubmoduleDepth) return fail(ErrorCode::too_large, "submodules are nested more than " + std::to_string(kMaxSubmoduleDepth) + " deep");
        const std::string base = prefix.empty() ? "" : prefix + "/";
        const auto text = files_->read(std::string(kRepositoryMount) + "/" + base + ".gitmodules");
        const std::vector<SubmoduleSource> sources = text ? read_gitmodules(*text) : std::vector<SubmoduleSource>();
        for (const RepositoryFiles::Submodule& submodule : found) {
            const auto source = std::ranges::find_if(sources, [&](const SubmoduleSource& s) { return base + s.path == submodule.path; });
            const auto bad = [&](ErrorCode code, const std::string& why) { return fail(code, "submodule '" + submodule.path + "': " + why); };
            if (source == sources.end() || source->url.empty()) return bad(ErrorCode::invalid, "no url found in .gitmodules");
            if (++submodules_ > owner_.settings_.max_submodules)
                return bad(ErrorCode::too_large, "the repository has more than " + std::to_string(owner_.settings_.max_submodules));
            const std::string from = submodule_url(url, source->url);
            if (is_local(from)) return bad(ErrorCode::forbidden, "transport 'file' not allowed");
            auto added = add(from, submodule.commit, submodule.path, true, depth + 1);
            if (!added) return fail(std::move(added.error()).with_prefix("submodule '" + submodule.path + "': "));
        }
        return {};
    }

    RemoteBases& owner_;
    const std::string cache_dir_;
    const std::chrono::steady_clock::time_point deadline_;
    std::shared_ptr<RepositoryFiles> files_ = std::make_shared<RepositoryFiles>();
    std::size_t submodules_ = 0;
};

Result<RemoteTree> RemoteBases::fetch_repository(const RepoUrl& url) {
    if (!settings_.local_repositories && is_local(url.clone))
        return fail(Error{.code = ErrorCode::forbidden, .message = "repositories on the local disk are not cloned here", .hint = "name the repository by https or ssh"});
    const std::string state = url.clone + "\n" + url.ref + (url.submodules ? "\ns" : "\n");
    {
        const std::lock_guard lock(mutex_);
        if (const auto it = trees_.find(state); it != trees_.end()) return it->second;
    }
    TRY(std::string cache_dir, directory());
    Checkout checkout(*this, std::move(cache_dir), std::min(url.timeout, settings_.max_timeout));
    if (auto done = checkout.add(url.clone, url.ref, "", url.submodules, 0); !done) return fail(about(std::move(done.error()), url.clone));
    RemoteTree tree = checkout.tree();
    const std::lock_guard lock(mutex_);
    return settings_.keep_answers ? trees_.try_emplace(state, std::move(tree)).first->second : tree;
}

} // namespace weber::gitops
