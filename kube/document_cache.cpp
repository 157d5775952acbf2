#include "kube/document_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"

namespace weber::kube {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kMaxFile = 128u << 20;

std::optional<std::string> read_file(const std::string& path) {
    std::error_code error;
    if (const auto size = fs::file_size(path, error); error || size > kMaxFile) return std::nullopt;
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) return std::nullopt;
    return std::move(text).str();
}

} // namespace

DocumentCache::DocumentCache(std::shared_ptr<Transport> transport, DocumentCacheOptions options, const Clock& clock)
    : transport_(std::move(transport)), options_(std::move(options)), clock_(clock) {}

std::string DocumentCache::path_of(const std::string& target) const { return options_.dir + "/" + sha256_hex(target).substr(0, 32) + ".cache"; }

// One line of JSON about it, then the body as it came.
std::optional<DocumentCache::Entry> DocumentCache::load(const std::string& target) const {
    if (options_.dir.empty()) return std::nullopt;
    auto text = read_file(path_of(target));
    if (!text) return std::nullopt;
    const auto line = text->find('\n');
    if (line == std::string::npos) return std::nullopt;
    const auto about = read_json(std::string_view(*text).substr(0, line));
    if (!about || about->text_at("target") != target || about->text_at("sha256") != sha256_hex(std::string_view(*text).substr(line + 1))) return std::nullopt;
    const auto at = parse_rfc3339(about->text_at("at"));
    if (!at) return std::nullopt;
    return Entry{.etag = std::string(about->text_at("etag")), .at = *at, .body = text->substr(line + 1)};
}

// Documents that nobody wrote for a month: those of servers and schemas that are gone.
void DocumentCache::remove_old() {
    const auto month_ago = fs::file_time_type::clock::now() - std::chrono::days(30);
    std::error_code error;
    for (fs::directory_iterator file(options_.dir, error), end; !error && file != end; file.increment(error)) {
        std::error_code gone;
        if (const auto written = fs::last_write_time(file->path(), gone); !gone && written < month_ago) fs::remove(file->path(), gone);
    }
}

void DocumentCache::store(const std::string& target, const Entry& entry) {
    if (options_.dir.empty()) return;
    std::error_code error;
    fs::create_directories(options_.dir, error);
    ::chmod(options_.dir.c_str(), 0700);
    if (!tidied_.exchange(true)) remove_old();
    static std::atomic<unsigned> count{0};
    const std::string path = path_of(target);
    const std::string fresh = path + "." + std::to_string(::getpid()) + "." + std::to_string(++count);
    {
        std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
        out << write_json(Node::map({{"target", Node::string(target)},
                                     {"etag", Node::string(entry.etag)},
                                     {"at", Node::string(format_rfc3339_micro(entry.at))},
                                     {"sha256", Node::string(sha256_hex(entry.body))}}))
            << '\n'
            << entry.body;
        if (!out.flush()) {
            fs::remove(fresh, error);
            return;
        }
    }
    fs::rename(fresh, path, error);
    if (error) fs::remove(fresh, error);
}

void DocumentCache::drop(const std::string& target) {
    std::error_code error;
    if (!options_.dir.empty()) fs::remove(path_of(target), error);
}

Result<std::optional<std::string>> DocumentCache::get(const std::string& target, std::string_view accept, Freshness freshness, std::stop_token stop,
                                                      std::chrono::milliseconds timeout) {
    auto kept = load(target);
    const SystemTime now = clock_.now();
    const bool recent = kept && kept->at <= now && now - kept->at <= options_.max_age;
    if (kept && (freshness == Freshness::immutable || (freshness == Freshness::recent && recent))) return std::optional(std::move(kept->body));

    HttpRequest request{.target = target, .headers = {{"Accept", std::string(accept)}}, .timeout = timeout};
    if (kept && !kept->etag.empty()) request.headers.push_back({"If-None-Match", kept->etag});
    TRY(HttpResponse response, transport_->send(std::move(request), std::move(stop)));
    if (response.status == 304 && kept) {
        kept->at = now;
        store(target, *kept);
        return std::optional(std::move(kept->body));
    }
    if (response.status == 404) {
        drop(target);
        return std::optional<std::string>();
    }
    if (response.status / 100 != 2) return fail(error_of_response(response).with_prefix("GET " + target.substr(0, target.find('?')) + ": "));
    store(target, {.etag = std::string(response.header("ETag")), .at = now, .body = response.body});
    return std::optional(std::move(response.body));
}

std::string document_cache_dir(const ClientConfig& config, const std::string& root) {
    if (!config.unix_socket.empty()) return {};
    std::string base = root;
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    if (base.empty() && cache && *cache == '/') base = std::string(cache) + "/weber/api";
    if (base.empty() && home && *home == '/') base = std::string(home) + "/.cache/weber/api";
    if (base.empty()) return {};
    std::string host = config.server.substr(config.server.find("://") == std::string::npos ? 0 : config.server.find("://") + 3);
    for (char& c : host)
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-') c = '_';
    std::string ca = config.tls.ca;
    if (!config.tls.ca_file.empty()) ca = read_file(config.tls.ca_file).value_or(config.tls.ca_file);
    return base + "/" + host.substr(0, 100) + "-" + sha256_hex(config.server + "\n" + ca).substr(0, 16);
}

} // namespace weber::kube
