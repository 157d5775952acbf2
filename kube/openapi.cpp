#include "kube/openapi.h"

#include <map>
#include <mutex>
#include <optional>

#include "kube/base/json.h"
#include "kube/pause.h"

namespace weber::kube {

namespace {

using std::chrono::steady_clock;
using Freshness = DocumentCache::Freshness;

std::string index_key(const GroupVersion& v) { return v.group.empty() ? "api/" + v.version : "apis/" + v.group + "/" + v.version; }

// One of the kinds that the schema says it describes.
bool describes(const Node& schema, const GroupVersionKind& gvk) {
    const Node* kinds = schema.find("x-kubernetes-group-version-kind");
    if (!kinds) return false;
    for (const Node& k : kinds->items())
        if (k.text_at("group") == gvk.group && k.text_at("version") == gvk.version && k.text_at("kind") == gvk.kind) return true;
    return false;
}

} // namespace

struct OpenApi::Impl {
    Impl(std::shared_ptr<Transport> transport, const DiscoveryOptions& o) : miss_interval(o.miss_interval), documents(std::move(transport), o.cache) {}

    Result<void> read_index(std::stop_token stop);
    Result<std::optional<std::string>> address_of(const std::string& key, std::stop_token stop);
    Result<Node> document(const GroupVersion& version, std::stop_token stop);

    const std::chrono::milliseconds miss_interval;
    DocumentCache documents;
    StoppableMutex mutex; // guards the rest, also while the server is asked
    bool indexed = false;
    steady_clock::time_point indexed_at{};
    std::map<std::string, std::string> index;                      // "apis/apps/v1" → address with the digest of the content
    std::map<std::string, std::pair<std::string, Node>> documents_read; // by key: the address it came from, and itself
};

Result<void> OpenApi::Impl::read_index(std::stop_token stop) {
    // Always asked for: it is small, and the only one that says what changed.
    TRY(const auto body, documents.get("/openapi/v3", "application/json", Freshness::asked, std::move(stop)));
    if (!body) return fail(ErrorCode::unsupported, "the API server has no OpenAPI v3 documents");
    TRY(const Node node, read_json(*body));
    index.clear();
    if (const Node* paths = node.find("paths"))
        for (const Node::Entry& e : paths->entries()) index[std::string(std::string_view(e.key))] = e.value.text_at("serverRelativeURL");
    indexed = true;
    indexed_at = steady_clock::now();
    return {};
}

Result<std::optional<std::string>> OpenApi::Impl::address_of(const std::string& key, std::stop_token stop) {
    for (int round = 0; round < 2; ++round) {
        if (!indexed || (round == 1 && steady_clock::now() - indexed_at >= miss_interval)) TRY_VOID(read_index(stop));
        const auto at = index.find(key);
        if (at != index.end() && at->second.starts_with('/')) return std::optional(at->second);
    }
    return std::optional<std::string>();
}

Result<Node> OpenApi::Impl::document(const GroupVersion& version, std::stop_token stop) {
    const std::string key = index_key(version);
    TRY(const auto address, address_of(key, stop));
    if (!address) return fail(ErrorCode::not_found, "no OpenAPI document for " + version.to_string());
    if (const auto known = documents_read.find(key); known != documents_read.end() && known->second.first == *address) return known->second.second;
    const bool named_by_content = address->find("hash=") != std::string::npos;
    TRY(const auto body, documents.get(*address, "application/json", named_by_content ? Freshness::immutable : Freshness::asked, std::move(stop)));
    if (!body) return fail(ErrorCode::not_found, "no OpenAPI document for " + version.to_string());
    auto node = read_json(*body);
    if (!node) {
        documents.drop(*address);
        return fail(std::move(node.error()).with_prefix("OpenAPI document of " + version.to_string() + ": "));
    }
    documents_read[key] = {*address, *node};
    return node;
}

OpenApi::OpenApi(std::shared_ptr<Transport> transport, const DiscoveryOptions& options) : impl_(std::make_unique<Impl>(std::move(transport), options)) {}

OpenApi::~OpenApi() = default;

Result<Node> OpenApi::document(const GroupVersion& version, std::stop_token stop) {
    if (!impl_->mutex.lock(stop)) return fail(ErrorCode::cancelled, "OpenAPI: cancelled");
    const std::lock_guard held(impl_->mutex, std::adopt_lock);
    return impl_->document(version, std::move(stop));
}

Result<Node> OpenApi::schema(const GroupVersionKind& gvk, std::stop_token stop) {
    if (!impl_->mutex.lock(stop)) return fail(ErrorCode::cancelled, "OpenAPI: cancelled");
    const std::lock_guard held(impl_->mutex, std::adopt_lock);
    const auto missing = [&] { return fail(ErrorCode::not_found, "no matches for kind \"" + gvk.kind + "\" in version \"" + gvk.api_version() + "\""); };
    for (int round = 0; round < 2; ++round) {
        if (round == 1) {
            // Another CRD of the same group version may have come.
            if (steady_clock::now() - impl_->indexed_at < impl_->miss_interval) break;
            impl_->indexed = false;
        }
        const auto document = impl_->document({gvk.group, gvk.version}, stop);
        if (!document && document.error().code == ErrorCode::not_found) return missing();
        if (!document) return std::unexpected(document.error());
        const Node* schemas = document->find_path({"components", "schemas"});
        if (!schemas) continue;
        for (const Node::Entry& e : schemas->entries())
            if (describes(e.value, gvk)) return e.value;
    }
    return missing();
}

void OpenApi::invalidate() {
    const std::lock_guard lock(impl_->mutex);
    impl_->indexed = false;
}

} // namespace weber::kube
