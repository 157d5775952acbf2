// Leader election over a coordination.k8s.io/v1 Lease, with the rules of client-go's leaderelection package: of all processes that name
// the same Lease, one at a time leads.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "kube/base/clock.h"
#include "kube/client.h"

namespace weber::kube {

struct LeaseOptions {
    std::string ns;
    std::string name;
    std::string identity; // of this process, unique; customarily <host>_<uuid>
    // Defaults: `kustomization.md` 8.1. Others may take the Lease over when it was not renewed for `duration` (whole seconds on the wire).
    std::chrono::milliseconds duration{35'000};
    std::chrono::milliseconds renew_deadline{30'000}; // a leader that cannot renew for so long gives up
    std::chrono::milliseconds retry_period{5'000};    // between tries; while waiting to lead up to 2.2 times as long
    bool release_on_cancel = true;                    // a stopped leader frees the Lease, so that the next one need not wait
};

struct LeaseCallbacks {
    // Runs on a thread of its own while this process leads; must return soon after `stop` is requested.
    std::function<void(std::stop_token stop)> started = {};
    // When `run` ends, also if it never led (as client-go).
    std::function<void()> stopped = {};
    // Whenever another identity was seen to hold the Lease, ours included. "" = it was released.
    std::function<void(const std::string& identity)> new_leader = {};
};

enum class LeaseEnd : std::uint8_t {
    cancelled, // `stop` was requested
    lost,      // could not renew in time; another process may lead
};

// Thread-safe but for `run` and `try_once`, which are called by one thread at a time.
class LeaderElector {
public:
    // Errors: invalid, when the durations do not fit (duration > renew_deadline > 1.2 × retry_period, all ≥ 1 ms, duration ≥ 1 s) or a name is missing.
    static Result<std::unique_ptr<LeaderElector>> create(std::shared_ptr<Client> client, LeaseOptions options, LeaseCallbacks callbacks = {},
                                                         const Clock& clock = system_clock());

    // Blocks: waits to lead, leads, renews. Unlike client-go it goes on renewing after a stop until `started` has returned, and
    // frees the Lease only then: no two processes work at once.
    LeaseEnd run(std::stop_token stop);

    // One try to acquire or renew; true when this process holds the Lease. For callers with a loop of their own.
    bool try_once(std::stop_token stop = {});

    // Frees the Lease if this process holds it. False when the server could not be told.
    bool release();

    [[nodiscard]] bool is_leader() const;
    [[nodiscard]] std::string leader() const; // the identity last seen, "" = none

    // False when we think to lead but have not renewed for longer than duration + tolerance: for a liveness probe.
    [[nodiscard]] bool healthy(std::chrono::milliseconds tolerance) const;

private:
    LeaderElector(std::shared_ptr<Client> client, LeaseOptions options, LeaseCallbacks callbacks, const Clock& clock);
    [[nodiscard]] Call call(std::stop_token stop) const;
    [[nodiscard]] Node fresh_spec(const Node* before) const;
    bool write(Object lease, bool create, const std::stop_token& stop);
    void observe(const Object& lease);
    [[nodiscard]] bool still_valid() const;
    void report_leader();
    bool acquire(const std::stop_token& stop);
    bool lead(const std::stop_token& stop);
    bool renew(const std::stop_token& stop);

    const std::shared_ptr<Client> client_;
    const LeaseOptions options_;
    const LeaseCallbacks callbacks_;
    const Clock& clock_;
    std::string reported_;

    mutable std::mutex mutex_; // guards the rest
    Object observed_;          // the Lease as last read or written
    std::string holder_;
    MonotonicTime observed_at_{};
};

} // namespace weber::kube
