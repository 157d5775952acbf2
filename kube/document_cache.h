// Documents of an API server (discovery, OpenAPI) that change seldom: kept on disk between runs, asked for again by ETag.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "kube/base/clock.h"
#include "kube/base/error.h"
#include "kube/transport.h"

namespace weber::kube {

struct ClientConfig;

struct DocumentCacheOptions {
    // A folder of this server alone (`document_cache_dir`); "" = nothing on disk, every question goes to the server.
    std::string dir = {};
    // A document on disk that is not older is used without asking. Older ones are asked for with If-None-Match.
    std::chrono::milliseconds max_age = std::chrono::minutes(10);
};

// Thread-safe, also between processes: files are replaced whole. What cannot be read or written on disk is as if absent.
class DocumentCache {
public:
    DocumentCache(std::shared_ptr<Transport> transport, DocumentCacheOptions options, const Clock& clock = system_clock());

    enum class Freshness : std::uint8_t {
        recent,   // max_age decides
        asked,    // the server is asked in any case
        immutable // a document on disk is good for ever: its target names its content
    };
    // The body; nullopt for 404. Errors: as the transport's, or the server's answer.
    Result<std::optional<std::string>> get(const std::string& target, std::string_view accept, Freshness freshness, std::stop_token stop = {},
                                           std::chrono::milliseconds timeout = {});

    // Forgets it on disk.
    void drop(const std::string& target);

private:
    struct Entry {
        std::string etag;
        SystemTime at{};
        std::string body;
    };
    [[nodiscard]] std::string path_of(const std::string& target) const;
    [[nodiscard]] std::optional<Entry> load(const std::string& target) const;
    void store(const std::string& target, const Entry& entry);
    void remove_old();

    const std::shared_ptr<Transport> transport_;
    const DocumentCacheOptions options_;
    const Clock& clock_;
    std::atomic<bool> tidied_{false};
};

// <root>/<host and port>-<digest of address and CA>: two clusters that are one after the other at the same address do not mix. "" for a Unix socket.
// `root`: "" = $XDG_CACHE_HOME/weber/api or ~/.cache/weber/api; when neither variable is set, "".
std::string document_cache_dir(const ClientConfig& config, const std::string& root = {});

} // namespace weber::kube
