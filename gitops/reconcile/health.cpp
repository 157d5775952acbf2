#include "gitops/reconcile/health.h"

#include <algorithm>

#include "kube/base/selector.h"

namespace weber::gitops {

HealthEnd given_up(const Error& why, std::vector<std::string> details) {
    return {.healthy = false, .cancelled = why.code == ErrorCode::cancelled, .message = why.message, .details = std::move(details)};
}

HealthTracker::HealthTracker(std::vector<kube::ObjectKey> keys, HealthSettings settings)
    : keys_(std::move(keys)), settings_(std::move(settings)), states_(keys_.size()) {}

void HealthTracker::observe(std::size_t index, const kube::Observation& seen, std::span<const Object> pods) {
    State& state = states_[index];
    state = {.known = true};
    using Seen = kube::Observation::State;
    if (seen.state == Seen::absent) {
        state.code = kube::StatusCode::not_found;
        state.message = "Resource not found";
        return;
    }
    if (seen.state == Seen::unknown) {
        state.error = seen.error ? seen.error->message : "";
        return;
    }
    std::optional<Result<kube::Status>> status;
    if (settings_.reader) status = settings_.reader(seen.object);
    if (!status) status = kube::compute_flux_status(seen.object);
    if (!*status) {
        state.error = status->error().message;
        return;
    }
    kube::Status judged = std::move(**status);
    if (judged.code == kube::StatusCode::in_progress && !pods.empty()) judged = kube::with_pods(std::move(judged), pods);
    state.code = judged.code;
    state.message = std::move(judged.message);
}

void HealthTracker::judge(std::size_t index, kube::StatusCode code, std::string message, std::string error) {
    states_[index] = {.known = true, .code = code, .message = std::move(message), .error = std::move(error)};
}

bool HealthTracker::done(std::size_t i) const {
    if (states_[i].code == kube::StatusCode::current) return true;
    return states_[i].code == kube::StatusCode::not_found && settings_.may_vanish.contains(keys_[i]);
}

bool HealthTracker::ended() const {
    bool all_terminal = true;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const bool failed = states_[i].code == kube::StatusCode::failed;
        if (failed && settings_.fail_fast) return true;
        all_terminal = all_terminal && (failed || done(i));
    }
    return all_terminal;
}

std::size_t HealthTracker::ready() const {
    std::size_t n = 0;
    for (std::size_t i = 0; i < states_.size(); ++i) n += done(i) ? 1 : 0;
    return n;
}

std::vector<std::string> HealthTracker::waiting() const {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (done(i)) continue;
        const State& s = states_[i];
        const std::string& why = s.error.empty() ? s.message : s.error;
        out.push_back(keys_[i].subject() + " " + std::string(to_string(s.code)) + (why.empty() ? "" : ": " + why));
    }
    std::ranges::sort(out);
    return out;
}

HealthEnd HealthTracker::conclude(bool timed_out) const {
    std::vector<std::string> bad;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const State& s = states_[i];
        if (done(i)) continue;
        if (!s.known && !timed_out) continue;
        if (!s.known && settings_.may_vanish.contains(keys_[i])) continue;
        if (!s.known)
            bad.push_back("can't determine status for " + keys_[i].subject());
        else if (s.code == kube::StatusCode::failed || timed_out)
            bad.push_back(keys_[i].subject() + " status: '" + std::string(to_string(s.code)) + "'" + (s.error.empty() ? "" : ": " + s.error));
    }
    if (bad.empty()) return {};
    std::ranges::sort(bad);
    HealthEnd end{.healthy = false, .timed_out = timed_out, .message = timed_out ? "timeout waiting for: [" : "failed early due to stalled resources: ["};
    for (std::size_t i = 0; i < bad.size(); ++i) end.message += (i == 0 ? "" : ", ") + bad[i];
    end.message += "]";
    end.details = waiting();
    return end;
}

std::vector<Object> pods_of(kube::Client& client, const Object& workload, std::stop_token stop) {
    const Node* selector = workload.at({"spec", "selector"});
    if (selector == nullptr) return {};
    auto list = client.list({"", "v1", "Pod"}, {.ns = std::string(workload.ns()), .label_selector = kube::selector_text(*selector)}, {.stop = std::move(stop)});
    return list ? std::move(list->items) : std::vector<Object>{};
}

Result<void> check_scopes(kube::Client& client, std::span<const kube::ObjectRef> refs, const std::stop_token& stop) {
    for (const kube::ObjectRef& ref : refs) {
        if (!ref.ns.empty()) continue;
        const auto resource = client.discovery().preferred(ref.gvk.group_kind(), stop);
        if (resource && resource->namespaced)
            return fail(Error{.code = ErrorCode::invalid,
                              .message = "resource " + ref.gvk.group_kind().to_string() + " " + ref.name + " is namespace scoped, but namespace is not set",
                              .object = ref.key().subject()});
    }
    return {};
}

Result<HealthEnd> wait_healthy(kube::Client& client, std::span<const kube::ObjectRef> refs, const HealthSettings& settings, const HealthProgress& progress,
                               std::stop_token stop) {
    TRY_VOID(check_scopes(client, refs, stop));
    std::vector<kube::ObjectKey> keys;
    for (const kube::ObjectRef& ref : refs) keys.push_back(ref.key());
    HealthTracker tracker(std::move(keys), settings);
    const auto on_change = [&](std::size_t index, const kube::Observation& seen) {
        std::vector<Object> pods;
        if (seen.state == kube::Observation::State::present && kube::needs_pods(seen.object)) {
            const auto own = kube::compute_flux_status(seen.object);
            if (own && own->code == kube::StatusCode::in_progress) pods = pods_of(client, seen.object, stop);
        }
        tracker.observe(index, seen, pods);
        if (progress) progress(tracker.ready(), tracker.size(), tracker.waiting());
        return tracker.ended();
    };
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(settings.timeout);
    TRY(const kube::WaitEnd end, kube::wait_for(client, refs, on_change, {.timeout = timeout}, std::move(stop)));
    return tracker.conclude(end == kube::WaitEnd::timed_out);
}

} // namespace weber::gitops
