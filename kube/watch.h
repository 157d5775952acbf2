// List and watch: what is there, then what changes, for as long as the caller wants.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "kube/base/object.h"
#include "kube/client.h"

namespace weber::kube {

enum class WatchEventKind : std::uint8_t {
    added,    // also every object of the first list
    modified,
    deleted,  // the object's last state; only its identity when it vanished while we were not connected
    synced,   // the first list is complete; no object
    trouble,  // the connection is lost or refused, the watch goes on by itself; `error` says why
};

struct WatchEvent {
    WatchEventKind kind;
    Object object = {};
    std::optional<Error> error = {};
};

struct WatchTarget {
    GroupVersionKind gvk; // an empty version means the server's preferred one
    std::string ns = {};  // "" = all
    std::string label_selector = {};
    std::string field_selector = {};
    bool metadata_only = false;
};

struct WatchOptions {
    std::chrono::milliseconds backoff_min{200}; // doubled up to backoff_max, ±50 %
    std::chrono::milliseconds backoff_max{30'000};
    // The server is asked to end each watch after a random time between this and twice this (client-go: 5 to 10 minutes).
    std::chrono::seconds round{300};
    // A watch that the server has not ended that long after its time is cut off: its connection is stalled.
    std::chrono::milliseconds grace{30'000};
    // The first list comes in the watch's own stream where the server offers that, else by pages of 500.
    bool streaming_list = true;
    // Errors that cannot mend by themselves (forbidden, unauthorized, unknown kind) end the watch. False: they are `trouble` and retried.
    bool fail_on_refusal = false;
};

// False ends the watch.
using WatchHandler = std::function<bool(const WatchEvent&)>;

// Blocks; events come on the caller's thread, in order, none twice (an object whose resourceVersion did not change is not repeated after a
// reconnect). Resumes from the last resourceVersion or bookmark; lists anew after 410, and when a server that could not be reached comes
// back with an older store (smaller versions). Keeps one short entry a live object, so that deletions that happened meanwhile are reported.
// Returns when the handler said false; error cancelled when `stop` was requested; else only with `fail_on_refusal`.
Result<void> watch(Client& client, const WatchTarget& target, const WatchHandler& handler, const WatchOptions& options = {},
                   std::stop_token stop = {});

// What is known about one object.
struct Observation {
    enum class State : std::uint8_t { unknown, present, absent } state = State::unknown;
    Object object = {};               // when present
    std::optional<Error> error = {};  // why it is unknown (no such kind, forbidden, connection lost)
};

struct WaitOptions {
    std::chrono::milliseconds timeout{60'000};
    // All observations are shown again that often, for predicates that depend on time.
    std::chrono::milliseconds recheck{5'000};
    WatchOptions watch = {};
};

enum class WaitEnd : std::uint8_t { satisfied, timed_out };

// Called with the index of the object that changed. True ends the wait. Never called by two threads at once.
using WaitPredicate = std::function<bool(std::size_t index, const Observation& seen)>;

// Watches all objects of `refs` (one watch for each kind and namespace, by field selector when it is only one object) until the predicate says
// true or the time is over. Every object is shown at least once unless its first answer never came. No refs: satisfied at once.
// Error: cancelled. Kinds unknown to the server are looked up again with back-off.
Result<WaitEnd> wait_for(Client& client, std::span<const ObjectRef> refs, const WaitPredicate& predicate, const WaitOptions& options = {},
                         std::stop_token stop = {});

} // namespace weber::kube
