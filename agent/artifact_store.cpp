#include "agent/artifact_store.h"

#include <algorithm>
#include <boost/beast/http/status.hpp>

#include "gitops/source/artifact.h"
#include "gitops/source/storage.h"
#include "kube/base/in_flight.h"
#include "kube/http_client.h"
#include "kube/pause.h"

namespace weber::agent {

namespace {

struct SplitUrl {
    std::string origin; // http://host:port
    std::string target; // /path?query
};

Result<SplitUrl> split(const std::string& url) {
    const std::size_t scheme = url.find("://");
    if (scheme == url.npos || (!url.starts_with("http://") && !url.starts_with("https://")))
        return fail(ErrorCode::invalid, "failed to download archive: the artifact's URL '" + url + "' is not http or https");
    const std::size_t slash = std::min(url.find('/', scheme + 3), url.size());
    return SplitUrl{url.substr(0, slash), slash == url.size() ? "/" : url.substr(slash)};
}

std::string with_host(const std::string& origin, const DownloadOptions& options, const std::string& url) {
    const std::string& host = url.find("//source-watcher") != url.npos ? options.source_watcher : options.source_controller;
    return host.empty() ? origin : origin.substr(0, origin.find("://") + 3) + host;
}

// "403 Forbidden"
std::string status_line(int status) {
    const std::string_view reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
    return std::to_string(status) + (status < 100 || status > 599 ? "" : " " + std::string(reason));
}

bool may_pass(const Result<kube::HttpResponse>& answer) {
    if (!answer) return answer.error().code == ErrorCode::unavailable || answer.error().code == ErrorCode::timeout;
    return answer->status == 429 || answer->status >= 500;
}

} // namespace

std::optional<ArtifactRef> artifact_of(const Object& source) {
    const Node* a = source.at({"status", "artifact"});
    if (a == nullptr || !a->is_map()) return std::nullopt;
    ArtifactRef out{std::string(a->text_at("url")), std::string(a->text_at("digest")), std::string(a->text_at("revision")), {},
                    std::string(a->text_at("path")), std::string(a->text_at("lastUpdateTime"))};
    if (const Node* origin = a->find_path({"metadata", "org.opencontainers.image.revision"})) out.origin_revision = origin->text();
    return out;
}

Result<std::string> download_artifact(const std::string& url, const DownloadOptions& options, std::stop_token stop) {
    TRY(const SplitUrl parts, split(url));
    kube::ClientConfig config;
    config.server = with_host(parts.origin, options, url);
    TRY(const auto http, kube::HttpClient::create(std::move(config)));
    std::chrono::milliseconds pause = options.wait_min;
    for (int tried = 0;; ++tried) {
        auto answer = http->send({.target = parts.target, .idempotent = false}, stop); // repeats are counted here
        if (answer && answer->status == 200) return std::move(answer->body);
        if (tried < options.retries && may_pass(answer) && kube::pause_for(pause, stop)) {
            pause = std::min(pause * 2, options.wait_max);
            continue;
        }
        if (!answer) return fail(std::move(answer.error()).with_prefix("failed to download archive: "));
        Error error{.code = answer->status == 404 ? ErrorCode::not_found : ErrorCode::unavailable,
                    .message = "failed to download archive from " + url + " (status: " + status_line(answer->status) + ")"};
        error.http_status = answer->status;
        return fail(std::move(error));
    }
}

// From this process's own storage, verified; nullopt when it is not there as it should be.
std::optional<std::string> ArtifactStore::stored(const ArtifactRef& artifact) const {
    if (options_.storage.empty() || artifact.digest.empty()) return std::nullopt;
    const auto bytes = gitops::ArtifactStorage(options_.storage, "").read({.digest = artifact.digest, .last_update_time = {}, .path = artifact.path, .revision = {}, .url = {}});
    if (!bytes || !gitops::verify_artifact(*bytes, artifact.digest)) return std::nullopt;
    return *bytes;
}

Result<gitops::Snapshot> ArtifactStore::fetch(const ArtifactRef& artifact, std::stop_token stop) const {
    auto bytes = stored(artifact);
    if (!bytes) {
        TRY(bytes, download_artifact(artifact.url, options_, std::move(stop)));
        TRY_VOID(gitops::verify_artifact(*bytes, artifact.digest));
    }
    auto snapshot = gitops::unpack_artifact(*bytes, artifact.revision);
    if (!snapshot)
        return fail(std::move(snapshot.error()).with_prefix("failed to extract archive (check whether file size exceeds max download size): "));
    return snapshot;
}

void ArtifactStore::hold(const std::string& key, const gitops::Snapshot& snapshot) {
    held_.insert_or_assign(key, snapshot);
    std::erase(recent_, key);
    recent_.push_front(key);
    while (recent_.size() > keep_) {
        held_.erase(recent_.back());
        recent_.pop_back();
    }
}

void ArtifactStore::put(const ArtifactRef& artifact, gitops::Snapshot snapshot) {
    const std::lock_guard lock(mutex_);
    hold(artifact.digest + " " + artifact.revision, snapshot);
}

Result<gitops::Snapshot> ArtifactStore::get(const ArtifactRef& artifact, std::stop_token stop) {
    const std::string key = artifact.digest + " " + artifact.revision;
    std::unique_lock lock(mutex_);
    for (;;) {
        if (const auto at = held_.find(key); at != held_.end()) {
            gitops::Snapshot found = at->second;
            hold(key, found);
            return found;
        }
        if (!loading_.contains(key)) break;
        if (!changed_.wait(lock, stop, [&] { return !loading_.contains(key); })) return fail(ErrorCode::cancelled, "the download was cancelled");
    }
    const kube::InFlight loading(loading_, lock, changed_, key);
    lock.unlock();
    auto fetched = fetch(artifact, stop);
    lock.lock();
    if (fetched && !artifact.digest.empty()) hold(key, *fetched);
    return fetched;
}

} // namespace weber::agent
