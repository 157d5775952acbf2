#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "gitops/source/git_cache.h"
#include "gitops/source/git_http.h"
#include "gitops/source/git_library.h"
#include "gitops/source/known_hosts.h"
#include "gitops/source/open.h"
#include "gitops/source/semver.h"
#include "gitops/source/ssh_methods.h"
#include "kube/base/join.h"

namespace weber::gitops {

namespace stdfs = std::filesystem;
using namespace git;

namespace {

// One fetch. libgit2's callbacks get a pointer to it.
struct Operation {
    FetchOptions options;
    HttpContext http = {};
    int credential_tries = 0;
    bool too_large = false;
    std::string refused_host = {}; // why the host key was not accepted

    [[nodiscard]] bool over_http() const { return options.url.starts_with("http://") || options.url.starts_with("https://"); }
};

int on_transport(git_transport** out, git_remote* owner, void* payload) {
    auto& op = *static_cast<Operation*>(payload);
    return http_transport(out, owner, &op.http);
}

int on_progress(const git_indexer_progress* progress, void* payload) {
    auto& op = *static_cast<Operation*>(payload);
    op.too_large = op.options.max_bytes != 0 && progress->received_bytes > op.options.max_bytes;
    op.http.timed_out = std::chrono::steady_clock::now() > op.http.deadline;
    op.http.cancelled = op.options.stop.stop_requested();
    return op.http.timed_out || op.http.cancelled || op.too_large ? GIT_EUSER : 0;
}

int on_credentials(git_credential** out, const char*, const char* user, unsigned int allowed, void* payload) {
    auto& op = *static_cast<Operation*>(payload);
    const GitCredentials& who = op.options.credentials;
    if (++op.credential_tries > 3) return GIT_EAUTH; // refused: do not ask for ever
    const std::string name = user != nullptr ? user : !who.username.empty() ? who.username : "git";
    if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) return git_credential_username_new(out, name.c_str());
    if ((allowed & GIT_CREDENTIAL_SSH_MEMORY) != 0 && !who.identity.empty())
        return git_credential_ssh_key_memory_new(out, name.c_str(), nullptr, who.identity.reveal().c_str(),
                                                 who.passphrase.empty() ? nullptr : who.passphrase.reveal().c_str());
    if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0) return git_credential_ssh_key_from_agent(out, name.c_str());
    if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0 && !who.username.empty())
        return git_credential_userpass_plaintext_new(out, who.username.c_str(), who.password.reveal().c_str());
    return GIT_PASSTHROUGH;
}

int ssh_port(const std::string& url) {
    const auto authority = url.find("://");
    if (authority == std::string::npos) return 22; // user@host:path
    const std::string host = url.substr(authority + 3, url.find('/', authority + 3) - authority - 3);
    const auto colon = host.rfind(':');
    return colon == std::string::npos || host.find(']', colon) != std::string::npos ? 22 : std::atoi(host.c_str() + colon + 1);
}

std::string ssh_host(const std::string& url) {
    const auto scheme = url.find("://");
    std::string host = scheme == std::string::npos ? url.substr(0, url.find(':')) : url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
    host.erase(0, host.rfind('@') + 1); // npos + 1 is 0
    if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
    return host.substr(0, host.find(':'));
}

std::string not_known(const FetchOptions& options, const std::string& host, std::string_view key) {
    const std::vector<std::string> types = host_key_types(options.credentials.known_hosts, host, ssh_port(options.url));
    if (types.empty()) return "the host is not in known_hosts (knownhosts: key is unknown)";
    return "known_hosts has keys of the host, but none of the type that it shows, " + std::string(host_key_type(key)) + " (knownhosts: key is unknown); known: " + kube::join(types, ", ");
}

// What to ask an ssh server for: the types that known_hosts has of it. A key of RSA is shown under newer names, too.
std::vector<std::string> host_keys_to_ask_for(const FetchOptions& options) {
    std::vector<std::string> out;
    for (std::string& type : host_key_types(options.credentials.known_hosts, ssh_host(options.url), ssh_port(options.url))) {
        if (type == "ssh-rsa") out.insert(out.end(), {"rsa-sha2-512", "rsa-sha2-256"});
        out.push_back(std::move(type));
    }
    return out;
}

int on_host_key(git_cert* cert, int valid, const char* host, void* payload) {
    auto& op = *static_cast<Operation*>(payload);
    if (op.options.credentials.known_hosts.empty() || cert->cert_type != GIT_CERT_HOSTKEY_LIBSSH2) return valid != 0 ? 0 : GIT_ECERTIFICATE;
    const auto* key = reinterpret_cast<const git_cert_hostkey*>(cert);
    if ((key->type & GIT_CERT_SSH_RAW) == 0) return GIT_ECERTIFICATE;
    switch (check_host_key(op.options.credentials.known_hosts, host, ssh_port(op.options.url), {key->hostkey, key->hostkey_len})) {
    case HostKey::known: return 0;
    case HostKey::changed: op.refused_host = "the host key does not match known_hosts (knownhosts: key mismatch)"; break;
    case HostKey::unknown: op.refused_host = not_known(op.options, host, {key->hostkey, key->hostkey_len}); break;
    }
    return GIT_ECERTIFICATE;
}

// Did libgit2's last call on this thread fail by what is in the cache, not by the other side?
bool cache_is_damaged() {
    const git_error* e = git_error_last();
    const int kind = e != nullptr ? e->klass : GIT_ERROR_NONE;
    return kind == GIT_ERROR_ODB || kind == GIT_ERROR_REFERENCE || kind == GIT_ERROR_REPOSITORY || kind == GIT_ERROR_OBJECT || kind == GIT_ERROR_CONFIG;
}

Error cache_error(const std::string& what) {
    return Error{.code = cache_is_damaged() ? ErrorCode::internal : ErrorCode::unavailable, .message = what + last_error()};
}

Result<RepositoryPtr> open_cache(const std::string& path) {
    std::error_code ec;
    stdfs::create_directories(path, ec);
    git_repository* raw = nullptr;
    if (git_repository_open_bare(&raw, path.c_str()) != 0 && git_repository_init(&raw, path.c_str(), 1) != 0)
        return fail(cache_error("cannot make the git cache in " + path + ": "));
    return RepositoryPtr(raw);
}

// Who has what to say about a failure, strongest first. libgit2 puts the URL into some texts: without credentials, please.
Error transfer_error(int code, const Operation& op, std::string text) {
    const std::string shown = public_url(op.options.url);
    while (text.ends_with('\n') || text.ends_with(' ')) text.pop_back(); // what the other side said, an error is one line
    std::ranges::replace(text, '\n', ' ');
    if (const auto at = text.find(op.options.url); at != std::string::npos) text.replace(at, op.options.url.size(), shown);
    Error e{.code = ErrorCode::unavailable, .message = "cannot fetch " + shown + ": " + text, .http_status = op.http.status};
    if (op.http.cancelled) {
        e.code = ErrorCode::cancelled;
        e.message = "cannot fetch " + shown + ": stopped";
    } else if (op.http.timed_out) {
        e.code = ErrorCode::timeout;
        e.message = "cannot fetch " + shown + ": the deadline passed";
    } else if (op.too_large) {
        e.code = ErrorCode::too_large;
        e.message = "cannot fetch " + shown + ": more than " + std::to_string(op.options.max_bytes) + " bytes";
    } else if (!op.refused_host.empty()) {
        e.code = ErrorCode::forbidden;
        e.message = "cannot fetch " + shown + ": " + op.refused_host;
    } else if (cache_is_damaged()) {
        e.code = ErrorCode::internal;
        e.message = "the git cache of " + shown + " is damaged: " + text;
    } else if (!op.over_http() && (text.find("parsing PEM") != std::string::npos || text.find("private key") != std::string::npos || text.find("passphrase") != std::string::npos)) {
        e.code = ErrorCode::unauthorized;
        e.hint = "check 'identity' and its 'password' in the Secret";
        e.reason = kBadKey;
    } else if (code == GIT_EAUTH || text.find("authentication") != std::string::npos) {
        e.code = ErrorCode::unauthorized;
        e.hint = "check user and token, or the ssh key";
    } else if (code == GIT_ENOTFOUND || text.find("not found") != std::string::npos || text.find("does not appear to be a git repository") != std::string::npos) {
        e.code = ErrorCode::not_found;
    } else {
        e.hint = "check the URL and the network";
    }
    return e;
}

// ---- which reference ---------------------------------------------------------------------------------------------

struct Head {
    std::string name;
    std::string id;
};

// What to fetch and how the revision begins.
struct Wanted {
    std::string reference; // of the remote; "" for a commit pin
    std::string label;     // before "@"; "" = none
    std::string commit;    // pin
    std::vector<std::string> equals = {}; // further tags that are the same version but for build metadata
};

Error bad_reference(std::string message) { return Error{.code = ErrorCode::invalid, .message = std::move(message), .reason = std::string(kBadReference)}; }

// The tags of the highest version in the range.
Result<std::vector<std::string>> pick_version(const std::string& range, const std::vector<Head>& heads) {
    const auto wanted = VersionRange::parse(range);
    if (!wanted) return fail(bad_reference("semver parse error: " + wanted.error().message));
    std::optional<Version> best;
    std::vector<std::string> tags;
    for (const Head& h : heads) {
        if (!h.name.starts_with("refs/tags/") || h.name.ends_with("^{}")) continue;
        const std::string tag = h.name.substr(10);
        const auto version = Version::parse(tag);
        if (!version || !wanted->contains(*version)) continue;
        const auto order = best ? version->compare(*best) : std::strong_ordering::greater;
        if (order > 0) tags.clear(), best = *version;
        if (order >= 0) tags.push_back(tag);
    }
    if (!best) return fail(bad_reference("no match found for semver: " + range));
    return tags;
}

const Head* find_head(const std::vector<Head>& heads, const std::string& name) {
    const auto it = std::ranges::find(heads, name, &Head::name);
    return it == heads.end() ? nullptr : &*it;
}

Result<Wanted> choose(const GitReference& ref, const std::vector<Head>& heads) {
    if (!ref.commit.empty()) return Wanted{ref.branch.empty() ? "" : "refs/heads/" + ref.branch, ref.name.empty() ? ref.branch : ref.name, ref.commit};
    if (ref.name.starts_with('/') || ref.name.ends_with('/')) return fail(bad_reference("ref " + ref.name + " is invalid; Git refs cannot begin or end with a slash '/'"));
    if (ref.name.ends_with("^{}") && find_head(heads, ref.name) == nullptr) return Wanted{ref.name, ref.name, ""}; // of no annotated tag: there is none such
    if (!ref.name.empty()) return Wanted{ref.name.ends_with("^{}") ? ref.name.substr(0, ref.name.size() - 3) : ref.name, ref.name, ""};
    if (!ref.semver.empty()) {
        TRY(std::vector<std::string> tags, pick_version(ref.semver, heads));
        const std::string tag = std::move(tags.back());
        tags.pop_back();
        return Wanted{"refs/tags/" + tag, tag, "", std::move(tags)};
    }
    if (!ref.tag.empty()) return Wanted{"refs/tags/" + ref.tag, ref.tag, ""};
    const std::string branch = ref.branch.empty() ? "master" : ref.branch;
    return Wanted{"refs/heads/" + branch, branch, ""};
}

bool is_commit_id(std::string_view text) {
    return text.size() == GIT_OID_HEXSZ && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// git's rules of completing a name (gitrevisions(7)); a name that the remote lacks may be a commit.
Wanted choose_revision(const std::string& revision, const std::vector<Head>& heads) {
    if (revision.empty()) return {"HEAD", "HEAD", ""};
    for (const char* prefix : {"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"})
        if (find_head(heads, prefix + revision) != nullptr) return {prefix + revision, revision, ""};
    return is_commit_id(revision) ? Wanted{"", "", revision} : Wanted{revision, revision, ""};
}

std::string local_name(const std::string& reference) { return "refs/weber/" + (reference.starts_with("refs/") ? reference.substr(5) : reference); }

bool has_object(git_repository* repo, const std::string& id) {
    git_oid oid;
    if (git_oid_fromstr(&oid, id.c_str()) != 0) return false;
    git_odb* odb = nullptr;
    if (git_repository_odb(&odb, repo) != 0) return false;
    const bool have = git_odb_exists(odb, &oid) != 0;
    git_odb_free(odb);
    return have;
}

// ---- one operation -----------------------------------------------------------------------------------------------

// The cache of one URL, for as long as it lives: several GitRepositories may name the same, and libgit2 refuses what another writes at the same time.
class CacheLock {
public:
    // Error: the deadline of `op` or its end came first.
    static Result<CacheLock> take(const std::string& path, const Operation& op) {
        std::unique_lock lock(mutex());
        const bool free = changed().wait_until(lock, op.options.stop, op.http.deadline, [&] { return !held().contains(path); });
        if (!free) return fail(op.options.stop.stop_requested() ? ErrorCode::cancelled : ErrorCode::timeout,
                               "cannot fetch " + public_url(op.options.url) + (op.options.stop.stop_requested() ? ": stopped" : ": the deadline passed while another fetch of it went on"));
        held().insert(path);
        return CacheLock(path);
    }
    CacheLock(CacheLock&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    CacheLock& operator=(CacheLock&&) = delete;
    ~CacheLock() {
        if (path_.empty()) return;
        const std::lock_guard lock(mutex());
        held().erase(path_);
        changed().notify_all();
    }

private:
    explicit CacheLock(std::string path) : path_(std::move(path)) {}
    // Never destroyed: a fetch over ssh that was given up may outlive `main`.
    static std::mutex& mutex() { static auto& it = *new std::mutex; return it; }
    static std::condition_variable_any& changed() { static auto& it = *new std::condition_variable_any; return it; }
    static std::set<std::string>& held() { static auto& it = *new std::set<std::string>; return it; } // guarded by mutex()

    std::string path_;
};

class Fetcher {
public:
    explicit Fetcher(Operation& op) : op_(op) {}

    Result<Fetched> run() {
        const std::string path = git_cache_path(op_.options.cache_dir, op_.options.url);
        TRY(const CacheLock alone, CacheLock::take(path, op_));
        if (op_.options.anew) drop_git_cache(op_.options.cache_dir, op_.options.url);
        TRY(repo_, open_cache(path));
        git_remote* raw = nullptr;
        git_remote_create_options how = GIT_REMOTE_CREATE_OPTIONS_INIT;
        how.repository = repo_.get();
        // No `insteadOf` of somebody's git configuration: what the spec says is what is fetched. (And libgit2 1.5 leaks 20 KiB with every line of
        // configuration that it compares for it.)
        how.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
        if (git_remote_create_with_opts(&raw, op_.options.url.c_str(), &how) != 0)
            return fail(ErrorCode::invalid, "cannot use the URL " + public_url(op_.options.url) + ": " + last_error());
        remote_.reset(raw);
        set_callbacks();
        auto listed = list();
        if (!listed && listed.error().reason.empty()) listed.error().reason = kNotListed;
        TRY(const std::vector<Head> heads, std::move(listed));
        if (heads.empty())
            return fail(Error{.code = ErrorCode::not_found, .message = "the git repository " + public_url(op_.options.url) + " is empty", .hint = "push a commit", .reason = std::string(kEmptyRepository)});
        TRY(Wanted want, op_.options.revision ? choose_revision(*op_.options.revision, heads) : choose(op_.options.ref, heads));
        Fetched out{"", "", "", path, "", false};
        TRY(out.transferred, download(want, heads));
        TRY(const bool more, take_newest(want, heads));
        out.transferred |= more;
        out.reference = want.reference;
        const std::string rev = !want.commit.empty() ? want.commit : local_name(want.reference);
        auto commit = find_commit(repo_.get(), rev, public_url(op_.options.url));
        if (!commit && (want.commit.empty() || !out.transferred)) // the remote has it, and we should
            return fail(ErrorCode::internal, "the git cache of " + public_url(op_.options.url) + " is damaged: " + commit.error().message);
        if (!commit) return fail(missing(want, !want.commit.empty()));
        out.commit = hex(*git_object_id(commit->get()));
        const std::string_view message = git_commit_message_raw(reinterpret_cast<git_commit*>(commit->get()));
        out.subject = message.substr(0, message.find('\n'));
        out.revision = (want.label.empty() ? "" : want.label + "@") + "sha1:" + out.commit;
        return out;
    }

private:
    void set_callbacks() {
        git_remote_callbacks& c = fetch_.callbacks;
        c.payload = &op_;
        c.transfer_progress = on_progress;
        c.credentials = on_credentials;
        c.certificate_check = on_host_key;
        if (op_.over_http()) c.transport = on_transport;
        fetch_.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
        fetch_.update_fetchhead = 0;
    }

    Error missing(const Wanted& want, bool commit) const {
        return Error{.code = ErrorCode::not_found,
                     .message = commit ? "no commit '" + want.commit + "' in " + public_url(op_.options.url)
                                       : "couldn't find remote ref \"" + want.reference + "\" in " + public_url(op_.options.url),
                     .hint = "check the branch, tag or commit",
                     .reason = std::string(commit ? kNoSuchCommit : kNoSuchReference)};
    }

    Result<std::vector<Head>> list() {
        if (const int code = git_remote_connect(remote_.get(), GIT_DIRECTION_FETCH, &fetch_.callbacks, nullptr, nullptr); code != 0)
            return fail(transfer_error(code, op_, last_error()));
        const git_remote_head** raw = nullptr;
        std::size_t n = 0;
        if (const int code = git_remote_ls(&raw, &n, remote_.get()); code != 0) return fail(transfer_error(code, op_, last_error()));
        std::vector<Head> heads;
        for (std::size_t i = 0; i < n; ++i) heads.push_back({raw[i]->name, hex(raw[i]->oid)});
        return heads;
    }

    // False when the cache had it all.
    Result<bool> download(const Wanted& want, const std::vector<Head>& heads) {
        if (!want.commit.empty() && !is_commit_id(want.commit)) return fail(missing(want, true)); // no abbreviations, no names
        if (const bool named = !want.reference.empty(); named && find_head(heads, want.reference) == nullptr) return fail(missing(want, false));
        if (!want.commit.empty() && has_object(repo_.get(), want.commit)) return false;
        std::string spec = "+refs/heads/*:refs/weber/heads/*", tags = "+refs/tags/*:refs/weber/tags/*"; // a commit may be anywhere
        if (!want.reference.empty()) {
            const Head* head = find_head(heads, want.reference);
            spec = "+" + want.reference + ":" + local_name(want.reference);
            if (want.commit.empty() && has_object(repo_.get(), head->id)) return set_reference(*head);
        }
        char* specs[] = {spec.data(), tags.data()};
        const git_strarray refspecs{specs, want.reference.empty() ? 2U : 1U};
        if (const int code = git_remote_fetch(remote_.get(), &refspecs, &fetch_, nullptr); code != 0)
            return fail(transfer_error(code, op_, last_error()));
        return true;
    }

    // Of equal versions that tag whose commit is the newest. True: something was transferred to find that out.
    Result<bool> take_newest(Wanted& want, const std::vector<Head>& heads) {
        bool transferred = false;
        for (const std::string& tag : std::exchange(want.equals, {})) {
            const Wanted other{"refs/tags/" + tag, tag, ""};
            TRY(const bool more, download(other, heads));
            transferred |= more;
            TRY(const ObjectPtr chosen, find_commit(repo_.get(), local_name(want.reference), public_url(op_.options.url)));
            TRY(const ObjectPtr rival, find_commit(repo_.get(), local_name(other.reference), public_url(op_.options.url)));
            if (time_of(rival) > time_of(chosen)) want = other;
        }
        return transferred;
    }

    static git_time_t time_of(const ObjectPtr& commit) { return git_commit_time(reinterpret_cast<const git_commit*>(commit.get())); }

    Result<bool> set_reference(const Head& head) {
        git_oid id;
        git_reference* raw = nullptr;
        if (git_oid_fromstr(&id, head.id.c_str()) != 0 || git_reference_create(&raw, repo_.get(), local_name(head.name).c_str(), &id, 1, nullptr) != 0)
            return fail(cache_error("cannot write the git cache: "));
        git_reference_free(raw);
        return false;
    }

    Operation& op_;
    git_fetch_options fetch_ = GIT_FETCH_OPTIONS_INIT;
    RepositoryPtr repo_;
    RemotePtr remote_;
};

// libssh2 inside libgit2 cannot be interrupted while it waits for the other side: the work is left to itself at the deadline, and what it holds
// goes away with it.
Result<Fetched> run_until_deadline(const std::shared_ptr<Operation>& op) {
    struct Shared {
        std::mutex mutex;
        std::condition_variable_any done;
        std::optional<Result<Fetched>> result;
    };
    auto shared = std::make_shared<Shared>();
    std::thread([op, shared] {
        const OfferedSshMethods offered(op->options.ssh, host_keys_to_ask_for(op->options));
        auto result = Fetcher(*op).run();
        const std::lock_guard lock(shared->mutex);
        shared->result = std::move(result);
        shared->done.notify_all();
    }).detach();
    std::unique_lock lock(shared->mutex);
    shared->done.wait_until(lock, op->options.stop, op->http.deadline, [&] { return shared->result.has_value(); });
    if (shared->result) return std::move(*shared->result);
    const std::string shown = public_url(op->options.url);
    if (op->options.stop.stop_requested()) return fail(ErrorCode::cancelled, "cannot fetch " + shown + ": stopped");
    return fail(ErrorCode::timeout, "cannot fetch " + shown + ": the deadline passed");
}

} // namespace

std::string public_url(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::string(url);
    const auto end = url.find_first_of("/?#", scheme + 3);
    const auto at = url.substr(0, end).rfind('@');
    if (at == std::string_view::npos || at < scheme) return std::string(url);
    const std::string_view user = url.substr(scheme + 3, at - scheme - 3);
    if (url.starts_with("ssh://") && user.find(':') == std::string_view::npos) return std::string(url); // the key is the secret; over http a token may be the user
    return std::string(url.substr(0, scheme + 3)) + std::string(url.substr(at + 1));
}

Result<Fetched> fetch(const FetchOptions& options) {
    start_library();
    const std::string_view token = options.credentials.bearer_token.reveal();
    if (std::ranges::any_of(token, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) // it would be a header of its own
        return fail(Error{.code = ErrorCode::invalid, .message = "cannot fetch " + public_url(options.url) + ": net/http: invalid header field value for \"Authorization\"",
                          .hint = "the bearer token must be one line", .reason = std::string(kNotListed)});
    auto op = std::make_shared<Operation>(Operation{.options = options});
    op->http.credentials = &op->options.credentials;
    op->http.stop = options.stop;
    op->http.deadline = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(options.timeout);
    const bool ssh = options.url.starts_with("ssh://") || (options.url.find("://") == std::string::npos && options.url.find('@') != std::string::npos);
    return ssh ? run_until_deadline(op) : Fetcher(*op).run();
}

Result<Snapshot> open_fetched(const Fetched& fetched, std::string_view spec_ignore) {
    TRY(RepositoryPtr repo, open_repository(fetched.repository));
    TRY(const ObjectPtr commit, find_commit(repo.get(), fetched.commit, fetched.repository));
    return snapshot_of(std::move(repo), commit, "", spec_ignore, fetched.revision);
}

} // namespace weber::gitops
