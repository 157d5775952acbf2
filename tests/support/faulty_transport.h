// A Transport that fails on command, put before a real one: what happens to callers when the API server or the network misbehaves.
// It also counts requests by Kubernetes verb.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "kube/transport.h"

namespace weber::testing {

enum class FaultKind : std::uint8_t {
    conflict,     // 409, the optimistic lock's
    throttled,    // 429 with Retry-After: 1
    server_error, // 500 InternalError
    forbidden,    // 403, as an admission webhook denies
    not_served,   // 404 in plain text: no such path (yet)
    cut,          // the connection is lost: an Error, no answer
    stall,        // no answer until the call's deadline (or `stall_limit`) or its cancellation
    late,         // goes to the server `late_by` later
    exception,    // std::runtime_error in the caller's thread: a defect of the program
};

// Which requests fail: those that match `verb` and `path`, and of them the `nth` (from 1), or each with `probability`.
struct FaultRule {
    FaultKind kind;
    std::string verb = {}; // as `verb_of` says; "" = any
    std::string path = {}; // a part of the target; "" = any
    int nth = 0;
    double probability = 0;
    int times = 1 << 30;   // at most so often
    bool after = false;    // the server gets and obeys the request, only the answer is lost or replaced
};

// get, list, watch, create, update, patch, apply, delete, deletecollection; "other" for discovery, /version and the like. A dry run is "dry-run " and the verb.
std::string verb_of(const kube::HttpRequest& request);

// Thread-safe.
class FaultyTransport : public kube::Transport {
public:
    explicit FaultyTransport(std::shared_ptr<kube::Transport> real, unsigned seed = 1) : real_(std::move(real)), random_(seed) {}

    void fail(FaultRule rule);
    void heal(); // forgets all rules, and their counts

    // Requests since the start, those that failed included.
    [[nodiscard]] int count(const std::string& verb) const;
    [[nodiscard]] std::map<std::string, int> counts() const;
    [[nodiscard]] int writes() const; // create, update, patch, apply, delete, deletecollection; no dry runs
    [[nodiscard]] int faults() const; // that were made
    void reset_counts();

    std::chrono::milliseconds stall_limit{60'000}; // for calls without a deadline
    std::chrono::milliseconds late_by{3'000};

    kube::Result<kube::HttpResponse> send(kube::HttpRequest request, std::stop_token stop = {}) override;
    std::vector<kube::Result<kube::HttpResponse>> send_all(std::vector<kube::HttpRequest> requests, std::size_t in_flight,
                                                           std::stop_token stop = {}) override;
    // `cut` ends a stream with its first piece; the other kinds refuse it.
    kube::Result<kube::HttpResponse> stream(kube::HttpRequest request, const kube::ChunkHandler& on_chunk, std::stop_token stop = {}) override;

private:
    struct Armed {
        FaultRule rule;
        int matched = 0;
        int made = 0;
    };
    std::optional<FaultRule> decide(const kube::HttpRequest& request);
    kube::Result<kube::HttpResponse> make(const FaultRule& rule, const kube::HttpRequest& request, const std::stop_token& stop) const;

    const std::shared_ptr<kube::Transport> real_;
    mutable std::mutex mutex_; // guards the rest
    std::mt19937 random_;
    std::vector<Armed> rules_;
    std::map<std::string, int> counts_;
    int faults_ = 0;
};

} // namespace weber::testing
