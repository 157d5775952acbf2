#include "kube/watch.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace weber::kube {

namespace {

using std::chrono::steady_clock;

// More groups than this are not watched but read again with each recheck.
constexpr std::size_t kMaxWatches = 48;
constexpr std::size_t kReadsInFlight = 16;

struct Group {
    WatchTarget target;
    std::map<std::string, std::vector<std::size_t>> members; // "ns/name" → indices of refs
};

Observation observation_of(Result<Object> read) {
    Observation out;
    if (read) {
        out.state = Observation::State::present;
        out.object = std::move(*read);
    } else if (read.error().http_status == 404) {
        out.state = Observation::State::absent;
    } else {
        out.error = std::move(read.error());
    }
    return out;
}

bool same_observation(const Observation& a, const Observation& b) {
    if (a.state != b.state) return false;
    if (a.state == Observation::State::present)
        return a.object.resource_version() == b.object.resource_version() && a.object.uid() == b.object.uid();
    if (a.error.has_value() != b.error.has_value()) return false;
    return !a.error || a.error->message == b.error->message;
}

class Waiter {
public:
    Waiter(Client& client, std::span<const ObjectRef> refs, const WaitPredicate& predicate, const WaitOptions& options, std::stop_token stop)
        : client_(client), refs_(refs), predicate_(predicate), options_(options), stop_(std::move(stop)), seen_(refs.size()),
          deadline_(steady_clock::now() + options.timeout) {}

    Result<WaitEnd> run();

private:
    void read(const std::vector<std::size_t>& indices, bool always_show);
    void show(std::size_t index, Observation now, bool always);
    std::vector<Group> groups() const;
    using Names = std::set<std::string, std::less<>>;
    bool on_event(const Group& group, const WatchEvent& event, Names& listed);
    void recheck(const std::vector<std::size_t>& unwatched);
    Result<WaitEnd> finish();

    Client& client_;
    const std::span<const ObjectRef> refs_;
    const WaitPredicate& predicate_;
    const WaitOptions& options_;
    const std::stop_token stop_;

    std::mutex mutex_; // guards the next three and calls of the predicate
    std::vector<Observation> seen_;
    bool satisfied_ = false;
    std::condition_variable_any changed_;

    const steady_clock::time_point deadline_;
};

// Caller holds mutex_.
void Waiter::show(std::size_t index, Observation now, bool always) {
    if (satisfied_ || (!always && same_observation(seen_[index], now))) return;
    seen_[index] = std::move(now);
    if (predicate_(index, seen_[index])) {
        satisfied_ = true;
        changed_.notify_all();
    }
}

void Waiter::read(const std::vector<std::size_t>& indices, bool always_show) {
    if (indices.empty()) return;
    std::vector<ObjectRef> refs;
    for (const std::size_t i : indices) refs.push_back(refs_[i]);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - steady_clock::now());
    if (left.count() <= 0) return;
    auto objects = client_.get_all(refs, kReadsInFlight, {}, {.stop = stop_, .timeout = left});
    const std::lock_guard lock(mutex_);
    for (std::size_t k = 0; k < indices.size(); ++k) show(indices[k], observation_of(std::move(objects[k])), always_show);
}

std::vector<Group> Waiter::groups() const {
    std::map<std::pair<GroupVersionKind, std::string>, Group> by_target;
    for (std::size_t i = 0; i < refs_.size(); ++i) {
        const ObjectRef& ref = refs_[i];
        Group& group = by_target[{ref.gvk, ref.ns}];
        group.target.gvk = ref.gvk;
        group.target.ns = ref.ns;
        group.members[ref.ns + "/" + ref.name].push_back(i);
    }
    std::vector<Group> out;
    for (auto& [key, group] : by_target) {
        if (group.members.size() == 1) group.target.field_selector = "metadata.name=" + refs_[group.members.begin()->second.front()].name;
        out.push_back(std::move(group));
    }
    return out;
}

// `listed`: members that the watch has told of. The first list decides about the others: they are absent, even if they were read before it.
bool Waiter::on_event(const Group& group, const WatchEvent& event, Names& listed) {
    const std::lock_guard lock(mutex_);
    const auto tell = [&](const std::vector<std::size_t>& indices, Observation::State state) {
        for (const std::size_t i : indices) {
            Observation now{.state = state};
            if (state == Observation::State::present) now.object = event.object;
            show(i, std::move(now), false);
        }
    };
    switch (event.kind) {
    case WatchEventKind::trouble: break; // rechecks read what is unknown
    case WatchEventKind::synced:
        for (const auto& [name, indices] : group.members)
            if (!listed.contains(name)) tell(indices, Observation::State::absent);
        break;
    case WatchEventKind::added:
    case WatchEventKind::modified:
    case WatchEventKind::deleted: {
        const auto at = group.members.find(group.target.ns + "/" + std::string(event.object.name()));
        if (at == group.members.end()) break;
        listed.insert(at->first);
        tell(at->second, event.kind == WatchEventKind::deleted ? Observation::State::absent : Observation::State::present);
        break;
    }
    }
    return !satisfied_;
}

// What no watch tells is read; all the rest is shown again, for predicates that depend on time.
void Waiter::recheck(const std::vector<std::size_t>& unwatched) {
    std::vector<std::size_t> to_read = unwatched;
    {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < seen_.size() && !satisfied_; ++i) {
            if (seen_[i].state == Observation::State::unknown)
                to_read.push_back(i);
            else
                show(i, seen_[i], true);
        }
        if (satisfied_) return;
    }
    read(to_read, false);
}

Result<WaitEnd> Waiter::finish() {
    const std::lock_guard lock(mutex_);
    if (satisfied_) return WaitEnd::satisfied;
    if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "the wait was cancelled");
    return WaitEnd::timed_out;
}

Result<WaitEnd> Waiter::run() {
    std::vector<std::size_t> all(refs_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    read(all, true);
    {
        const std::lock_guard lock(mutex_);
        if (satisfied_) return WaitEnd::satisfied;
    }
    const std::vector<Group> watched = groups();
    std::vector<std::size_t> unwatched;
    std::stop_source end;
    const std::stop_callback pass_on(stop_, [&] { end.request_stop(); });
    std::vector<std::jthread> threads;
    for (const Group& group : watched) {
        if (threads.size() == kMaxWatches) {
            for (const auto& [name, indices] : group.members) unwatched.insert(unwatched.end(), indices.begin(), indices.end());
            continue;
        }
        threads.emplace_back([this, &group, token = end.get_token()] {
            Names listed;
            (void)watch(client_, group.target, [&](const WatchEvent& e) { return on_event(group, e, listed); }, options_.watch, token);
        });
    }
    for (;;) {
        std::unique_lock lock(mutex_);
        const auto until = std::min(deadline_, steady_clock::now() + options_.recheck);
        changed_.wait_until(lock, stop_, until, [&] { return satisfied_; });
        if (satisfied_ || stop_.stop_requested() || steady_clock::now() >= deadline_) break;
        lock.unlock();
        recheck(unwatched);
    }
    end.request_stop();
    threads.clear(); // joins
    return finish();
}

} // namespace

Result<WaitEnd> wait_for(Client& client, std::span<const ObjectRef> refs, const WaitPredicate& predicate, const WaitOptions& options,
                         std::stop_token stop) {
    if (refs.empty()) return WaitEnd::satisfied;
    return Waiter(client, refs, predicate, options, std::move(stop)).run();
}

} // namespace weber::kube
