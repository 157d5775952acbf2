// The objects of the embedded server: in memory as the JSON that is served, on disk in SQLite (WAL), one global resourceVersion.
//
// A write is visible to readers at once, but acknowledged, and shown to watchers, only when it is on disk: one writer
// thread commits all writes that came meanwhile in one transaction (group commit). With no path the store lives in memory
// only and acknowledges at once.
//
// Each resource keeps a bounded log of its last events for watches to resume from. Watchers hold a position, never a queue.
//
// Thread-safety: all calls from any thread. Callbacks run on the writer thread (or the caller's, without a path), never
// under the store's lock; they must not block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/base/error.h"

namespace weber::kube::server {

// What the store knows about an object besides its bytes. Immutable once stored.
struct StoredObject {
    std::string ns, name, uid;
    std::uint64_t rv = 0;
    std::string json; // complete object in its storage version, with its resourceVersion
    std::vector<std::pair<std::string, std::string>> labels;
    std::vector<std::string> owner_uids;
    bool deleting = false; // has a deletionTimestamp
};
using ObjectPtr = std::shared_ptr<const StoredObject>;

// The text that stands for the not yet known resourceVersion in the JSON given to `commit`: the first
// occurrence of `"resourceVersion":"@rv@"` is replaced.
inline constexpr std::string_view kRvPlaceholder = "@rv@";

struct StoreEvent {
    enum class Type : std::uint8_t { added, modified, deleted };
    Type type = Type::added;
    std::uint64_t rv = 0;
    ObjectPtr object;   // for deleted: the last state, with the deletion's resourceVersion
    ObjectPtr previous; // null for added
};

struct StoreOptions {
    std::string path;                      // SQLite file; empty = memory only
    std::size_t log_events = 4096;         // per resource
    std::size_t log_bytes = 4u << 20;      // old states kept alive by one resource's log
};

struct ObjectRef {
    std::string resource, ns, name;
};

// One write. `resource` is "group/plural" ("" group: "/configmaps").
struct StoreWrite {
    std::string resource;
    // Live object that the write was computed from; null = must not exist. Compared by identity of version.
    ObjectPtr expected;
    StoredObject next;   // rv is filled in; for a deletion: the final state
    bool remove = false; // the object goes; `next` is what watchers see last
};

class Store {
public:
    static Result<std::unique_ptr<Store>> open(StoreOptions options);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    [[nodiscard]] ObjectPtr get(std::string_view resource, std::string_view ns, std::string_view name) const;

    struct Page {
        std::uint64_t rv = 0;              // of the whole store when the page was read
        std::vector<ObjectPtr> objects;    // by namespace, then name
        std::size_t remaining = 0;         // objects after this page
    };
    // `ns` empty = all namespaces. Starts after (after_ns, after_name) when given. `limit` 0 = all.
    [[nodiscard]] Page list(std::string_view resource, std::string_view ns, std::size_t limit = 0,
                            const std::optional<std::pair<std::string, std::string>>& after = {}) const;
    [[nodiscard]] std::size_t count(std::string_view resource) const;
    // Resources that have objects in a namespace.
    [[nodiscard]] std::vector<std::string> resources_in(std::string_view ns) const;
    // Names of all resources that hold objects.
    [[nodiscard]] std::vector<std::string> resources() const;

    // The object with this uid, or nullopt.
    [[nodiscard]] std::optional<ObjectRef> find_uid(std::string_view uid) const;
    // Objects that name this uid in their ownerReferences.
    [[nodiscard]] std::vector<ObjectRef> dependents(std::string_view uid) const;

    // The stored object, or nullptr when the live object is not `expected` any more (read again, try again).
    // `done` is called once, when the write is on disk (error: it is not, the disk failed). Not called when nullptr is returned.
    using Done = std::function<void(const Result<void>&)>;
    ObjectPtr commit(StoreWrite write, Done done);

    [[nodiscard]] std::uint64_t current_rv() const;
    [[nodiscard]] std::uint64_t durable_rv() const; // all events up to here are in the logs
    // Returns when the events up to `rv` (that a write was given) are in the logs, or the disk failed. Not for callbacks: it blocks.
    void wait_durable(std::uint64_t rv) const;

    // ---- watching -----------------------------------------------------------------------------------
    // Events of a resource with rv > since, oldest first, at most `max`. nullopt: `since` is older than the log (410).
    struct Batch {
        std::vector<StoreEvent> events;
        std::uint64_t up_to = 0; // nothing of this resource between since and here is missing from `events`
    };
    [[nodiscard]] std::optional<Batch> events_after(std::string_view resource, std::uint64_t since, std::size_t max) const;
    // Oldest resourceVersion that a watch of this resource may start from.
    [[nodiscard]] std::uint64_t oldest_rv(std::string_view resource) const;
    // Calls `wake` after new events of the resource are in its log. Returns a handle for `unsubscribe`.
    std::uint64_t subscribe(std::string_view resource, std::function<void()> wake);
    void unsubscribe(std::string_view resource, std::uint64_t handle);
    // Calls those that subscribed: something but its objects changed. Not under a lock that they take.
    void wake(std::string_view resource) const;
    // One observer of all events in order (the controllers). Set before the first write.
    void set_observer(std::function<void(const std::string& resource, const StoreEvent&)> observer);

    // Waits until all writes are on disk and ends the writer thread. Idempotent; writes fail afterwards.
    void close();

    // Reads labels, owners etc. out of stored JSON when the store is opened.
    using Decode = bool (*)(StoredObject&);
    static void set_decoder(Decode decode);

private:
    struct Impl;
    explicit Store(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace weber::kube::server
