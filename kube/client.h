// The dynamic client: any resource of an API server, as Objects.
//
// Every error carries the server's message, reason, HTTP status and causes (`Error::details`), and the object's subject.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/object.h"
#include "kube/discovery.h"
#include "kube/kubeconfig.h"
#include "kube/openapi.h"
#include "kube/transport.h"

namespace weber::kube {

// How long, and until when somebody says stop.
struct Call {
    std::stop_token stop = {};
    std::chrono::milliseconds timeout{0}; // 0 = the transport's default
};

// Names an object for reading and deleting.
struct ObjectRef {
    GroupVersionKind gvk; // an empty version means the server's preferred one
    std::string ns = {};
    std::string name;

    [[nodiscard]] ObjectKey key() const { return {gvk.group, gvk.kind, ns, name}; }
};
ObjectRef ref_of(const Object& object);

struct GetOptions {
    bool metadata_only = false; // PartialObjectMetadata; the object keeps the real apiVersion and kind
    std::string resource_version = {};
};

struct ListOptions {
    std::string ns = {}; // "" = all namespaces, or a cluster-scoped kind
    std::string label_selector = {};
    std::string field_selector = {};
    std::string resource_version = {};
    std::string resource_version_match = {}; // NotOlderThan, Exact
    int limit = 500;                         // a page; 0 = everything in one answer
    bool metadata_only = false;
};

struct ObjectList {
    std::vector<Object> items; // each with apiVersion and kind
    std::string resource_version;
};

struct WriteOptions {
    std::string field_manager = {};
    bool dry_run = false;
    std::string subresource = {};      // "status", "scale" …
    std::string field_validation = {}; // Strict, Warn, Ignore; "" = the server's default
};

struct ApplyOptions {
    std::string field_manager;
    bool force = false;
    bool dry_run = false;
    std::string subresource = {};
    std::string field_validation = {};
};

struct Written {
    Object object;
    bool created = false;                   // the server answered 201
    std::vector<std::string> warnings = {}; // texts of its Warning headers
};

enum class PatchType : std::uint8_t { json, merge, strategic };
enum class Propagation : std::uint8_t { server_default, background, foreground, orphan };

struct DeleteOptions {
    Propagation propagation = Propagation::server_default;
    std::string uid = {};              // precondition
    std::string resource_version = {}; // precondition
    std::int64_t grace_period_seconds = -1; // < 0 = the server's default
    bool dry_run = false;
};

// Requests by verb since the client was made; dry runs are counted apart. Retries count once.
struct RequestCounts {
    std::uint64_t get = 0, list = 0, watch = 0;
    std::uint64_t create = 0, update = 0, patch = 0, apply = 0, remove = 0;
    std::uint64_t dry_run = 0; // of any writing verb

    [[nodiscard]] std::uint64_t writes() const { return create + update + patch + apply + remove; }
    friend RequestCounts operator+(const RequestCounts& a, const RequestCounts& b) {
        return {.get = a.get + b.get,          .list = a.list + b.list,       .watch = a.watch + b.watch,
                .create = a.create + b.create, .update = a.update + b.update, .patch = a.patch + b.patch,
                .apply = a.apply + b.apply,    .remove = a.remove + b.remove, .dry_run = a.dry_run + b.dry_run};
    }
};

// A field-manager conflict, as parsed from the causes of a 409.
struct FieldConflict {
    std::string manager;   // kubectl
    std::string operation; // "Apply" or "Update"
    std::string version = {};     // of an Update: apps/v1
    std::string subresource = {};
    std::string field;     // .spec.replicas
};
std::vector<FieldConflict> conflicts_of(const Error& error);

// True for the 409 that names other field managers (not for the optimistic lock's).
bool is_field_conflict(const Error& error);

// True for the 404 of an address that the server does not have at all (as when a CRD is gone), not of an object.
bool is_unknown_address(const Error& error);

// Thread-safe. Calls block. A namespaced object without a namespace is an error as client-go's
// (`an empty namespace may not be set when a resource name is provided`) for get, update and delete, `… during creation` for create;
// a patch is sent to the path without one and the server answers 404 (`apply.md` 1.2).
class Client {
public:
    // Over libcurl. Connects with the first request only.
    static Result<std::shared_ptr<Client>> connect(const ClientConfig& config, DiscoveryOptions discovery = {});
    explicit Client(std::shared_ptr<Transport> transport, DiscoveryOptions discovery = {});
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] Transport& transport() { return *transport_; }
    [[nodiscard]] Discovery& discovery() { return discovery_; }
    [[nodiscard]] OpenApi& open_api() { return open_api_; }

    Result<Object> get(const ObjectRef& ref, const GetOptions& options = {}, const Call& call = {});
    // nullopt when there is none.
    Result<std::optional<Object>> find(const ObjectRef& ref, const GetOptions& options = {}, const Call& call = {});
    // By index, at most `in_flight` at a time.
    std::vector<Result<Object>> get_all(std::span<const ObjectRef> refs, std::size_t in_flight, const GetOptions& options = {},
                                        const Call& call = {});

    // All pages. When a page's continue token expired (410) the list starts anew, once, without pages.
    Result<ObjectList> list(const GroupVersionKind& gvk, const ListOptions& options = {}, const Call& call = {});
    // The same page by page, so that only one page is in memory; gives the list's resourceVersion. `restart` is true with the first page, and again
    // when the list had to start anew: what came before may be out of date.
    using PageHandler = std::function<void(std::vector<Object> page, bool restart)>;
    Result<std::string> list_pages(const GroupVersionKind& gvk, const ListOptions& options, const PageHandler& on_page, const Call& call = {});

    Result<Written> create(const Object& object, const WriteOptions& options = {}, const Call& call = {});
    Result<Written> update(const Object& object, const WriteOptions& options = {}, const Call& call = {});
    Result<Written> patch(const ObjectRef& ref, PatchType type, const Node& patch, const WriteOptions& options = {}, const Call& call = {});

    // Server-side apply of the object as it is (`apply.md` 1.2).
    Result<Written> apply(const Object& object, const ApplyOptions& options, const Call& call = {});
    // By index; every error is reported, none stops the others.
    std::vector<Result<Written>> apply_all(std::span<const Object> objects, const ApplyOptions& options, std::size_t in_flight,
                                           const Call& call = {});

    // True when the object is gone already, false when it stays for finalizers or grace. 404 is an error (not_found).
    Result<bool> remove(const ObjectRef& ref, const DeleteOptions& options = {}, const Call& call = {});
    std::vector<Result<bool>> remove_all(std::span<const ObjectRef> refs, const DeleteOptions& options, std::size_t in_flight,
                                         const Call& call = {});

    // Any path, e.g. "/version"; the JSON answer, or the text as a string node.
    Result<Node> get_raw(std::string_view target, const Call& call = {});

    [[nodiscard]] RequestCounts counts() const;
    void count_watch() { ++counters_.watch; }

    // May a watch ask for the initial list in its stream? True until a server refused it once.
    [[nodiscard]] bool streaming_lists() const { return streaming_lists_; }
    void streaming_lists_refused() { streaming_lists_ = false; }

private:
    struct Counters {
        std::atomic<std::uint64_t> get{0}, list{0}, watch{0}, create{0}, update{0}, patch{0}, apply{0}, remove{0}, dry_run{0};
    };
    Result<ApiResource> resource_of(const GroupVersionKind& gvk, const Call& call);
    // The answer says that the address itself is unknown, so what is known of the group is out of date.
    template <class T>
    void check_address(const Result<T>& result, const std::string& group);
    Result<HttpRequest> object_request(std::string_view method, const GroupVersionKind& gvk, std::string_view ns, std::string_view name,
                                       std::string_view subresource, const Call& call);
    Result<HttpRequest> apply_request(const Object& object, const ApplyOptions& options, const Call& call);
    Result<HttpRequest> get_request(const ObjectRef& ref, const GetOptions& options, const Call& call);
    Result<HttpRequest> remove_request(const ObjectRef& ref, const DeleteOptions& options, const Call& call);
    Result<Written> write(HttpRequest request, const ObjectKey& key, const Call& call);

    std::shared_ptr<Transport> transport_;
    Discovery discovery_;
    OpenApi open_api_;
    Counters counters_;
    std::atomic<bool> streaming_lists_{true};
};

// The Error of an HTTP answer that is not 2xx: a Status object, or plain text. `what` goes before a text that stands alone.
Error error_of_response(const HttpResponse& response);
// The same of a Status object, e.g. from a watch's ERROR event.
Error error_of_status(const Node& status);

} // namespace weber::kube
