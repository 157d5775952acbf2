#include "kube/lease.h"

#include <condition_variable>
#include <random>
#include <thread>

#include "kube/pause.h"

namespace weber::kube {

using std::chrono::milliseconds;

namespace {

constexpr double kJitterFactor = 1.2;

const GroupVersionKind kLease{"coordination.k8s.io", "v1", "Lease"};

std::int64_t int_of(const Object& lease, std::string_view field) {
    const Node* value = lease.at({"spec", field});
    return value ? value->as_int().value_or(0) : 0;
}

std::string holder_of(const Object& lease) {
    const Node* value = lease.at({"spec", "holderIdentity"});
    return value ? std::string(value->text()) : std::string();
}

milliseconds jittered(milliseconds period) {
    thread_local std::minstd_rand random{std::random_device{}()};
    return milliseconds(static_cast<long>(static_cast<double>(period.count()) * std::uniform_real_distribution<double>(1, 1 + kJitterFactor)(random)));
}

} // namespace

Result<std::unique_ptr<LeaderElector>> LeaderElector::create(std::shared_ptr<Client> client, LeaseOptions o, LeaseCallbacks callbacks,
                                                             const Clock& clock) {
    if (o.ns.empty() || o.name.empty() || o.identity.empty())
        return fail(ErrorCode::invalid, "leader election: namespace, name and identity must be given");
    if (o.duration <= o.renew_deadline) return fail(ErrorCode::invalid, "leader election: the lease duration must be greater than the renew deadline");
    if (static_cast<double>(o.renew_deadline.count()) <= kJitterFactor * static_cast<double>(o.retry_period.count()))
        return fail(ErrorCode::invalid, "leader election: the renew deadline must be greater than 1.2 times the retry period");
    if (o.duration < std::chrono::seconds(1) || o.retry_period.count() < 1)
        return fail(ErrorCode::invalid, "leader election: the lease duration must be at least 1s, the retry period greater than zero");
    return std::unique_ptr<LeaderElector>(new LeaderElector(std::move(client), std::move(o), std::move(callbacks), clock));
}

LeaderElector::LeaderElector(std::shared_ptr<Client> client, LeaseOptions options, LeaseCallbacks callbacks, const Clock& clock)
    : client_(std::move(client)), options_(std::move(options)), callbacks_(std::move(callbacks)), clock_(clock) {}

// A try that hangs must leave time for another one before the deadline (controller-runtime: half of it).
Call LeaderElector::call(std::stop_token stop) const { return {.stop = std::move(stop), .timeout = std::max(options_.renew_deadline / 2, milliseconds(1))}; }

bool LeaderElector::is_leader() const {
    const std::lock_guard lock(mutex_);
    return holder_ == options_.identity;
}

std::string LeaderElector::leader() const {
    const std::lock_guard lock(mutex_);
    return holder_;
}

bool LeaderElector::healthy(milliseconds tolerance) const {
    const std::lock_guard lock(mutex_);
    return holder_ != options_.identity || clock_.monotonic() - observed_at_ <= options_.duration + tolerance;
}

// Our spec now. What is not ours to say (strategy, preferredHolder …) is kept from `before`.
Node LeaderElector::fresh_spec(const Node* before) const {
    const std::string now = format_rfc3339_micro(clock_.now());
    Node spec = before ? *before : Node::map();
    spec.set("holderIdentity", Node::string(options_.identity));
    spec.set("leaseDurationSeconds", Node::integer(std::chrono::duration_cast<std::chrono::seconds>(options_.duration).count()));
    spec.set("acquireTime", Node::string(now));
    spec.set("renewTime", Node::string(now));
    return spec;
}

// Time counts from when the record was last seen to change, on our own clock: clocks of other machines do not matter.
void LeaderElector::observe(const Object& lease) {
    const std::lock_guard lock(mutex_);
    const Node* before = observed_.at({"spec"});
    const Node* now = lease.at({"spec"});
    const bool same = before && now && *before == *now;
    observed_ = lease;
    holder_ = holder_of(lease);
    if (!same) observed_at_ = clock_.monotonic();
}

bool LeaderElector::still_valid() const {
    const std::lock_guard lock(mutex_);
    return observed_at_ + std::chrono::seconds(int_of(observed_, "leaseDurationSeconds")) > clock_.monotonic();
}

bool LeaderElector::write(Object lease, bool create, const std::stop_token& stop) {
    auto written = create ? client_->create(lease, {}, call(stop)) : client_->update(lease, {}, call(stop));
    if (!written) return false;
    observe(written->object);
    const std::lock_guard lock(mutex_);
    observed_at_ = clock_.monotonic(); // also when two renewals fell into one microsecond
    return true;
}

bool LeaderElector::try_once(std::stop_token stop) {
    Object last;
    {
        const std::lock_guard lock(mutex_);
        last = observed_;
    }
    const auto claim = [&](const Object& seen) {
        const Node* before = seen.at({"spec"});
        Node spec = fresh_spec(before);
        const bool ours = holder_of(seen) == options_.identity;
        if (ours && before && before->contains("acquireTime")) spec.set("acquireTime", *before->find("acquireTime"));
        spec.set("leaseTransitions", Node::integer(int_of(seen, "leaseTransitions") + (ours ? 0 : 1)));
        Object lease = seen;
        lease.root().set("spec", std::move(spec));
        return write(std::move(lease), false, stop);
    };
    // The leader need not read before it writes: the server refuses the write if somebody else wrote.
    if (is_leader() && still_valid() && claim(last)) return true;

    auto read = client_->find({.gvk = kLease, .ns = options_.ns, .name = options_.name}, {}, call(stop));
    if (!read) return false;
    if (!*read) {
        Object lease(Node::map({{"apiVersion", Node::string("coordination.k8s.io/v1")}, {"kind", Node::string("Lease")}}));
        lease.set_name(options_.name);
        lease.set_ns(options_.ns);
        Node spec = fresh_spec(nullptr);
        spec.set("leaseTransitions", Node::integer(0));
        lease.root().set("spec", std::move(spec));
        return write(std::move(lease), true, stop);
    }
    observe(**read);
    if (!leader().empty() && !is_leader() && still_valid()) return false;
    return claim(**read);
}

bool LeaderElector::release() {
    if (!is_leader()) return true;
    auto read = client_->find({.gvk = kLease, .ns = options_.ns, .name = options_.name}, {}, call({}));
    if (!read) return false;
    if (!*read) return true;
    observe(**read);
    if (!is_leader()) return true;
    Object lease = **read;
    Node spec = fresh_spec(lease.at({"spec"}));
    spec.set("holderIdentity", Node::string("", NodeStyle::double_quoted));
    spec.set("leaseDurationSeconds", Node::integer(1));
    lease.root().set("spec", std::move(spec));
    return write(std::move(lease), false, {});
}

void LeaderElector::report_leader() {
    const std::string now = leader();
    if (now == reported_) return;
    reported_ = now;
    if (callbacks_.new_leader) callbacks_.new_leader(now);
}

bool LeaderElector::acquire(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const bool won = try_once(stop);
        report_leader();
        if (won) return true;
        pause_for(jittered(options_.retry_period), stop);
    }
    return false;
}

// Tries until it is renewed; false when the deadline passed or another process holds the Lease: it works already (client-go goes on until the deadline).
bool LeaderElector::renew(const std::stop_token& stop) {
    const auto deadline = clock_.monotonic() + options_.renew_deadline;
    for (;;) {
        const bool renewed = try_once(stop);
        report_leader();
        if (renewed) return true;
        if (const std::string now = leader(); !now.empty() && now != options_.identity) return false;
        if (stop.stop_requested()) return true; // nothing left to lead; the caller releases
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock_.monotonic());
        if (left.count() <= 0) return false;
        pause_for(std::min(left, options_.retry_period), stop);
        if (clock_.monotonic() >= deadline) return false;
    }
}

// True when it ended because of `stop`, false when the Lease was lost.
bool LeaderElector::lead(const std::stop_token& stop) {
    std::stop_source finished; // stop was requested and the work has returned
    std::mutex mutex;
    bool work_ended = false;
    const auto finish = [&] {
        const std::lock_guard lock(mutex);
        if (work_ended && stop.stop_requested()) finished.request_stop();
    };
    std::jthread work([&](std::stop_token token) {
        if (callbacks_.started) callbacks_.started(std::move(token));
        {
            const std::lock_guard lock(mutex);
            work_ended = true;
        }
        finish();
    });
    const std::stop_callback on_stop(stop, [&] {
        work.request_stop();
        finish();
    });
    bool held = true;
    while (held && pause_for(options_.retry_period, finished.get_token())) held = renew(finished.get_token());
    work.request_stop();
    work.join();
    return held;
}

LeaseEnd LeaderElector::run(std::stop_token stop) {
    LeaseEnd end = LeaseEnd::cancelled;
    if (acquire(stop)) {
        if (!lead(stop)) end = LeaseEnd::lost;
        if (options_.release_on_cancel) {
            (void)release(); // when it fails the Lease runs out by itself
            report_leader();
        }
    }
    if (callbacks_.stopped) callbacks_.stopped();
    return end;
}

} // namespace weber::kube
