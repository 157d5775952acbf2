// Are objects healthy yet (apply.md 6, readiness.md 3 to 6)? A tracker that judges what it is shown, and a wait that feeds it from watches.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "kube/client.h"
#include "kube/kstatus.h"
#include "kube/watch.h"

namespace weber::gitops {

// Judges an object in place of kstatus; nullopt: not of a kind it knows. An error counts as Unknown. Must be thread-safe.
using StatusReader = std::function<std::optional<Result<kube::Status>>(const Object& object)>;

struct HealthSettings {
    std::chrono::nanoseconds timeout{std::chrono::minutes(5)};
    bool fail_fast = true;                          // one Failed object ends the wait
    std::set<kube::ObjectKey> may_vanish = {};      // Jobs with ttlSecondsAfterFinished: not found counts as done
    StatusReader reader = {};                       // asked first
};

struct HealthEnd {
    bool healthy = true;
    bool timed_out = false;
    bool cancelled = false;                // the caller gave up: a stop was requested
    std::string message = {};              // Flux's words; "" when healthy
    std::vector<std::string> details = {}; // one line an object that is not ready: "Kind/ns/name InProgress: what kstatus says"
};

// Of a wait that ended with an error, for what was still waited for.
HealthEnd given_up(const Error& why, std::vector<std::string> details = {});

// Holds the last known status of each object. Not thread-safe; no I/O, so that an agent can keep one for each wait and no worker.
class HealthTracker {
public:
    HealthTracker(std::vector<kube::ObjectKey> keys, HealthSettings settings);

    // `pods`: of objects for which kube::needs_pods; may be empty.
    void observe(std::size_t index, const kube::Observation& seen, std::span<const Object> pods = {});
    // The same for who judged already: `error` is why it could not.
    void judge(std::size_t index, kube::StatusCode code, std::string message, std::string error = {});
    // All Current; or one Failed with fail_fast; or all Current or Failed.
    [[nodiscard]] bool ended() const;
    [[nodiscard]] HealthEnd conclude(bool timed_out) const;

    [[nodiscard]] std::size_t ready() const;
    [[nodiscard]] std::size_t size() const { return keys_.size(); }
    [[nodiscard]] std::vector<std::string> waiting() const; // as HealthEnd::details

private:
    struct State {
        bool known = false;
        kube::StatusCode code = kube::StatusCode::unknown;
        std::string message = {}, error = {};
    };
    [[nodiscard]] bool done(std::size_t i) const; // Current, or rightly gone

    std::vector<kube::ObjectKey> keys_;
    HealthSettings settings_;
    std::vector<State> states_;
};

// Pods that a workload selects (kube::needs_pods); empty when they cannot be listed: its own status stands then.
std::vector<Object> pods_of(kube::Client& client, const Object& workload, std::stop_token stop = {});

// A namespaced kind without a namespace cannot be read: `resource <Kind.group> <name> is namespace scoped, but namespace is not set`. Kinds that are not known yet may come.
Result<void> check_scopes(kube::Client& client, std::span<const kube::ObjectRef> refs, const std::stop_token& stop = {});

using HealthProgress = std::function<void(std::size_t ready, std::size_t total, const std::vector<std::string>& waiting)>;

// Blocks until the tracker has ended or the time is over; objects are watched, not polled. `progress` is called when something changed, on any thread,
// never twice at once. Errors: cancelled (`context canceled`), invalid (a namespaced kind without a namespace).
Result<HealthEnd> wait_healthy(kube::Client& client, std::span<const kube::ObjectRef> refs, const HealthSettings& settings, const HealthProgress& progress = {},
                               std::stop_token stop = {});

} // namespace weber::gitops
