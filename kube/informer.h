// A local copy of one kind's objects, kept by list+watch, with callbacks on every change. What controllers read in place of the API server
// (client-go: SharedIndexInformer).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "kube/client.h"
#include "kube/watch.h"

namespace weber::kube {

// What is kept of an object, e.g. without its spec. Called once for each change, on the informer's thread. Identity, uid and resourceVersion
// are put back when it drops them. Memory is what the results hold, plus one short entry an object.
using Projection = std::function<Object(Object whole)>;

struct InformerOptions {
    WatchTarget target;       // kind, namespace, selectors; metadata_only for a watch that never carries more
    WatchOptions watch = {};
    Projection project = {};  // null = everything
    // Asked when the watch is lost or refused, after the handlers were told, on the informer's thread: true ends it for good. Null: never.
    std::function<bool(const Error& error)> give_up = {};
};

// Each function may be empty. Objects are as projected. Called one at a time, in the order of the changes, on the informer's thread;
// a call that lasts delays all that follow. They may read the informer, but not call `stop`, `add_handler` or the destructor.
struct InformerHandler {
    // `initial`: it was there when this handler began, it did not just come to be.
    std::function<void(const Object& object, bool initial)> added = {};
    // Also for an object that was deleted and made anew while the watch was not connected (then the uids differ).
    std::function<void(const Object& before, const Object& after)> updated = {};
    // The last state known; the server's final one unless the deletion was missed.
    std::function<void(const Object& last)> deleted = {};
    // Once, after the objects of the first list.
    std::function<void()> synced = {};
    // The watch is lost or refused and goes on by itself after a pause; for logs and readiness.
    std::function<void(const Error& error)> trouble = {};
};

// Owns one thread. All members are thread-safe; reads never wait for the network or for callbacks.
class Informer {
public:
    // Nothing is asked of the server before `start`.
    Informer(std::shared_ptr<Client> client, InformerOptions options);
    ~Informer(); // stop()
    Informer(const Informer&) = delete;
    Informer& operator=(const Informer&) = delete;

    // At any time. After the start it is first told all that is held (`added` with initial = true, and `synced` if that is so), on the caller's
    // thread, before any later change.
    void add_handler(InformerHandler handler);

    void start(); // idempotent
    void stop();  // idempotent; no callback runs after it returns

    // True once the first list was complete; stays true.
    [[nodiscard]] bool has_synced() const;
    // False when the time was over or `stop` requested before.
    bool wait_synced(std::chrono::milliseconds timeout, std::stop_token stop = {}) const;

    [[nodiscard]] std::optional<Object> get(std::string_view ns, std::string_view name) const;
    [[nodiscard]] std::vector<Object> list(std::string_view ns = {}) const; // "" = all; sorted by namespace, name
    [[nodiscard]] std::size_t size() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace weber::kube
