#include "gitops/source/git_reconcile.h"

#include <algorithm>

#include "gitops/api/names.h"
#include "gitops/source/artifact.h"
#include "gitops/source/git_cache.h"
#include "gitops/source/git_credentials.h"

namespace weber::gitops {

namespace {

constexpr std::size_t kSubjectLimit = 50;

// What goes wrong, as a condition. `terminal`: only an edit of the object mends it.
struct Trouble {
    std::string condition, reason, message;
    bool terminal = false;
    std::optional<Error> error = {};
};

std::string clone_detail(const Error& e, const std::string& url) {
    if (e.code == ErrorCode::not_found && !e.message.starts_with("no match")) return "unable to clone: " + e.message + ": git repository: '" + url + "'";
    return "unable to clone '" + url + "': " + e.message;
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
        remove_condition(out_.status, "Stalled");
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
        GitCredentials credentials;
        if (auto t = read_credentials(credentials)) return t;
        const FetchOptions how{.url = repository_.url, .ref = repository_.ref, .cache_dir = settings_.cache_dir, .credentials = std::move(credentials), .ssh = settings_.ssh,
                               .timeout = repository_.timeout, .stop = stop_};
        auto fetched = fetch(how);
        if (!fetched && fetched.error().code == ErrorCode::internal) fetched = fetch_anew(how);
        if (!fetched) return fetch_trouble(fetched.error());
        if (out_.status.artifact && out_.status.artifact->revision == fetched->revision && out_.status.observed_ignore == wanted_ignore()) {
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
                event(true, "ArtifactVerificationFailed", "failed to verify artifact: computed digest doesn't match '" + artifact->digest + "'");
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

    std::optional<Trouble> read_credentials(GitCredentials& out) {
        const auto trouble = [](Error e, std::string_view reason) {
            Trouble t{"FetchFailed", std::string(reason), e.message, false, std::move(e)};
            return t;
        };
        std::optional<Object> secret;
        if (!repository_.secret_name.empty()) {
            auto got = settings_.secret({std::string(object_.ns()), repository_.secret_name});
            if (!got)
                return trouble(Error(got.error()).with_prefix("failed to get secret '" + std::string(object_.ns()) + "/" + repository_.secret_name + "': "),
                               "AuthenticationFailed");
            secret = std::move(*got);
        }
        auto credentials = git_credentials(repository_.url, secret);
        if (!credentials)
            return trouble(credentials.error(), credentials.error().code == ErrorCode::unsupported ? "InvalidProviderConfiguration" : "AuthenticationFailed");
        out = std::move(*credentials);
        if (repository_.proxy_secret.empty()) return std::nullopt;
        auto proxy = settings_.secret({std::string(object_.ns()), repository_.proxy_secret});
        if (!proxy) return trouble(Error(proxy.error()).with_prefix("failed to configure proxy options: "), "AuthenticationFailed");
        if (auto added = add_proxy(out, *proxy); !added) return trouble(std::move(added.error()), "AuthenticationFailed");
        return std::nullopt;
    }

    Trouble fetch_trouble(const Error& e) const {
        if (e.reason == kEmptyRepository) return {"FetchFailed", std::string(kEmptyRepository), "git repository is empty", false, e};
        const std::string shown = public_url(repository_.url);
        return {"FetchFailed", "GitOperationFailed", "failed to checkout and determine revision: " + clone_detail(e, shown), false, e};
    }

    void nothing_new(const Fetched& fetched) {
        remove_condition(out_.status, "FetchFailed");
        remove_condition(out_.status, "ArtifactOutdated");
        remove_condition(out_.status, "StorageOperationFailed");
        set("ArtifactInStorage", "True", "Succeeded", "stored artifact for revision '" + fetched.revision + "'");
        const bool pinned = !repository_.ref.semver.empty() || !repository_.ref.commit.empty();
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
        if (had && out_.status.artifact->revision != fetched.revision) {
            set("ArtifactOutdated", "True", "NewRevision", news);
            progress("building artifact: " + news, true);
        } else if (!had) {
            progress(disappeared_ ? "building artifact: disappeared from storage" : "building artifact: " + news, true);
        }
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
        out_.snapshot = std::move(snapshot);
        subject_ = subject_of(fetched);
        for (std::string_view type : {"FetchFailed", "ArtifactOutdated", "StorageOperationFailed"}) remove_condition(out_.status, type);
        set("ArtifactInStorage", "True", "Succeeded", "stored artifact for revision '" + fetched.revision + "'");
        return std::nullopt;
    }

    // First line of the commit's message, cut; the revision when it has none.
    static std::string subject_of(const Fetched& fetched) {
        std::string subject = fetched.subject;
        if (subject.empty()) return fetched.revision;
        if (subject.size() > kSubjectLimit) subject = subject.substr(0, kSubjectLimit) + "...";
        return subject;
    }

    void end(const std::optional<Trouble>& trouble) {
        GitRepositoryStatus& s = out_.status;
        if (trouble) {
            if (!trouble->condition.empty()) set(trouble->condition, "True", trouble->reason, trouble->message);
            if (trouble->terminal) {
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
        const bool recovered = before_.is_true("FetchFailed") || before_.is_true("StorageOperationFailed");
        const std::string text = "stored artifact for commit '" + (subject_.empty() ? out_.status.artifact->revision : subject_) + "'";
        if (new_digest_) event(false, "NewArtifact", text);
        else if (recovered) event(false, "Succeeded", text);
    }

    Event make(bool warning, std::string_view reason, std::string message) const {
        Event e{warning, std::string(reason), std::move(message), {}};
        if (out_.status.artifact && !warning) {
            e.metadata.emplace("source.toolkit.fluxcd.io/revision", out_.status.artifact->revision);
            e.metadata.emplace("source.toolkit.fluxcd.io/digest", out_.status.artifact->digest);
        }
        for (const auto& [key, value] : object_.annotations())
            if (key.starts_with("event.toolkit.fluxcd.io/")) e.metadata.insert_or_assign(key, value);
        return e;
    }
    void event(bool warning, std::string_view reason, std::string message) { out_.events.push_back(make(warning, reason, std::move(message))); }
    void trace(std::string_view reason, std::string message) { out_.traces.push_back(make(false, reason, std::move(message))); }

    const Object& object_;
    const GitRunSettings& settings_;
    const std::stop_token stop_;
    const GitRepositoryStatus before_;
    GitRepository repository_ = {};
    GitRunResult out_ = {};
    bool early_ = false, disappeared_ = false, new_digest_ = false;
    std::string subject_;
};

} // namespace

GitRunResult reconcile_git(const Object& object, const GitRunSettings& settings, std::stop_token stop) {
    return GitRun(object, settings, std::move(stop)).run();
}

GitRepositoryStatus suspended_git_status(const Object& object) {
    GitRepositoryStatus s = read_git_status(object);
    s.observed_generation = object.generation();
    if (const std::string requested(object.annotation(kRequestedAt)); !requested.empty()) s.last_handled_reconcile_at = requested;
    return s;
}

Result<Event> remove_artifacts(const Object& object, ArtifactStorage& storage) {
    if (auto removed = storage.remove("GitRepository", {std::string(object.ns()), std::string(object.name())}); !removed)
        return fail(Error(removed.error()).with_prefix("garbage collection for deleted resource failed: "));
    return Event{false, "GarbageCollectionSucceeded", "garbage collected artifacts for deleted resource", {}};
}

} // namespace weber::gitops
