#include "gitops/source/git_reconcile.h"

#include <algorithm>

#include "gitops/api/names.h"
#include "gitops/source/artifact.h"
#include "gitops/source/git_cache.h"
#include "gitops/source/git_credentials.h"
#include "gitops/source/git_url.h"
#include "kube/base/utf8.h"

namespace weber::gitops {

namespace {

constexpr std::size_t kSubjectLimit = 50;

// What goes wrong, as a condition. `terminal`: only an edit of the object mends it.
struct Trouble {
    std::string condition, reason, message;
    bool terminal = false;
    std::optional<Error> error = {};
};

// As Flux cuts it: by characters.
std::string shortened(const std::string& subject) {
    std::size_t at = 0;
    for (std::size_t n = 0; n < kSubjectLimit && at < subject.size(); ++n) at += kube::decode_utf8(subject, at).bytes;
    return kube::valid_utf8(at < subject.size() ? subject.substr(0, at) + "..." : subject);
}

// What Flux says of a fetch that failed. `listing`: its first step was to ask for the references, not to clone.
std::string fetch_detail(const Error& e, const GitReference& ref, const std::string& url, bool listing) {
    const std::string cause = e.hint.empty() ? e.message : e.message + " (" + e.hint + ")";
    if (e.reason == kBadReference) return e.message;
    if (e.reason == kBadKey) return "unable to construct auth method with options: " + cause;
    if (e.reason == kNoSuchCommit) return "unable to resolve commit object for '" + ref.commit + "': object not found";
    if (e.reason == kNoSuchReference && ref.commit.empty() && !ref.name.empty()) return "unable to resolve ref '" + ref.name + "' to a specific commit";
    if (e.reason == kNoSuchReference) return "unable to clone '" + url + "': " + e.message.substr(0, e.message.rfind(" in "));
    if (e.reason == kEmptyRepository) return listing ? "unable to list remote for '" + url + "': remote repository is empty" : "unable to clone: remote repository is empty: git repository: '" + url + "'";
    if (e.reason == kNotListed && listing) return "unable to list remote for '" + url + "': " + cause;
    if (e.code == ErrorCode::not_found && !url.starts_with("http")) return "unable to clone: " + cause + ": git repository: '" + url + "'";
    return "unable to clone '" + url + "': " + cause;
}

// With what its object wants its events to say.
Event event_about(const Object& object, bool warning, std::string_view reason, std::string message) {
    Event e{warning, std::string(reason), std::move(message), {}};
    for (const auto& [key, value] : object.annotations())
        if (key.starts_with("event.toolkit.fluxcd.io/")) e.metadata.insert_or_assign(key, value);
    return e;
}

class GitRun {
public:
    GitRun(const Object& object, const GitRunSettings& settings, std::stop_token stop)
        : object_(object), settings_(settings), stop_(std::move(stop)), before_(read_git_status(object)) {
        out_.status = before_;
    }

    GitRunResult run() {
        begin();
        std::optional<Trouble> trouble = work();
        end(trouble);
        return std::move(out_);
    }

private:
    [[nodiscard]] kube::SystemTime now() const { return settings_.clock->now(); }
    [[nodiscard]] std::string name() const { return std::string(object_.ns()) + "/" + std::string(object_.name()); }

    void set(std::string_view type, std::string_view status, std::string_view reason, std::string message) {
        set_condition(out_.status, {std::string(type), std::string(status), std::string(reason), std::move(message), object_.generation(), ""}, now());
    }
    void progress(const std::string& message, bool drift) {
        set("Reconciling", "True", "Progressing", message);
        const Condition* ready = out_.status.find("Ready");
        if (drift || ready == nullptr || ready->status == "Unknown") set("Ready", "Unknown", "Progressing", message);
    }
    std::optional<Trouble> show() {
        if (!settings_.on_status) return std::nullopt;
        auto written = settings_.on_status(out_.status);
        if (written) return std::nullopt;
        return Trouble{"", "PatchOperationFailed", "failed to update status: " + written.error().message, false, std::move(written.error())};
    }

    void begin() {
        const std::int64_t generation = object_.generation();
        const bool renewed = generation != before_.observed_generation;
        for (std::string_view type : {"Stalled", "StorageOperationFailed"}) remove_condition(out_.status, type);
        if (const Condition* verified = out_.status.find("SourceVerified"); verified != nullptr && verified->status == "False") remove_condition(out_.status, "SourceVerified");
        progress(renewed
                     ? "processing object: new generation " + std::to_string(before_.observed_generation) + " -> " + std::to_string(generation)
                     : std::string("reconciliation in progress"),
                 false);
        const std::string requested(object_.annotation(kRequestedAt));
        early_ = renewed || (!requested.empty() && requested != before_.last_handled_reconcile_at);
    }

    std::optional<Trouble> work() {
        auto parsed = parse_git_repository(object_);
        if (!parsed)
            return Trouble{"Stalled", parsed.error().code == ErrorCode::unsupported ? "UnsupportedField" : "InvalidSpec", parsed.error().message, true, parsed.error()};
        repository_ = std::move(*parsed);
        if (auto t = look_after_storage()) return t;
        if (early_)
            if (auto t = show()) return t;
        if (const std::string why = url_objection(repository_.url); !why.empty()) {
            const std::string shown = public_url(repository_.url), text = "failed to parse url '" + shown + "': parse \"" + shown + "\": " + why;
            return Trouble{"FetchFailed", "URLInvalid", text, true, Error{.code = ErrorCode::invalid, .message = text}};
        }
        GitCredentials credentials;
        if (auto t = read_credentials(credentials)) return t;
        for (std::string_view type : {"IncludeUnavailable", "ArtifactOutdated"}) remove_condition(out_.status, type);
        const FetchOptions how{.url = repository_.url, .ref = repository_.ref, .cache_dir = settings_.cache_dir, .credentials = std::move(credentials), .ssh = settings_.ssh,
                               .timeout = repository_.timeout, .stop = stop_};
        auto fetched = fetch(how);
        if (!fetched && fetched.error().code == ErrorCode::internal) fetched = fetch_anew(how);
        if (!fetched) return fetch_trouble(fetched.error());
        remove_condition(out_.status, "FetchFailed");
        if (out_.status.artifact && out_.status.artifact->revision == fetched->revision && out_.status.observed_ignore == wanted_ignore() && !out_.status.has_more_content()) {
            nothing_new(*fetched);
            return std::nullopt;
        }
        return build(*fetched, how);
    }

    // What is wrong with a cache is not worth finding out.
    Result<Fetched> fetch_anew(const FetchOptions& how) const {
        FetchOptions again = how;
        again.anew = true;
        return fetch(again);
    }

    [[nodiscard]] std::optional<std::string> wanted_ignore() const {
        return repository_.has_ignore ? std::optional(repository_.ignore) : std::nullopt;
    }

    // sources.md 0.7
    std::optional<Trouble> look_after_storage() {
        std::optional<Artifact>& artifact = out_.status.artifact;
        if (artifact) {
            if (const std::size_t n = settings_.storage->collect_garbage(*artifact, now(), settings_.retention_ttl, settings_.retention_records); n > 0)
                trace("GarbageCollectionSucceeded", "garbage collected " + std::to_string(n) + " artifacts");
            const auto state = settings_.storage->check(*artifact);
            if (state == ArtifactStorage::Check::corrupted) {
                event(true, "ArtifactVerificationFailed", "failed to verify integrity of artifact: computed digest doesn't match '" + artifact->digest + "'");
                settings_.storage->remove_file(*artifact);
            }
            if (state != ArtifactStorage::Check::good) {
                artifact.reset();
                disappeared_ = true;
            }
        }
        if (artifact) {
            artifact->url = settings_.storage->url_of(artifact->path); // heals itself when the address changes
            return std::nullopt;
        }
        remove_condition(out_.status, "ArtifactInStorage");
        progress(disappeared_ ? "building artifact: disappeared from storage" : "building artifact", true);
        return show();
    }

    // In Flux's order: of several things that are wrong the same one is told.
    std::optional<Trouble> read_credentials(GitCredentials& out) {
        const auto trouble = [](Error e, std::string_view reason = "AuthenticationFailed") { return Trouble{"FetchFailed", std::string(reason), e.message, false, e}; };
        GitCredentials proxied;
        if (!repository_.proxy_secret.empty()) {
            const NamespacedName name{repository_.name.ns, repository_.proxy_secret};
            auto secret = settings_.secret(name);
            if (!secret && secret.error().code == ErrorCode::not_found) secret.error().message = "secret '" + name.to_string() + "' not found";
            else if (!secret) secret = fail(std::move(secret.error()).with_prefix("failed to get secret '" + name.to_string() + "': "));
            if (!secret) return trouble(std::move(secret.error()).with_prefix("failed to configure proxy options: "));
            if (auto fits = add_proxy(proxied, *secret); !fits) return trouble(fits.error());
        }
        std::optional<Object> secret;
        if (!repository_.secret_name.empty()) {
            const NamespacedName name{repository_.name.ns, repository_.secret_name};
            auto got = settings_.secret(name);
            const std::string prefix = "failed to get secret '" + name.to_string() + "': ";
            if (!got) return trouble(std::move(got.error()).with_prefix(prefix + prefix)); // Flux says it twice
            secret = std::move(*got);
        }
        auto credentials = git_credentials(repository_.url, secret);
        if (!credentials) return trouble(credentials.error(), credentials.error().code == ErrorCode::unsupported ? "InvalidProviderConfiguration" : "AuthenticationFailed");
        out = std::move(*credentials);
        out.proxy = std::move(proxied.proxy);
        out.proxy_user = std::move(proxied.proxy_user);
        out.proxy_password = std::move(proxied.proxy_password);
        const auto impossible = [](const std::string& why) { return Trouble{"FetchFailed", "GitOperationFailed", "failed to checkout and determine revision: " + why, false, Error{.code = ErrorCode::invalid, .message = why}}; };
        if (!out.bearer_token.empty() && !out.username.empty()) return impossible("basic auth and bearer token cannot be set at the same time");
        if (!out.proxy.empty() && repository_.url.starts_with("ssh://")) // never past it
            return impossible("unable to clone '" + public_url(repository_.url) + "': " + (out.proxy.starts_with("socks5") ? "a SOCKS5 proxy for git over ssh is not supported by this version" : "proxy: unknown scheme: " + out.proxy.substr(0, out.proxy.find(':'))) +
                              " (take spec.proxySecretRef away, or use https)");
        return std::nullopt;
    }

    Trouble fetch_trouble(const Error& e) const {
        const GitReference& ref = repository_.ref;
        const bool pinned = !ref.commit.empty() || (ref.name.empty() && !ref.semver.empty());
        const bool listing = !pinned && (!ref.name.empty() || (out_.status.artifact && out_.status.is_true("ArtifactInStorage")));
        const bool branch = !pinned && ref.name.empty() && ref.tag.empty();
        if (e.reason == kEmptyRepository && branch && !listing) return {"FetchFailed", std::string(kEmptyRepository), "git repository is empty", false, e};
        return {"FetchFailed", "GitOperationFailed", "failed to checkout and determine revision: " + fetch_detail(e, ref, public_url(repository_.url), listing), false, e};
    }

    void nothing_new(const Fetched& fetched) {
        set("ArtifactInStorage", "True", "Succeeded", "stored artifact for revision '" + fetched.revision + "'");
        const bool pinned = !repository_.ref.semver.empty() || !repository_.ref.commit.empty();
        if (pinned) subject_ = shortened(fetched.subject); // Flux has cloned it, too
        if (pinned) trace("ArtifactUpToDate", "artifact up-to-date with remote revision: '" + fetched.revision + "'");
        else trace("GitOperationSucceeded", "no changes since last reconciliation: observed revision '" + fetched.revision + "'");
    }

    // The commit's files, and packed.
    Result<std::pair<Snapshot, std::string>> read(const Fetched& fetched) const {
        TRY(Snapshot snapshot, open_fetched(fetched, repository_.ignore));
        TRY(std::string packed, pack_artifact(snapshot));
        return std::pair(std::move(snapshot), std::move(packed));
    }

    std::optional<Trouble> build(const Fetched& fetched, const FetchOptions& how) {
        const bool had = out_.status.artifact.has_value();
        const std::string news = "new upstream revision '" + fetched.revision + "'";
        if (had && out_.status.artifact->revision != fetched.revision) set("ArtifactOutdated", "True", "NewRevision", news);
        if (!had || out_.status.artifact->revision != fetched.revision) progress("building artifact: " + news, true);
        if (auto t = show()) return t;
        const auto failed = [](std::string_view reason, Error e) {
            std::string text = e.to_string();
            return Trouble{"StorageOperationFailed", std::string(reason), std::move(text), false, std::move(e)};
        };
        auto files = read(fetched);
        if (!files) { // by a damaged cache, most likely
            auto again = fetch_anew(how);
            if (!again) return fetch_trouble(again.error());
            if (again->commit == fetched.commit) files = read(*again);
        }
        if (!files) return failed("ArchiveOperationFailed", Error(files.error()).with_prefix("unable to archive artifact to storage: "));
        auto& [snapshot, packed] = *files;
        auto stored = settings_.storage->store("GitRepository", repository_.name, fetched.commit + ".tar.gz", fetched.revision, packed, now());
        if (!stored) return failed("ArchiveOperationFailed", Error(stored.error()).with_prefix("unable to archive artifact to storage: "));
        new_digest_ = !before_.artifact || before_.artifact->digest != stored->digest;
        out_.status.artifact = std::move(*stored);
        out_.status.observed_ignore = wanted_ignore();
        out_.status.more = Node::map();
        out_.snapshot = std::move(snapshot);
        subject_ = shortened(fetched.subject);
        for (std::string_view type : {"ArtifactOutdated", "SourceVerified"}) remove_condition(out_.status, type);
        set("ArtifactInStorage", "True", "Succeeded", "stored artifact for revision '" + fetched.revision + "'");
        return std::nullopt;
    }

    void end(const std::optional<Trouble>& trouble) {
        GitRepositoryStatus& s = out_.status;
        if (trouble) {
            if (!trouble->condition.empty()) set(trouble->condition, "True", trouble->reason, trouble->message);
            if (trouble->terminal) {
                set("Stalled", "True", trouble->reason, trouble->message);
                remove_condition(s, "Reconciling");
                s.observed_generation = object_.generation();
            } else if (const Condition* c = s.find("Reconciling")) {
                set("Reconciling", "True", "ProgressingWithRetry", c->message);
            }
            out_.next = trouble->terminal ? NextRun::terminal : NextRun::backoff;
            out_.error = trouble->error;
        } else {
            remove_condition(s, "Reconciling");
            s.observed_generation = object_.generation();
            out_.next = NextRun::interval;
        }
        summarize(s, object_.generation(), now());
        if (const std::string requested(object_.annotation(kRequestedAt)); !requested.empty()) s.last_handled_reconcile_at = requested;
        announce(trouble);
    }

    void announce(const std::optional<Trouble>& trouble) {
        if (trouble) return event(true, trouble->reason, trouble->message);
        const bool recovered = before_.is_true("FetchFailed") || before_.is_true("StorageOperationFailed") || before_.is_true("IncludeUnavailable");
        const std::string text = "stored artifact for commit '" + subject_.value_or(out_.status.artifact->revision) + "'";
        if (new_digest_) event(false, "NewArtifact", text);
        else if (recovered) event(false, "Succeeded", text);
    }

    void event(bool warning, std::string_view reason, std::string message) {
        Event e = event_about(object_, warning, reason, std::move(message));
        if (out_.status.artifact && !warning) {
            e.metadata.emplace("source.toolkit.fluxcd.io/revision", out_.status.artifact->revision);
            e.metadata.emplace("source.toolkit.fluxcd.io/digest", out_.status.artifact->digest);
        }
        out_.events.push_back(std::move(e));
    }
    void trace(std::string_view reason, std::string message) { out_.traces.push_back(event_about(object_, false, reason, std::move(message))); }

    const Object object_; // as it was at the start: whoever shows a status may get a newer one back, of which this run has seen nothing
    const GitRunSettings& settings_;
    const std::stop_token stop_;
    const GitRepositoryStatus before_;
    GitRepository repository_ = {};
    GitRunResult out_ = {};
    bool early_ = false, disappeared_ = false, new_digest_ = false;
    std::optional<std::string> subject_; // of a commit whose files were read; may be empty
};

} // namespace

GitRunResult reconcile_git(const Object& object, const GitRunSettings& settings, std::stop_token stop) {
    return GitRun(object, settings, std::move(stop)).run();
}

GitRepositoryStatus suspended_git_status(const Object& object) {
    GitRepositoryStatus s = read_git_status(object);
    if (const std::string requested(object.annotation(kRequestedAt)); !requested.empty()) s.last_handled_reconcile_at = requested;
    if (s.conditions.empty()) return s; // never looked at: Flux does not claim that it was
    const kube::SystemTime now = kube::system_clock().now();
    remove_condition(s, "Stalled");
    if (const Condition* c = s.find("Reconciling")) set_condition(s, {"Reconciling", c->status, "ProgressingWithRetry", c->message, object.generation(), ""}, now);
    summarize(s, object.generation(), now);
    s.observed_generation = object.generation();
    return s;
}

Result<std::optional<Event>> remove_artifacts(const Object& object, ArtifactStorage& storage) {
    auto removed = storage.remove("GitRepository", {std::string(object.ns()), std::string(object.name())});
    if (!removed) return fail(std::move(removed.error()).with_prefix("garbage collection for deleted resource failed: "));
    if (!*removed) return std::nullopt;
    return event_about(object, false, "GarbageCollectionSucceeded", "garbage collected artifacts for deleted resource");
}

} // namespace weber::gitops
